"""Table and figure of the sources."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from asdbench.analysis.run import run_metrics
from asdbench.report.sources import figures, tables
from tests.analysis.test_intervals import DUBBED, MISMATCH, example, run_of, under


def metrics_of(sources: int, per_source: int = 30) -> dict[str, Any]:
    clean = example(sources, per_source, dubs=20)
    return run_metrics(run_of(clean, (MISMATCH, under(clean, MISMATCH)), (DUBBED, under(clean, DUBBED)), resamples=100))


def drawn(metrics: dict[str, Any]) -> Figure:
    (plot,) = figures("a model", metrics)
    figure = Figure(figsize=plot.size)
    plot.draw(figure)
    return figure


def test_a_row_per_source_and_a_group_of_columns_per_test() -> None:
    metrics = metrics_of(6)
    (table,) = tables(metrics)
    assert [row["source"] for row in table.rows] == [f"film {number:02}" for number in range(6)]
    assert [column.header for column in table.columns][-5:-3] == ["mismatch@0.50: sync AUROC", "dubbed: n"]
    assert table.rows[0]["mismatch@0.50 retention"] == pytest.approx(
        metrics["sources"]["sources"][0]["conditions"]["mismatch@0.50"]["retention"]
    )
    assert "dubbed: retention" not in [column.header for column in table.shown]  # nobody has one


def test_a_dot_per_source_with_the_interval_of_all_rows() -> None:
    figure = drawn(metrics_of(6))
    precision, *_, synchrony = figure.axes
    assert len(figure.axes) == 4
    places = precision.collections[0].get_offsets()
    assert len(places) == 6
    assert list(places[:, 0]) == sorted(places[:, 0])  # the weakest on top
    assert synchrony.get_xlabel() == "sync AUROC\nmismatch@0.50"
    assert len(synchrony.patches) == 1  # the interval
    assert any("95 % intervals, indicative" in text.get_text() for text in figure.texts)


def test_many_sources_are_counted() -> None:
    figure = drawn(metrics_of(61, 8))
    bars = [[patch for patch in axes.patches if isinstance(patch, Rectangle)] for axes in figure.axes]
    heights = [sum(bar.get_height() for bar in row if bar.get_y() == 0) for row in bars]
    assert figure.axes[0].get_ylabel() == "sources"
    assert heights[1] > 55


def test_runs_of_earlier_releases_and_single_sources_have_no_figure() -> None:
    assert list(tables({})) == list(figures("a model", {})) == []
    metrics = metrics_of(6)
    metrics["sources"]["sources"] = metrics["sources"]["sources"][:1]
    assert list(figures("a model", metrics)) == []
