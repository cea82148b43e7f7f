"""The figure of a grid: retention of every recipe, and the number of every claim beside its threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from asdbench.claims.findings import Finding
from asdbench.claims.result import Claims
from asdbench.claims.verdict import Spread, Verdict, spread
from asdbench.report.plot import BLACK, BLUE, GREEN, GUIDE, ORANGE, PINK, SMALL, WIDE, Plot, framed, shortened, whisker

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOUR: dict[Verdict, str] = {
    "reproduced": GREEN, "not reproduced": ORANGE, "not separable": PINK, "cannot be tested here": GUIDE,
}  # fmt: skip
_MARK: dict[Verdict, str] = {
    "reproduced": "o", "not reproduced": "s", "not separable": "D", "cannot be tested here": "x",
}  # fmt: skip
_RETENTION = (("mismatch@1.00.retention", BLUE, "o"), ("misalign@1.00.retention>=400ms", ORANGE, "^"))
_CALLED = {"mismatch@1.00.retention": "another voice", "misalign@1.00.retention>=400ms": "shifted by 400 ms and more"}


def claims_plot(found: Claims) -> Plot:
    """Return the figure ``claims``."""
    rows = max(len(found.grid.recipes), len(found.findings.findings))
    return Plot("claims", lambda figure: _draw(figure, found), (WIDE, 1.6 + 0.24 * rows))


def _draw(figure: Figure, found: Claims) -> None:
    left, right = figure.subplots(1, 2)
    _recipes(left, found)
    _claims(right, found.findings.findings)
    handles, labels = left.get_legend_handles_labels()
    more, names = right.get_legend_handles_labels()
    note = (
        f"Small marks: one seed each (seeds {', '.join(map(str, found.findings.seeds))}). Large marks and bars: mean "
        "and 95 % interval (Student's t). Right: the number of each claim, from its threshold towards its side."
    )
    framed(figure, "", f"claims of papers, on {found.grid.val}", note, ([*handles, *more], [*labels, *names]))


def _recipes(axes: Axes, found: Claims) -> None:
    names = found.grid.recipes
    for offset, (quantity, colour, mark) in zip((-0.14, 0.14), _RETENTION, strict=True):
        label = _CALLED[quantity]
        for place, name in enumerate(names):
            values = found.findings.listed[name].get(quantity)
            if values is not None and values.by_seed:
                _row(axes, place + offset, values, colour, mark, label)
                label = ""
    axes.axvline(1, color=GUIDE, linewidth=0.6, linestyle=":")
    axes.set_yticks(range(len(names)), [shortened(name.removesuffix(".demo"), 26) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel("retention")
    axes.grid(visible=False, axis="y")


def _claims(axes: Axes, findings: Sequence[Finding]) -> None:
    """Draw by how much each number lies beyond its threshold, so that all claims share an axis."""
    labelled: set[Verdict] = set()
    axes.axvline(0, color=BLACK, linewidth=0.9, zorder=2)
    for place, each in enumerate(findings):
        if each.found.by_seed:
            label = "" if each.verdict in labelled else each.verdict
            labelled.add(each.verdict)
            _row(axes, place, _beyond(each), _COLOUR[each.verdict], _MARK[each.verdict], label)
        else:
            axes.text(0, place, " not measured", va="center", fontsize=SMALL, color=GUIDE)
    names = [f"{each.claim.id} ({each.claim.bound.words})" for each in findings]
    axes.set_yticks(range(len(findings)), names)
    axes.set_ylim(len(findings) - 0.4, -0.6)
    axes.set_xlabel("beyond the threshold (right: as claimed)")
    axes.grid(visible=False, axis="y")


def _beyond(found: Finding) -> Spread:
    bound = found.claim.bound
    sign = 1 if bound.upwards else -1
    return spread({seed: sign * (value - bound.threshold) for seed, value in found.found.by_seed.items()})


def _row(axes: Axes, place: float, values: Spread, colour: str, mark: str, label: str) -> None:
    numbers = list(values.by_seed.values())
    axes.plot(numbers, [place] * len(numbers), linestyle="none", marker=".", markersize=3, color=colour, alpha=0.5)
    if values.low is not None and values.high is not None:
        whisker(axes, place, (values.low, values.high), colour, across=True)
    if values.mean is not None:
        axes.plot(
            [values.mean], [place], linestyle="none", marker=mark, markersize=4, color=colour, label=label or None
        )
