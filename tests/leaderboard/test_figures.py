"""Which figures of a run a leaderboard shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from asdbench.analysis.run import run_metrics
from asdbench.leaderboard.entry import Figure, decoded
from asdbench.leaderboard.figures import headline_figures
from asdbench.types import Condition
from tests.analysis.test_comparison import CLEAN, MISMATCH, SILENCE, scored

HALF = Condition("mismatch@0.50", "mismatch", 0.5, "negative")
BABBLE = [Condition(f"babble@s{severity}", "babble", 1.0, "keep") for severity in (1, 2)]
BLUR = Condition("blur@s3", "blur", 1.0, "keep")
CONTROL = Condition("resplice@1.00", "resplice", 1.0, "keep", "control")


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    rows = scored(0.5)
    same = {"mismatch@0.50": "mismatch@1.00", "resplice@1.00": "noise_3", "blur@s3": "noise_3", "babble@s1": "noise_3"}

    def read(name: str):  # type: ignore[no-untyped-def]
        found = rows.read("noise_3" if name == "babble@s2" else same.get(name, name))
        return replace(found, score=found.score * np.float32(0.5)) if name == "babble@s2" else found

    chosen = (CLEAN, HALF, MISMATCH, SILENCE, CONTROL, *BABBLE, BLUR)
    run = replace(rows, conditions={each.name: each for each in chosen}, read=read)
    return {figure.name: figure for figure in headline_figures(run, run_metrics(run))}


def test_tests_at_their_largest_proportion_and_no_diagnostic_or_control(figures: dict[str, Figure]) -> None:
    assert list(figures) == [
        "clean.ava", "clean.fpr", "mismatch@1.00.retention", "mismatch@1.00.sync_auroc", "babble.ap_drop",
        "blur@s3.ap_drop",
    ]  # fmt: skip


def test_severities_of_a_corruption_are_averaged_resample_by_resample(figures: dict[str, Figure]) -> None:
    mean, single = figures["babble.ap_drop"], figures["blur@s3.ap_drop"]
    assert mean.mean_of == ("babble@s1", "babble@s2")
    assert single.mean_of == ()
    assert (mean.better, single.better) == ("lower", "lower")
    # Both severities rank alike, so their mean is either.
    assert mean.value == pytest.approx(single.value)
    assert mean.replicates is not None
    assert single.replicates is not None
    assert decoded(mean.replicates) == pytest.approx(decoded(single.replicates))
    assert mean.low is not None
    assert mean.high is not None
    assert mean.low <= (mean.value or 0.0) <= mean.high
