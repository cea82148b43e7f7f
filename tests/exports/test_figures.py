"""The headline figures as a list, and as a table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from asdbench.exports import headline_figures, write_figures_parquet
from asdbench.report.run import Run, open_run
from tests.exports.conftest import FIXTURES


def test_they_are_those_of_the_record(finished: Run) -> None:
    found = {(each.condition, each.figure): each for each in headline_figures(finished)}
    clean, changed = finished.metrics["conditions"][0], finished.metrics["conditions"][1]
    ap = found["clean", "ava"]
    ends = clean["intervals"]["ava"]
    assert (ap.value, ap.low, ap.high) == (clean["metrics"]["ava"], ends["low"], ends["high"])
    assert (ap.protocol, ap.threshold, ap.reason) == ("ava", "", "")
    assert found["clean", "ap"].protocol == "scikit-learn"
    rate = found["mismatch@0.50", "fa_changed"]
    assert rate.value == changed["metrics"]["at"]["tpr:0.9"]["fa_changed"]
    assert (rate.threshold, rate.role) == ("tpr:0.9", "test")
    assert ("clean", "retention") not in found


def test_what_has_no_value_says_why() -> None:
    old = {(each.condition, each.figure): each for each in headline_figures(open_run(FIXTURES / "schema-1"))}
    later = old["clean", "ap"]
    assert (later.value, later.low) == (None, None)
    assert "earlier release" in later.reason
    known = old["clean", "ava"]
    assert known.value is not None
    assert known.reason


def test_runs_become_one_table(finished: Run, tmp_path: Path) -> None:
    other = open_run(FIXTURES / "schema-1-first")
    count = write_figures_parquet([finished, other], tmp_path / "figures.parquet")
    frame = pd.read_parquet(tmp_path / "figures.parquet")
    assert len(frame) == count == len(headline_figures(finished)) + len(headline_figures(other))
    row = frame[(frame.run == finished.record["fingerprint"]) & (frame.condition == "clean") & (frame.figure == "ava")]
    assert row.value.item() == finished.metrics["conditions"][0]["metrics"]["ava"]
