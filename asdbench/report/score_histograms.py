"""How scores are distributed, clean and changed: a figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.analysis.conditions import value_of
from asdbench.report.panels import panels_of
from asdbench.report.plot import BLACK, BLUE, GUIDE, LIGHT, ORANGE, Plot, framed, shortened
from asdbench.report.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from asdbench.metrics.inputs import Float64Array

_MARKS = {"tpr:0.9": (GUIDE, ":"), "eer": (GUIDE, "--"), "fixed:0.5": (GUIDE, "-.")}


def tables(metrics: Mapping[str, Any]) -> Iterator[Table]:
    """Yield no table: the figures of the conditions say it in numbers."""
    yield from ()


def figures(model: str, metrics: Mapping[str, Any]) -> Iterator[Plot]:
    """Yield the figure of the section, none where ``metrics.json`` lacks it."""
    found = metrics.get("score_histograms")
    if found is not None:
        grid = panels_of(max(1, len(found["changed"])))
        width, height = grid.size
        yield Plot("scores", partial(_draw, model, metrics, found), (width, height + 0.35))


def _draw(model: str, metrics: Mapping[str, Any], found: Mapping[str, Any], figure: Figure) -> None:
    changed = found["changed"]
    grid = panels_of(max(1, len(changed)))
    plots = grid.axes(figure)
    edges = np.linspace(found["from"], found["to"], found["bins"] + 1)
    top = 0.0
    for axes, each in zip(plots, changed or [None], strict=True):
        axes.stairs(_density(found["clean"]["negative"], edges), edges, fill=True, color=LIGHT, label="silent, clean")
        if each is None:
            heights = [_step(axes, found["clean"]["positive"], edges, BLUE, "-", "speaking, clean")]
        else:
            heights = _draw_changed(axes, metrics, found, each, edges)
        top = max(top, *heights)
        for name, value in metrics["thresholds"].items():
            colour, dashes = _MARKS.get(name, (GUIDE, ":"))
            axes.axvline(value, color=colour, linestyle=dashes, linewidth=0.9, label=f"threshold {name}")
        axes.grid(visible=False)
    # Speaking rows set the scale; where nearly all silent ones have one score, their bar is cut.
    silent = float(_density(found["clean"]["negative"], edges).max(initial=0.0))
    plots[0].set(xlim=(edges[0], edges[-1]), ylim=(0, 1.06 * max(top, min(silent, 1.3 * top)) or 1.0))
    grid.label(plots, "score (log-odds)", "density of rows")
    counts = {name: sum(some) for name, some in found["clean"].items()}
    note = f"Clean rows: {counts['negative']:,} silent, {counts['positive']:,} speaking. "
    if changed:
        note += "Black: the changed rows before the change; beside dubbed tracks, all speaking rows. "
    note += "Outermost bins hold all beyond."
    framed(figure, model, "scores, clean and changed" if changed else "scores of clean rows", note, _legend(plots))


def _draw_changed(
    axes: Axes, metrics: Mapping[str, Any], found: Mapping[str, Any], each: Mapping[str, Any], edges: Float64Array
) -> list[float]:
    heights = [
        _step(axes, each.get("before", found["clean"]["positive"]), edges, BLACK, "-", "speaking, clean"),
        _step(axes, each["after"], edges, ORANGE, "-", "changed", width=1.4),
    ]
    condition = next(c for c in metrics["conditions"] if c["name"] == each["condition"])
    auroc = value_of(condition["metrics"].get("sync_auroc"))
    title = f"{shortened(each['condition'], 26)}\nn = {sum(each['after']):,}"
    axes.set_title(title if auroc is None else f"{title}\nsync AUROC {auroc:.3f}")
    return heights


def _step(
    axes: Axes, counts: Sequence[int], edges: Float64Array, colour: str, dashes: str, label: str, width: float = 1.1
) -> float:
    """Draw the outline of a distribution, and return how high it is."""
    density = _density(counts, edges)
    axes.stairs(density, edges, color=colour, linestyle=dashes, linewidth=width, label=label)
    return float(density.max(initial=0.0))


def _density(counts: Sequence[int], edges: Float64Array) -> Float64Array:
    rows = np.asarray(counts, dtype=np.float64)
    density: Float64Array = rows / max(rows.sum(), 1.0) / (edges[1] - edges[0])
    return density


def _legend(plots: Sequence[Axes]) -> tuple[list[Any], list[str]]:
    """Return what is drawn in any panel, each kind once; what is changed has a colour of its own in each."""
    found: dict[str, Any] = {}
    for axes in plots:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    return list(found.values()), list(found)
