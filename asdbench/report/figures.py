"""The figures of a run, readable in gray and by colour-blind readers; the same numbers give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from asdbench.report import corruption_matrix, cost, modality, proportion
from asdbench.report.drawing import write_figure, write_plot
from asdbench.report.plot import Plot
from asdbench.report.sections import SECTIONS

__all__ = ["run_plots", "write_figure", "write_figures"]


def run_plots(model: str, metrics: Mapping[str, Any]) -> Iterator[Plot]:
    """Yield every figure that a run's numbers have data for, in the order of the report.

    Args:
        model: Name of the model, for titles.
        metrics: Content of ``metrics.json``.
    """
    for figures in (proportion.figures, modality.figures, corruption_matrix.figures):
        yield from figures(model, metrics)
    for section in SECTIONS:
        yield from section.figures(model, metrics)


def write_figures(
    folder: Path, model: str, metrics: Mapping[str, Any], record: Mapping[str, Any] | None = None
) -> None:
    """Write every figure that the run has data for, as PNG, SVG and PDF.

    Args:
        folder: Where to.
        model: Name of the model, for titles.
        metrics: Content of ``metrics.json``.
        record: Content of ``run.json``, for what the run cost; without it that is not drawn.
    """
    for plot in run_plots(model, metrics):
        write_plot(folder, plot)
    for plot in cost.figures(model, record or {}):
        write_plot(folder, plot)
