"""The figure of several runs side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.analysis.conditions import HEADLINE
from asdbench.report.evidence import ends_of, figure_of, footnote, number_of, rate_of
from asdbench.report.plot import BLACK, BLUE, GREEN, NARROW, ORANGE, PINK, SMALL, Plot, framed, shortened, whisker
from asdbench.report.table import Kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from asdbench.report.contrast import Contrast

CONTRAST_COLUMNS: tuple[tuple[str, str, Kind], ...] = (
    ("ava", "AP %", "percent"),
    ("fa_changed", "fa_changed %", "share"),
    ("retention", "retention", "ratio"),
    ("sync_auroc", "sync AUROC", "ratio"),
)
"""Figures that are put side by side: key, header, kind."""

_COLOURS = (BLUE, ORANGE, GREEN, PINK)
_HATCHES = ("", "///", "...", "xxx")


def contrast_cells(condition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the four numbers with their intervals, as cells of a table."""
    pooled = ("ava", "sync_auroc")
    return {
        key: figure_of(condition, key) if key in pooled else rate_of(condition, key) for key, _, _ in CONTRAST_COLUMNS
    }


def contrast_plot(found: Contrast) -> Plot:
    """Return the figure: the retention of each condition at its largest proportion; without one, AP.

    Args:
        found: The runs.
    """
    key, names = _shown(found)
    height = 1.0 + 0.15 * len(found.models) + max(0.17, 0.13 * len(found.models)) * 1.25 * max(len(names), 3)
    return Plot("contrast", partial(_draw, found, key, names), (NARROW, height))


def _shown(found: Contrast) -> tuple[str, Sequence[str]]:
    """Return which figure is drawn, and of which conditions."""
    largest = {c.perturbation: c.name for c in sorted(found.runs[0].conditions.values(), key=lambda c: c.proportion)}
    names = [name for name in found.conditions if name in largest.values() and found.values(name, "retention")]
    return ("retention", names) if names else ("ava", found.conditions)


def _draw(found: Contrast, key: str, names: Sequence[str], figure: Figure) -> None:
    axes = figure.subplots()
    height = 0.8 / len(found.models)
    furthest = 1.0
    for index, model in enumerate(found.models):
        cells = [contrast_cells(found.measured[model][name])[key] for name in names]
        places = np.arange(len(names)) + (index - (len(found.models) - 1) / 2) * height
        style: dict[str, Any] = {"color": _COLOURS[index % 4], "hatch": _HATCHES[index % 4], "edgecolor": "white"}
        values = [number_of(cell) for cell in cells]
        axes.barh(places, [value or 0.0 for value in values], height=0.92 * height, label=shortened(model, 40), **style)
        for place, cell, value in zip(places, cells, values, strict=True):
            ends = ends_of(cell)
            if ends is not None:
                whisker(axes, place, ends, BLACK, across=True)
            end = max(value or 0.0, ends[1] if ends else 0.0)
            furthest = max(furthest, end)
            axes.text(end + 0.02, place, "undefined" if value is None else f"{value:.2f}", va="center", fontsize=SMALL)
    axes.set_yticks(np.arange(len(names)), [shortened(name, 24) for name in names])
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    label = f"retention at {HEADLINE} (1: never notices)" if key == "retention" else "AP"
    axes.set(xlim=(0, furthest + 0.25), xlabel=label)
    title = "detections kept on changed speech" if key == "retention" else "AP by condition"
    framed(figure, "", title, footnote(found.runs[0].metrics), axes.get_legend_handles_labels())
