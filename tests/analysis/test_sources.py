"""The figures of each source are those of its rows alone, at the threshold of the whole run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from asdbench.analysis import sources
from asdbench.analysis.conditions import HEADLINE
from asdbench.analysis.run import run_metrics
from asdbench.metrics import average_precision_tie_safe, positive_share, retention, sync_auroc
from asdbench.types import Condition
from tests.analysis.test_intervals import DUBBED, MISMATCH, SILENCE, example, run_of, under

LESS = Condition("mismatch@0.25", "mismatch", 0.25, "negative")
CURVE = Condition("shift@+200", "shift", 1.0, "negative", "diagnostic")


@pytest.fixture(scope="module")
def found() -> tuple[Any, Any]:
    clean = example(6, 40, dubs=30)
    conditions = (LESS, MISMATCH, SILENCE, CURVE, DUBBED)
    run = run_of(clean, *((condition, under(clean, condition)) for condition in conditions), resamples=0)
    return run, run_metrics(run)["sources"]


def test_only_tests_of_synchrony_at_their_largest_proportion(found: tuple[Any, Any]) -> None:
    assert found[1]["conditions"] == ["mismatch@0.50", "dubbed"]
    assert (found[1]["kind"], found[1]["threshold"]) == ("source", HEADLINE)


def test_each_source_on_its_own(found: tuple[Any, Any]) -> None:
    run, section = found
    threshold = run.thresholds[HEADLINE]
    assert [unit["name"] for unit in section["sources"]] == [f"film {number:02}" for number in range(6)]
    rows, dubbed = run.read("mismatch@0.50"), run.read("dubbed")
    for unit in section["sources"]:
        own = run.clean.source_id == unit["name"]
        mask = own & run.counted
        labels, scores = run.clean.label[mask], run.clean.score[mask]
        assert unit["rows"]["total"] == len(labels) == unit["rows"]["positive"] + unit["rows"]["negative"]
        assert unit["metrics"]["ava"] == average_precision_tie_safe(labels, scores)
        assert unit["metrics"]["tpr"] == positive_share(scores[labels == 1], threshold)
        assert unit["metrics"]["fpr"] == positive_share(scores[labels == 0], threshold)
        before, after = run.clean.score[own & rows.paired], rows.score[own & rows.paired]
        assert unit["conditions"]["mismatch@0.50"] == {
            "rows": len(before),
            "fa_changed": positive_share(after, threshold),
            "retention": retention(before, after, threshold),
            "sync_auroc": sync_auroc(before, after),
        }
        articulating = dubbed.score[own & dubbed.changed]
        expected = {"rows": len(articulating), "fa_changed": positive_share(articulating, threshold)}
        assert unit["conditions"]["dubbed"] == expected


def test_a_source_without_silent_or_without_any_rows_says_so() -> None:
    clean = example(6, 40)
    label = np.where(clean.source_id == "film 01", 1, clean.label).astype(np.int8)
    after = np.where(clean.source_id == "film 02", -1, label).astype(np.int8)
    clean.label[:], clean.label_after[:] = label, after
    units = sources.section(run_of(clean), [{"name": "clean"}])["sources"]
    assert units[1]["metrics"]["ava"] == units[1]["metrics"]["fpr"] == {"undefined": "no negative rows remain."}
    assert set(units[2]["metrics"]["tpr"]) == {"undefined"}
    assert units[2]["rows"] == {"total": 0, "positive": 0, "negative": 0}
