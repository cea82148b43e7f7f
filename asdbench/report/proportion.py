"""AP and retention against the share of speech that was changed: figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from asdbench.analysis.conditions import HEADLINE, value_of
from asdbench.report.evidence import ends_of, figure_of, footnote, number_of, rate_of
from asdbench.report.families import base
from asdbench.report.plot import GUIDE, NARROW, SMALL, WIDE, Plot, framed, whisker
from asdbench.report.styles import family_label, family_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Series = list[tuple[float, Mapping[str, Any]]]
"""(realised share of frames, condition), by share."""

_ASIDE = 0.01
"""Distance of the families at one share, so that their intervals do not hide each other."""


def figures(model: str, metrics: Mapping[str, Any]) -> Iterator[Plot]:
    """Yield both figures, none where no test has a proportion."""
    families = families_of(metrics["conditions"])
    if families:
        rows = -(-len(families) // 2)
        yield Plot("ap_vs_proportion", partial(_draw_ap, model, metrics, families), (WIDE, 2.9 + 0.14 * rows))
        size = (NARROW, 2.7 + 0.14 * len(families))
        yield Plot("retention_vs_proportion", partial(_draw_retention, model, metrics, families), size)


def families_of(conditions: Sequence[Mapping[str, Any]]) -> dict[str, Series]:
    """Return the tests of synchrony by perturbation.

    Args:
        conditions: Of ``metrics.json``.
    """
    families: dict[str, Series] = {}
    for condition in conditions:
        share = value_of(condition["metrics"].get("share_changed"))
        # What keeps its labels is no test of synchrony, and a shift of all sound has no proportions.
        graded = condition["role"] == "test" and condition["labels"] == "negative"
        if graded and share is not None and "offset_ms" not in condition["metrics"]:
            families.setdefault(base(condition), []).append((share, condition))
    return {name: sorted(series, key=itemgetter(0)) for name, series in families.items()}


def draw_lines(axes: Axes, families: Mapping[str, Series], read: Callable[[Mapping[str, Any]], Any]) -> float:
    """Draw a figure of each family against the share of frames.

    Args:
        axes: Where to.
        families: As `families_of` returns them.
        read: Returns the figure of a condition as a cell of a table. Where it has no number there is no point, and no
            line passes by: it ends, or begins anew, beside the gap.

    Returns:
        The highest end of an interval.
    """
    top = 0.0
    for index, (name, series) in enumerate(families.items()):
        aside = _ASIDE * (index - (len(families) - 1) / 2)
        cells = [(share + aside * bool(share), read(condition)) for share, condition in series]
        places = [share for share, _ in cells]
        values = [float("nan") if (value := number_of(cell)) is None else value for _, cell in cells]
        axes.plot(places, values, label=family_label(name), **family_style(name))
        for share, cell in cells:
            ends = ends_of(cell)
            if ends is not None and share:  # all start from the clean run
                whisker(axes, share, ends, family_style(name)["color"])
                top = max(top, ends[1])
    return top


def _draw_ap(model: str, metrics: Mapping[str, Any], families: Mapping[str, Series], figure: Figure) -> None:
    clean = metrics["conditions"][0]
    all_rows, unchanged = figure.subplots(1, 2, sharey=True)
    started = {name: [(0.0, clean), *series] for name, series in families.items()}
    draw_lines(all_rows, started, lambda condition: figure_of(condition, "ava"))
    draw_lines(unchanged, started, lambda c: figure_of(c, "ava" if c is clean else "ap_unchanged"))
    gone = [
        share for series in families.values() for share, each in series if number_of(figure_of(each, "ava")) is None
    ]
    for axes in (all_rows, unchanged):
        axes.set(xlabel="share of speaking frames changed", xlim=(-0.03, 1.05), ylim=(0, 1.04))
        _mark_undefined(axes, gone)
    all_rows.plot([0, 1], [1, 0], color=GUIDE, linestyle=":", label="perfect, but blind to synchrony: 1 − share")
    all_rows.set(ylabel=f"AP ({metrics['protocol']})", title="all rows, the changed ones as negatives")
    unchanged.set(title="unchanged rows alone")
    note = footnote(metrics) + ("; AP is undefined where no positive row is left" if gone else "")
    legend = all_rows.get_legend_handles_labels()
    framed(figure, model, "AP as speech stops matching the lips", note, legend)


def _mark_undefined(axes: Axes, shares: Sequence[float]) -> None:
    if shares:
        first = min(shares) - 0.02
        axes.axvspan(first, 1.05, color=GUIDE, alpha=0.12, linewidth=0)
        axes.text(
            (first + 1.05) / 2, 0.5, "undefined", color=GUIDE, ha="center", va="center", rotation=90, fontsize=SMALL
        )


def _draw_retention(model: str, metrics: Mapping[str, Any], families: Mapping[str, Series], figure: Figure) -> None:
    axes = figure.subplots()
    top = draw_lines(axes, families, lambda condition: rate_of(condition, "retention"))
    for level in (0, 1):
        axes.axhline(level, color=GUIDE, linestyle=":", linewidth=0.9, zorder=1)
    axes.set(
        xlabel="share of speaking frames changed",
        ylabel=f"retention at {HEADLINE}",
        xlim=(-0.03, 1.05),
        ylim=(-0.04, max(1.1, top + 0.04)),
    )
    note = f"1: never notices the change, 0: always does; {footnote(metrics)}"
    framed(figure, model, "detections kept on changed speech", note, axes.get_legend_handles_labels())
