"""Every shipped suite runs from end to end, and its report fits it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import asdbench
from asdbench.report.run import Run, open_run
from asdbench.suites import load_suite, suite_names


@pytest.fixture(scope="module")
def full(fixture_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All conditions of all suites."""
    out = tmp_path_factory.mktemp("runs") / "full"
    return asdbench.run("additive", "full", fixture_root, out=out, audit=1, progress=False)


def test_full_measures_every_condition(full: Run) -> None:
    names = [c["name"] for c in full.metrics["conditions"]]
    assert names == [c.name for c in load_suite("full").conditions]
    assert {"robustness", "corruptions", "curve", "accuracy", "modality", "shifts", "changes", "audit", "cues"} <= set(
        full.tables
    )
    assert len(full.tables["corruptions"].rows) == 24 + 2 + 1  # with camera and camera+offscreen_speech, and the means
    assert len(full.tables["curve"].rows) == 32 + 1  # with the own time
    assert {"reliance", "reliance_zeroed", "peaks", "sources", "breakdowns", "reliability"} <= set(full.tables)
    plots = {path.stem for path in (full.path / "plots").glob("*.png")}
    assert plots == {
        "ap_vs_proportion", "retention_vs_proportion", "scores", "modality", "corruptions", "curve", "reliance",
        "breakdowns", "reliability", "sources", "pr_curves", "cost",
    }  # fmt: skip


def test_everything_can_be_computed_again(full: Run) -> None:
    again = open_run(full.path).recomputed().metrics
    by_name = {c["name"]: c["metrics"] for c in again["conditions"]}
    for c in full.metrics["conditions"]:
        assert by_name[c["name"]] == c["metrics"]


def test_a_shift_of_all_sound_is_measured_at_its_offset(full: Run) -> None:
    measured = {c["name"]: c["metrics"] for c in full.metrics["conditions"]}
    clean, rows = full.read("clean"), full.read("shift@+200")
    assert measured["shift@+200"]["offset_ms"] == 200
    assert measured["shift@+200"]["score_changed"] == pytest.approx(float(rows.score[rows.paired].mean()), rel=1e-5)
    assert measured["shift@+200"]["score_same_rows"] == pytest.approx(float(clean.score[rows.paired].mean()), rel=1e-5)
    assert "by_shift" not in measured["shift@+200"]
    assert "by_shift" in measured["misalign@1.00"]
    np.testing.assert_array_equal(rows.label_after[rows.label_after >= 0], rows.label[rows.label_after >= 0])


@pytest.mark.parametrize("name", sorted(set(suite_names()) - {"full", "unsync", "clean", "claims"}))
def test_each_suite_gives_the_numbers_of_full(full: Run, fixture_root: Path, tmp_path: Path, name: str) -> None:
    alone = asdbench.run("additive", name, fixture_root, out=tmp_path / "run", audit="off", progress=False)
    together = {c["name"]: c for c in full.metrics["conditions"]}
    for c in alone.metrics["conditions"]:
        assert c == together[c["name"]]
    assert alone.conclusion.startswith("additive: AP ")
    assert len(alone.conclusion) < 700
