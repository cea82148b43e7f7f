from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from asdbench.analysis.reliability import section
from asdbench.analysis.rows import RunRows
from asdbench.types import IGNORE
from tests.analysis.rows import clean_rows, run_rows

ROWS = clean_rows()


def found(rows: RunRows) -> dict[str, Any]:
    result = section(rows, [])
    assert result is not None
    json.dumps(result, allow_nan=False)
    return result


def test_brier_and_bins_of_the_rows_that_count():
    ignored = np.arange(len(ROWS)) < 60
    clean = replace(ROWS, label_after=np.where(ignored, IGNORE, ROWS.label).astype(np.int8))
    result = found(run_rows(clean))
    labels, probabilities = ROWS.label[~ignored], 1 / (1 + np.exp(-ROWS.score[~ignored].astype(np.float64)))
    assert result["metrics"]["brier"] == pytest.approx(np.mean((probabilities - labels) ** 2))
    assert result["metrics"]["brier_base_rate"] == pytest.approx(0.25)  # half of the rows speak
    assert [result["intervals"]["brier"][end] is not None for end in ("low", "high")] == [True, True]
    assert sum(each["rows"] for each in result["bins"]) == result["rows"] == 300
    assert len(result["bins"]) == 15
    gaps = [each["rows"] * abs(each["confidence"] - each["frequency"]) for each in result["bins"] if each["rows"]]
    assert result["metrics"]["ece"] == pytest.approx(sum(gaps) / 300)
    for each in result["bins"]:
        ends = each.get("interval")
        assert (ends is None) == (each["rows"] == 0)
        if ends and ends["low"] is not None:
            assert ends["low"] <= each["frequency"] <= ends["high"]


def test_the_interval_of_brier_is_that_of_recordings():
    """Recordings that are all right or all wrong leave the mean unsure, however many frames they have."""
    right = np.isin(ROWS.video_id.astype(str), ["v00", "v01", "v02"])
    scores = np.where(right == (ROWS.label == 1), 9.0, -9.0).astype(np.float32)
    result = found(run_rows(replace(ROWS, score=scores)))
    ends = result["intervals"]["brier"]
    assert ends["low"] < 0.2 < result["metrics"]["brier"] < 0.8 < ends["high"]


def test_a_model_that_is_sure_and_right_is_calibrated():
    result = found(run_rows(replace(ROWS, score=np.where(ROWS.label == 1, 30, -30).astype(np.float32))))
    assert result["metrics"]["brier"] < 1e-20
    assert [each["rows"] for each in result["bins"]] == [180] + [0] * 13 + [180]


def test_without_resamples_there_is_no_interval():
    result = found(run_rows(ROWS, resamples=0))
    assert result["intervals"] == {}
    assert not any("interval" in each for each in result["bins"])
