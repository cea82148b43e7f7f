"""Differences of two runs with their intervals, one row per condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from asdbench.analysis.comparison import find_figure
from asdbench.analysis.conditions import value_of
from asdbench.report.plot import BLACK, BLUE, GUIDE, ORANGE, WIDE, Plot, framed, shortened, whisker

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANELS = (("ava", "AP"), ("retention", "retention"), ("sync_auroc", "sync AUROC"))
_MOST = 40
"""More rows than this nobody reads; the ones with the largest differences are drawn."""

# Okabe & Ito; shape and filling say the same in gray.
_STYLE: dict[str, dict[str, Any]] = {
    "better": {"color": BLUE, "marker": "^"},
    "worse": {"color": ORANGE, "marker": "v"},
    "differs": {"color": BLACK, "marker": "D"},
    "not separable": {"color": GUIDE, "marker": "o", "markerfacecolor": "white"},
    "no interval": {"color": GUIDE, "marker": "x"},
}
_WORDS = {"differs": "differs (neither is better)"}


def forest(comparison: Mapping[str, Any], names: tuple[str, str]) -> Plot:
    """Return the figure of a comparison.

    Args:
        comparison: From ``analysis.comparison.compare_runs``.
        names: What to call the old and the new run.
    """
    drawn = _conditions(comparison)
    height = 1.3 + 0.17 * max(len(drawn), 4)
    return Plot("comparison", lambda figure: _draw(figure, comparison, names, drawn), (WIDE, height))


def _conditions(comparison: Mapping[str, Any]) -> list[str]:
    """Return the conditions to draw, in the order of the suite."""
    sizes: dict[str, float] = {}
    for condition in comparison["conditions"]:
        records = [find_figure(comparison, condition["name"], figure) for figure, _ in _PANELS]
        differences = [value_of(record["difference"]) for record in records if record is not None]
        known = [abs(difference) for difference in differences if difference is not None]
        if known:
            sizes[condition["name"]] = max(known)
    largest = set(sorted(sizes, key=sizes.__getitem__, reverse=True)[:_MOST])
    return [name for name in sizes if name in largest]


def _draw(figure: Figure, comparison: Mapping[str, Any], names: tuple[str, str], drawn: Sequence[str]) -> None:
    panels = [
        (key, header)
        for key, header in _PANELS
        if any((record := find_figure(comparison, name, key)) and _number(record) is not None for name in drawn)
    ]
    axes = figure.subplots(1, max(1, len(panels)), sharey=True, squeeze=False)[0]
    seen: dict[str, Any] = {}
    for each, (key, header) in zip(axes, panels, strict=False):
        _draw_panel(each, comparison, drawn, key, seen)
        rate = f" at {comparison['headline']}" if key == "retention" else ""
        each.set(title=header + rate, xlabel="difference (points)")
    axes[0].set_yticks(range(len(drawn)), [shortened(name) for name in drawn])
    axes[0].set_ylim(len(drawn) - 0.5, -0.5)
    words = [word for word in _STYLE if word in seen]
    labels = [_WORDS.get(word, word) for word in words]
    left_out = len(comparison["conditions"]) - len(drawn)
    note = _note(comparison, left_out)
    title = f"{shortened(names[1], 40)} minus {shortened(names[0], 40)}"
    framed(figure, "", title, note, ([seen[word] for word in words], labels))


def _draw_panel(
    axes: Axes, comparison: Mapping[str, Any], drawn: Sequence[str], key: str, seen: dict[str, Any]
) -> None:
    axes.axvline(0, color=GUIDE, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    for place, name in enumerate(drawn):
        record = find_figure(comparison, name, key)
        difference = None if record is None else _number(record)
        if record is None or difference is None:
            continue
        word = _word(record)
        ends = record["interval"]
        if ends is not None and ends["low"] is not None:
            whisker(axes, place, (100 * ends["low"], 100 * ends["high"]), _STYLE[word]["color"], across=True)
        (marker,) = axes.plot([100 * difference], [place], linestyle="none", markersize=4.5, zorder=4, **_STYLE[word])
        seen[word] = marker


def _word(record: Mapping[str, Any]) -> str:
    if record["separable"] is None:
        return "no interval"
    return record["verdict"] or ("differs" if record["separable"] else "not separable")


def _number(record: Mapping[str, Any]) -> float | None:
    return value_of(record["difference"])


def _note(comparison: Mapping[str, Any], left_out: int) -> str:
    units = comparison["units"]
    kind = "sources" if units["kind"] == "source" else "blocks of 60 s of a single source"
    rows = comparison["rows"]
    said = f"n = {rows['positive'] + rows['negative']:,} rows, {rows['positive']:,} speaking; {units['count']:,} {kind}"
    if units["status"] == "none":
        said += "; no intervals"
    else:
        few = ", indicative" if units["status"] == "indicative" else ""
        said += f"; bars: {100 * units['level']:.0f} % intervals of the paired difference{few}"
    return f"{said}; {left_out} smaller or undefined ones left out" if left_out else said
