"""What is left without a modality, or with a wrong one: a figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.analysis.conditions import HEADLINE
from asdbench.report.evidence import ends_of, figure_of, footnote, number_of, rate_of
from asdbench.report.families import offset_of
from asdbench.report.plot import BLACK, GUIDE, SKY, SMALL, WIDE, Plot, framed, shortened, whisker

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def figures(model: str, metrics: Mapping[str, Any]) -> Iterator[Plot]:
    """Yield the figure, none where the suite has no such conditions."""
    shown = [c for c in metrics["conditions"] if c["role"] in ("reference", "diagnostic") and offset_of(c) is None]
    if len(shown) > 1:
        yield Plot("modality", partial(_draw, model, metrics, shown), (WIDE, 1.1 + 0.17 * len(shown)))


def _draw(model: str, metrics: Mapping[str, Any], shown: Sequence[Mapping[str, Any]], figure: Figure) -> None:
    above_chance, tpr = figure.subplots(1, 2, sharey=True)
    colours = [GUIDE if condition["role"] == "reference" else SKY for condition in shown]
    _bars(above_chance, [figure_of(condition, "ava_rescaled") for condition in shown], colours)
    above_chance.set(xlabel="AP above chance (%), (AP − base rate) / (1 − base rate)")
    _bars(tpr, [rate_of(condition, "tpr") for condition in shown], colours)
    tpr.set(xlabel=f"TPR (%) at {HEADLINE} of the clean run")
    above_chance.set_yticks(np.arange(len(shown)), [shortened(condition["name"]) for condition in shown])
    above_chance.set_ylim(len(shown) - 0.4, -0.6)
    framed(figure, model, "what is left without a modality, or with a wrong one", footnote(metrics))


def _bars(axes: Axes, cells: Sequence[Any], colours: Sequence[str]) -> None:
    values = [number_of(cell) for cell in cells]
    lengths = [100 * (value or 0.0) for value in values]
    axes.barh(np.arange(len(values)), lengths, color=colours, height=0.66)
    least, most = 0.0, 0.0
    for position, (cell, value) in enumerate(zip(cells, values, strict=True)):
        low, high = ends_of(cell) or (value or 0.0, value or 0.0)
        if ends_of(cell) is not None:
            whisker(axes, position, (100 * low, 100 * high), BLACK, across=True)
        text = "undefined" if value is None else f"{round(100 * value, 1) + 0.0:.1f}"
        end = 100 * max(value or 0.0, high, 0.0)
        axes.text(end + 3, position, text, va="center", fontsize=SMALL)
        least, most = min(least, 100 * low, 100 * (value or 0.0)), max(most, end)
    axes.axvline(0, color=GUIDE, linewidth=0.6)
    axes.set_xlim(least - 2 if least else 0.0, max(most, 50) + 24)
    axes.set_xticks([0, 25, 50, 75, 100][: 5 if most > 74 else 4 if most > 49 else 3])
    axes.grid(visible=False, axis="y")
