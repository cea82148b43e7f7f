"""A figure that only some suites have: drops by corruption and severity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.report.evidence import ends_of, footnote, number_of
from asdbench.report.families import SEVERITIES, drops_by_severity, mean_drops
from asdbench.report.plot import add_footnote, whisker

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GUIDE, _OWN, _SHIFTED = "#666666", "#000000", "#0072B2"
_LIGHT = 0.45
"""Cells darker than this share of the scale have white text."""


def draw_corruptions(figure: Figure, model: str, metrics: Mapping[str, Any]) -> None:
    """Draw drops of AP as a matrix, corruptions down and severities across, and their means with intervals beside it.

    Args:
        figure: Where to.
        model: Name of the model.
        metrics: Content of ``metrics.json``.
    """
    drops, cells = drops_by_severity(metrics["conditions"]), mean_drops(metrics)
    kinds = list(drops)
    used = [severity for severity in SEVERITIES if any(severity in drops[kind] for kind in kinds)]
    values = np.array([[_points(drops[kind].get(severity)) for severity in used] for kind in kinds])
    known = values[~np.isnan(values)]
    top = max(float(known.max()) if len(known) else 1.0, 1.0)
    matrix, means = figure.subplots(1, 2, sharey=True, width_ratios=(1.0, 0.8))
    matrix.imshow(np.ma.masked_invalid(values), cmap="cividis_r", vmin=0, vmax=top, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        text = "–" if np.isnan(value) else f"{round(float(value), 1) + 0.0:.1f}"
        dark = not np.isnan(value) and value > _LIGHT * top
        matrix.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if dark else "black")
    matrix.set_xticks(range(len(used)), [*map(str, used)])
    matrix.set_yticks(range(len(kinds)), kinds)
    matrix.set(xlabel="severity", title="by severity")
    matrix.grid(visible=False)
    means.axvline(0, color=_GUIDE, linewidth=0.8)
    for row, kind in enumerate(kinds):
        _mean_point(means, row, cells.get(kind))
    overall, title = _points(cells.get("mean")), "mean"
    if np.isfinite(overall):
        title = f"mean (dashed: of all, {overall:.1f})"
        means.axvline(overall, color=_SHIFTED, linestyle="--", linewidth=1.2)
    means.set(xlabel="points of AP", title=title)
    means.tick_params(labelleft=False)
    figure.suptitle(f"{model}\ndrop of AP in points under corruption")
    add_footnote(figure, footnote(metrics))


def _mean_point(axes: Axes, row: int, cell: Any) -> None:
    axes.plot([_points(cell)], [row], marker="o", color=_OWN, markersize=4, linestyle="")
    ends = ends_of(cell)
    if ends is not None:
        whisker(axes, row, (100 * ends[0], 100 * ends[1]), _OWN, across=True)


def _points(cell: Any) -> float:
    """Return a drop in points, NaN where it is undefined."""
    value = number_of(cell)
    return float("nan") if value is None else 100 * value
