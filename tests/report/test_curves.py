"""Figures and files of curves and distributions."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from asdbench.analysis.run import run_metrics
from asdbench.metrics import average_precision_tie_safe
from asdbench.report import pr_curves, score_histograms
from asdbench.report.drawing import write_plot
from asdbench.report.panels import panels_of
from asdbench.report.run import Run
from asdbench.types import IGNORE, Condition
from tests.analysis.test_intervals import DUBBED, MISMATCH, example, run_of, under

HOSTILE = Condition("<b>$x_1$/../é\n@0.50", "<b>$x_1$", 0.5, "negative")


@pytest.fixture(scope="module")
def rows() -> Any:
    clean = example(sources=6, dubs=20)
    return run_of(clean, *((each, under(clean, each)) for each in (MISMATCH, HOSTILE, DUBBED)), resamples=100)


@pytest.fixture(scope="module")
def metrics(rows: Any) -> dict[str, Any]:
    return run_metrics(rows)


def drawn(module: Any, metrics: dict[str, Any]) -> Figure:
    (plot,) = module.figures("a model", metrics)
    figure = Figure(figsize=plot.size, layout="constrained")
    plot.draw(figure)
    return figure


def words(path: Path) -> str:
    return " ".join("".join(ET.parse(path).getroot().itertext()).split())


def test_each_perturbation_has_a_panel_with_the_clean_curve_and_its_own(metrics: dict[str, Any]):
    figure = drawn(pr_curves, metrics)
    assert len(figure.axes) == 3
    for axes, curve in zip(figure.axes, metrics["pr_curves"]["curves"][1:3], strict=False):
        clean, own = axes.lines[:2]
        assert clean.get_xdata().tolist() == metrics["pr_curves"]["curves"][0]["recall"]
        assert own.get_ydata().tolist() == curve["precision"]
    ap = {each["name"]: each["metrics"]["ava"] for each in metrics["conditions"]}
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == [f"clean: {100 * ap['clean']:.1f}", f"@0.50: {100 * ap['mismatch@0.50']:.1f}"]


def test_a_model_blind_to_synchrony_has_the_precision_of_what_is_left(metrics: dict[str, Any]):
    share = metrics["conditions"][1]["metrics"]["share_changed"]
    *_, blind = drawn(pr_curves, metrics).axes[0].lines
    assert list(blind.get_ydata()) == [1 - share, 1 - share]


def test_distributions_have_the_area_1(metrics: dict[str, Any]):
    figure = drawn(score_histograms, metrics)
    assert len(figure.axes) == 3
    for axes in figure.axes:
        for patch in axes.patches:
            values, edges, _ = patch.get_data()
            assert (values * (edges[1:] - edges[:-1])).sum() == pytest.approx(1)


def test_thresholds_are_marked_in_every_panel(metrics: dict[str, Any]):
    for axes in drawn(score_histograms, metrics).axes:
        assert [line.get_xdata()[0] for line in axes.lines] == list(metrics["thresholds"].values())


@pytest.mark.parametrize("module", [pr_curves, score_histograms])
def test_names_from_files_are_shown_and_bytes_are_equal(module: Any, metrics: dict[str, Any], tmp_path: Path):
    (plot,) = module.figures("<m> & $y_2$", metrics)
    for folder in ("a", "b"):
        write_plot(tmp_path / folder, plot)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    text = words(tmp_path / "a" / f"{plot.name}.svg")
    assert "<m> & $y_2$" in text
    assert "<b>$x_1$" in text


@pytest.mark.parametrize("module", [pr_curves, score_histograms])
def test_clean_runs_are_drawn_alone_and_earlier_runs_not_at_all(module: Any):
    assert len(drawn(module, run_metrics(run_of(example(), resamples=0))).axes) == 1
    assert list(module.figures("m", {})) == list(module.tables({})) == []


def test_files_hold_every_point(rows: Any, metrics: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Run, "rows", rows)
    written = pr_curves.write_curves(Run(tmp_path, {}, metrics))
    assert [path.name for path in written][:2] == ["pr-clean.csv", "pr-mismatch@0.50.csv"]
    assert all(path.parent == tmp_path / "curves" for path in written), "no name leads out of the folder"
    with written[0].open(newline="") as file:
        found = list(csv.DictReader(file))
    counted = rows.clean.label_after != IGNORE
    labels, scores = rows.clean.label_after[counted], rows.clean.score[counted]
    assert [float(each["score"]) for each in found] == sorted(set(scores.tolist()), reverse=True)
    steps = [0.0, *(float(each["recall"]) for each in found)]
    area = sum(
        (steps[place + 1] - steps[place]) * float(each["precision_envelope"]) for place, each in enumerate(found)
    )
    assert area == pytest.approx(average_precision_tie_safe(labels, scores))


@pytest.mark.parametrize(("count", "rows", "columns"), [(1, 1, 1), (3, 1, 3), (4, 1, 4), (5, 2, 3), (6, 2, 3)])
def test_panels_are_laid_out_in_rows(count: int, rows: int, columns: int):
    grid = panels_of(count)
    assert (grid.rows, grid.columns) == (rows, columns)
    assert len(grid.axes(Figure())) == count
