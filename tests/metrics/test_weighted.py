"""Weights must do exactly what copies of rows do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from asdbench.errors import DataError, UndefinedMetricError, UsageError
from asdbench.metrics import (
    average_precision_tie_safe,
    positive_share,
    rescaled_ap,
    retention,
    sync_auroc,
    sync_winrate,
    threshold_at_eer,
    threshold_at_tpr,
)
from asdbench.metrics.average_precision import average_precision_step
from asdbench.metrics.counted import CountedRows, PairedRows
from asdbench.metrics.roc import auroc, equal_error_rate
from asdbench.metrics.weighted import RankedRows

UNITS = 4
row = st.tuples(st.integers(0, 1), st.integers(-3, 3), st.integers(-3, 3), st.integers(0, UNITS - 1))
tables = st.lists(row, min_size=1, max_size=40)
weights = st.lists(st.integers(0, 3), min_size=UNITS, max_size=UNITS).map(np.array)


def columns(table):
    label, first, second, unit = (np.array(column) for column in zip(*table, strict=True))
    return label, first.astype(np.float32), second.astype(np.float32), unit


@given(tables, weights)
def test_ranked_rows_equal_copies(table, weight):
    label, score, _, unit = columns(table)
    copies = np.repeat(np.arange(len(label)), weight[unit])
    y, s = label[copies], score[copies]
    assume(label.any() and y.any())
    rows = RankedRows(label, score, unit, UNITS)
    assert rows.average_precision(weight) == pytest.approx(average_precision_tie_safe(y, s), abs=1e-12)
    assert rows.average_precision(weight, "ap") == pytest.approx(average_precision_step(y, s), abs=1e-12)
    assert rows.base_rate(weight) == y.mean()
    assert rows.threshold(weight) == threshold_at_tpr(y, s)
    assert rows.threshold(weight, "tpr:0.3") == threshold_at_tpr(y, s, 0.3)
    assert rows.threshold(weight, "fixed:0.5") == 0
    if not y.all():
        assert rows.auroc(weight) == auroc(y, s)
        assert rows.equal_error_rate(weight) == pytest.approx(equal_error_rate(y, s), abs=1e-12)
        assert rows.threshold(weight, "eer") == threshold_at_eer(y, s)
        expected = rescaled_ap(average_precision_tie_safe(y, s), y.mean())
        assert rows.rescaled_ap(weight) == pytest.approx(expected, abs=1e-12)


@given(tables, weights, st.integers(-4, 4))
def test_counted_and_paired_rows_equal_copies(table, weight, threshold):
    _, clean, changed, unit = columns(table)
    copies = np.repeat(np.arange(len(clean)), weight[unit])
    assume(len(copies))
    c, d = clean[copies], changed[copies]
    assert CountedRows(clean, unit, UNITS).share(weight, threshold) == positive_share(c, threshold)
    rows = PairedRows(clean, changed, unit, UNITS)
    assert rows.sync_auroc(weight) == sync_auroc(c, d)
    assert rows.sync_winrate(weight) == sync_winrate(c, d)
    try:
        expected = retention(c, d, threshold)
    except UndefinedMetricError:
        with pytest.raises(UndefinedMetricError, match="at least 10%"):
            rows.retention(weight, threshold)
    else:
        assert rows.retention(weight, threshold) == pytest.approx(expected, abs=1e-12)


@given(tables)
def test_step_rule_is_scikit_learns(table):
    label, score, _, _ = columns(table)
    assume(label.any())
    assert average_precision_step(label, score) == pytest.approx(average_precision_score(label, score), abs=1e-12)
    assert average_precision_step(label, score) <= average_precision_tie_safe(label, score) + 1e-15


def test_a_weight_per_row():
    rows = RankedRows([1, 0, 1], [3.0, 2.0, 1.0], [0, 1, 2], 3)
    assert rows.average_precision([1, 0, 1]) == 1.0
    assert rows.average_precision([0, 1, 1]) == 0.5


def test_many_rows_do_not_overflow():
    count = 60_000
    scores = np.arange(2 * count)
    rows = PairedRows(scores, -scores, np.zeros(2 * count, int), 1)
    assert rows.sync_auroc([1000]) == sync_auroc(scores, -scores)


def test_what_has_no_value():
    rows = RankedRows([1, 0], [1.0, 0.0], [0, 1], 3)
    for method in (rows.average_precision, rows.base_rate, rows.auroc, rows.threshold):
        with pytest.raises(UndefinedMetricError, match="no positive rows remain"):
            method([0, 1, 1])
    for method in (rows.auroc, rows.rescaled_ap, rows.equal_error_rate):
        with pytest.raises(UndefinedMetricError, match="no negative rows remain"):
            method([1, 0, 1])
    with pytest.raises(UndefinedMetricError, match="no rows remain"):
        CountedRows([1.0], [0], 2).share([0, 1], 0.0)
    with pytest.raises(UndefinedMetricError, match="no positive rows remain"):
        RankedRows([0], [1.0], [0], 1)


@pytest.mark.parametrize("wrong", [[1], [1, -1], [0.5, 1.0], [[1, 1]]])
def test_wrong_weights(wrong):
    with pytest.raises(DataError, match="2 whole numbers from 0"):
        RankedRows([1, 0], [1.0, 0.0], [0, 1], 2).average_precision(wrong)


@pytest.mark.parametrize(
    ("labels", "scores", "units", "message"),
    [
        ([1, 0], [1.0, np.nan], [0, 0], "1 NaN"),
        ([1, 0], [1.0, np.inf], [0, 0], "1 infinite"),
        ([1, 0], [1.0, 0.0], [0, 2], "units must lie in 0 to 1"),
        ([1, 0], [1.0, 0.0], [0], "units must be 2 whole numbers"),
        ([1, 3], [1.0, 0.0], [0, 0], "labels must be 0 or 1"),
    ],
)
def test_broken_rows(labels, scores, units, message):
    with pytest.raises(DataError, match=message):
        RankedRows(labels, scores, units, 2)


@pytest.mark.parametrize("name", ["tpr:0", "tpr:1.1", "tpr:x", "tpr:nan", "best", "eer:1"])
def test_unknown_threshold(name):
    with pytest.raises(UsageError, match="no threshold"):
        RankedRows([1, 0], [1.0, 0.0], [0, 0], 1).threshold([1], name)
    with pytest.raises(UsageError, match="no rule"):
        RankedRows([1, 0], [1.0, 0.0], [0, 0], 1).average_precision([1], "voc")
