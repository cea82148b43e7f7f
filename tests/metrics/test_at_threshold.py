"""A figure at a threshold that moves with the resample equals the figure of the copied rows at their own threshold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from asdbench.errors import UndefinedMetricError
from asdbench.metrics import false_positive_rate, frozen_thresholds, operating_point, retention
from asdbench.metrics.at_threshold import balanced_accuracy_at, gap_between, retention_at, share_at
from asdbench.metrics.bootstrap import Resampling, replicate
from asdbench.metrics.counted import CountedRows, PairedRows
from asdbench.metrics.intervals import interval
from asdbench.metrics.weighted import RankedRows

UNITS = 3
row = st.tuples(st.integers(0, 1), st.integers(-3, 3), st.integers(-3, 3), st.integers(0, UNITS - 1))


@given(
    st.lists(row, min_size=4, max_size=30),
    st.lists(st.integers(0, 3), min_size=UNITS, max_size=UNITS).map(np.array),
    st.sampled_from(["tpr:0.9", "eer", "fixed:0.5"]),
)
def test_equal_to_copied_rows(table, weight, name):
    label, clean, changed, unit = (np.array(column) for column in zip(*table, strict=True))
    copies = np.repeat(np.arange(len(label)), weight[unit])
    y, c, d = label[copies], clean[copies].astype(float), changed[copies].astype(float)
    assume(0 < y.sum() < len(y))
    limit = frozen_thresholds(y, c)[name]
    rows, silent, speaking = RankedRows(label, clean, unit, UNITS), label == 0, label == 1
    negatives, positives = (CountedRows(changed[mask], unit[mask], UNITS) for mask in (silent, speaking))
    assert share_at(rows, negatives, name)(weight) == false_positive_rate(y, d, limit)
    expected = operating_point(y, d, limit).balanced_accuracy
    assert balanced_accuracy_at(rows, positives, negatives, name)(weight) == pytest.approx(expected, abs=1e-12)
    pairs = PairedRows(clean[speaking], changed[speaking], unit[speaking], UNITS)
    try:
        expected = retention(c[y == 1], d[y == 1], limit)
    except UndefinedMetricError:
        return
    assert retention_at(rows, pairs, name)(weight) == pytest.approx(expected, abs=1e-12)


def test_a_deaf_model_keeps_retention_1_in_every_resample():
    generator = np.random.default_rng(0)
    label, units = generator.integers(0, 2, 400), np.repeat(np.arange(20), 20)
    score = label + generator.normal(size=400)
    rows = RankedRows(label, score, units, 20)
    pairs = PairedRows(score[label == 1], score[label == 1], units[label == 1], 20)
    found = interval(replicate(retention_at(rows, pairs), Resampling(20, count=100)))
    assert (found.low, found.estimate, found.high) == (1, 1, 1)
    half = replicate(pairs.sync_auroc, Resampling(20, count=100))
    assert set(half.resampled.tolist()) == {0.5}


def test_the_gap_of_a_dubbed_video_has_an_interval_below_0():
    generator = np.random.default_rng(2)
    blocks = np.repeat(np.arange(10), 30)
    seen = CountedRows(generator.normal(2, 1, 300), blocks, 10)
    heard = CountedRows(generator.normal(-2, 1, 300), blocks, 10)
    found = interval(replicate(gap_between(heard, 0.0, seen, 0.0), Resampling(10)))
    assert found.high < -0.8
    assert found.status == "indicative"
