"""Tables and figures of breakdowns, dubbing suspects and calibration."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from asdbench.analysis import breakdowns as measured_breakdowns
from asdbench.analysis import reliability as measured_reliability
from asdbench.analysis import suspects as measured_suspects
from asdbench.analysis.conditions import row_counts
from asdbench.analysis.intervals import units_record
from asdbench.analysis.rows import RunRows
from asdbench.report import breakdowns, reliability, suspects
from asdbench.report.figures import write_figure
from asdbench.report.table import Estimate, Table
from asdbench.report.tables import build_tables
from asdbench.report.writers import to_csv, to_latex, to_markdown
from tests.analysis.rows import clean_rows, facts_of, run_rows
from tests.report import crafted
from tests.report.crafted import HOSTILE, condition

NAMES = [f"{name or 'none'} {number}" for number, name in enumerate(HOSTILE)]


def metrics_of(rows: RunRows) -> dict[str, Any]:
    counts = row_counts(rows.clean)
    return {
        "protocol": "ava",
        "headline": "tpr:0.9",
        "units": units_record(rows),
        "conditions": [condition("clean", role="reference", labels="keep") | {"rows": counts}],
        "breakdowns": measured_breakdowns.section(rows, []),
        "suspects": measured_suspects.section(rows, []),
        "reliability": measured_reliability.section(rows, []),
    }


@pytest.fixture(scope="module")
def metrics() -> dict[str, Any]:
    """One video per hostile name; the model does not believe the sound of the third."""
    clean = clean_rows(videos=len(NAMES), length=150, speaking=(20, 130))
    names = np.repeat(np.array(NAMES, dtype=object), 150)
    noise = np.random.default_rng(5).normal(size=len(clean)) + 3 * clean.label
    score = np.where((names == NAMES[2]) & (clean.label == 1), -5, clean.score).astype(np.float32)
    clean = replace(
        clean,
        video_id=names,
        entity_id=names,
        source_id=names,
        score=score,
        lips=noise.astype(np.float32),
        voiced=clean.label,
    )
    categories = np.array([name.replace("|", "/") for name in names], dtype=object)
    facts = facts_of(clean, categories=categories, sharpness=np.arange(len(clean), dtype=np.float32))
    return metrics_of(run_rows(clean, facts, resamples=100))


def the_table(module: ModuleType, metrics: dict[str, Any]) -> Table:
    [table] = module.tables(metrics)
    assert isinstance(table, Table)
    return table


def test_breakdowns_name_each_part_and_what_is_absent(metrics: dict[str, Any]):
    table = the_table(breakdowns, metrics)
    rows = {row["part"]: row for row in table.rows}
    assert rows["all rows"]["total"] == 150 * len(NAMES)
    assert isinstance(rows["blur: sharpest third"]["auroc"], Estimate)
    assert rows["run length: > 3 s"].get("auroc") is rows["run length: > 3 s"].get("base_rate") is None
    assert "Absent: face width, the data set does not say" in table.caption
    assert "Off-screen speech is estimated from the sound, not annotated." in table.caption
    # one recording each: a figure, no interval, and no line per figure that says so
    assert isinstance(rows[f"category: {NAMES[0]}"]["ava"], float)
    assert not any("no interval" in reason for reason in table.reasons())
    assert "No interval where fewer than 5 sources" in table.caption


def test_the_suspect_is_named_first(metrics: dict[str, Any]):
    table = the_table(suspects, metrics)
    assert [(row["video"], row["suspect"]) for row in table.rows if row["suspect"]] == [(NAMES[2], "yes")]
    assert table.rows[0]["video"] == NAMES[2]
    assert isinstance(table.rows[0]["z"], Estimate)


def test_the_intervals_of_suspects_are_not_those_of_the_run(metrics: dict[str, Any]):
    notes = {table.name: table.note for table in build_tables(crafted.metrics() | metrics, {})}
    assert "within the video" in notes["suspects"]
    assert "sources" not in notes["suspects"]
    assert f"{len(NAMES)} sources" in notes["breakdowns"]


def test_without_a_scale_the_table_says_why():
    few = clean_rows(videos=5, length=40, speaking=(5, 30))
    metrics = metrics_of(run_rows(replace(few, lips=few.score), facts_of(few)))
    table = the_table(suspects, metrics)
    assert "a robust z needs at least 3" in table.reasons()[0]
    assert "5 more videos have fewer than 100 speaking rows" in table.caption
    assert list(suspects.figures("m", metrics)) == []


def test_reliability_has_the_brier_score_of_the_base_rate_beside_its_own(metrics: dict[str, Any]):
    [row] = the_table(reliability, metrics).rows
    assert isinstance(row["brier"], Estimate)
    assert row["brier"].value < row["brier_base_rate"]


@pytest.mark.parametrize("module", [breakdowns, suspects, reliability])
def test_tables_survive_hostile_names(module: ModuleType, metrics: dict[str, Any]):
    table = the_table(module, metrics)
    lines = to_markdown(table).splitlines()
    header = lines[0].replace("\\|", "").count("|")
    for line in lines[: len(table.rows) + 2]:
        assert line.replace("\\\\", "").replace("\\|", "").count("|") == header
    rows = list(csv.reader(io.StringIO(to_csv(table))))
    assert len(rows) == len(table.rows) + 1
    assert len({len(row) for row in rows}) == 1
    assert "\\input{x}" not in to_latex(table)


@pytest.mark.parametrize("module", [breakdowns, suspects, reliability])
def test_figures_are_drawn_twice_the_same(module: ModuleType, metrics: dict[str, Any], tmp_path: Path):
    [plot] = module.figures("<model> $x_1^2$", metrics)
    for name in ("one", "two"):
        write_figure(tmp_path / name, plot.draw, size=plot.size)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert "mathdefault" not in (tmp_path / "one.svg").read_text()


def test_a_run_without_the_sections_has_no_tables_and_no_figures():
    for module in (breakdowns, suspects, reliability):
        assert [*module.tables({}), *module.figures("m", {})] == []
