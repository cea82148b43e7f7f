"""Drops of AP by corruption and severity: a figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.report.evidence import ends_of, footnote, number_of
from asdbench.report.families import SEVERITIES, drops_by_severity, mean_drops
from asdbench.report.plot import BLACK, BLUE, GUIDE, SMALL, WIDE, Plot, framed, shortened, whisker

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DARK = 0.55
"""Cells darker than this share of the scale have white text."""

_LEAST_SCALE = 5.0
"""Points at which the scale of shades ends at least, so that a model that hardly drops looks like one."""


def figures(model: str, metrics: Mapping[str, Any]) -> Iterator[Plot]:
    """Yield the figure, none where the suite has no corruptions."""
    drops = drops_by_severity(metrics["conditions"])
    if drops:
        yield Plot("corruptions", partial(_draw, model, metrics, drops), (WIDE, 1.15 + 0.17 * len(drops)))


def _draw(model: str, metrics: Mapping[str, Any], drops: Mapping[str, Mapping[int, Any]], figure: Figure) -> None:
    kinds, cells = list(drops), mean_drops(metrics)
    matrix, means = figure.subplots(1, 2, sharey=True, width_ratios=(1.0, 0.8))
    _draw_matrix(matrix, drops)
    matrix.set_yticks(range(len(kinds)), [shortened(kind) for kind in kinds])
    means.axvline(0, color=GUIDE, linewidth=0.8)
    for row, kind in enumerate(kinds):
        _draw_mean(means, row, cells.get(kind))
    overall, title = _points(cells.get("mean")), "mean over severities"
    if np.isfinite(overall):
        title = f"mean over severities (dashed: of all, {overall:.1f})"
        means.axvline(overall, color=BLUE, linestyle="--")
    means.set(xlabel="drop of AP (points)", title=title)
    means.tick_params(labelleft=False)
    framed(figure, model, "drop of AP in points under corruption", footnote(metrics))


def _draw_matrix(axes: Axes, drops: Mapping[str, Mapping[int, Any]]) -> None:
    used = [severity for severity in SEVERITIES if any(severity in found for found in drops.values())]
    values = np.array([[_points(found.get(severity)) for severity in used] for found in drops.values()])
    top = max(float(np.nanmax(values, initial=0.0)), _LEAST_SCALE)
    axes.imshow(np.ma.masked_invalid(values), cmap="Blues", vmin=0, vmax=1.15 * top, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        text = "–" if np.isnan(value) else f"{round(float(value), 1) + 0.0:.1f}".replace("-", "−")
        dark = not np.isnan(value) and value > _DARK * 1.15 * top
        axes.text(column, row, text, ha="center", va="center", fontsize=SMALL, color="white" if dark else BLACK)
    axes.set_xticks(range(len(used)), [*map(str, used)])
    axes.set(xlabel="severity", title="by severity")
    axes.grid(visible=False)
    axes.tick_params(length=0)


def _draw_mean(axes: Axes, row: int, cell: Any) -> None:
    axes.plot([_points(cell)], [row], marker="o", color=BLACK, linestyle="")
    ends = ends_of(cell)
    if ends is not None:
        whisker(axes, row, (100 * ends[0], 100 * ends[1]), BLACK, across=True)


def _points(cell: Any) -> float:
    """Return a drop in points, NaN where it is undefined."""
    value = number_of(cell)
    return float("nan") if value is None else 100 * value
