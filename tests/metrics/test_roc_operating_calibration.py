from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, f1_score, precision_score, roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from asdbench.errors import DataError, UndefinedMetricError, UsageError
from asdbench.metrics.calibration import brier_score, probability, reliability
from asdbench.metrics.operating import operating_point
from asdbench.metrics.roc import auroc, equal_error_rate, roc_curve

rows = st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3)), min_size=2, max_size=50)
shares = st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=50)


def both_classes(table):
    labels, scores = (np.array(column) for column in zip(*table, strict=True))
    assume(0 < labels.sum() < len(labels))
    return labels, scores.astype(np.float64)


@given(rows)
def test_roc_is_scikit_learns(table):
    labels, scores = both_classes(table)
    assert auroc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    fpr, tpr, _ = sklearn_roc_curve(labels, scores, drop_intermediate=False)
    curve = roc_curve(labels, scores)
    assert curve.fpr == pytest.approx(fpr, abs=1e-15)
    assert curve.tpr == pytest.approx(tpr, abs=1e-15)


@given(rows)
def test_auroc_of_a_monotone_map_and_of_swapped_labels(table):
    labels, scores = both_classes(table)
    assert auroc(labels, np.exp(scores) * 3 - 1) == auroc(labels, scores)
    assert auroc(1 - labels, scores) == pytest.approx(1 - auroc(labels, scores), abs=1e-15)
    assert auroc(labels, np.zeros(len(labels))) == 0.5


@given(rows)
def test_equal_error_rates(table):
    labels, scores = both_classes(table)
    root = equal_error_rate(labels, scores)
    fpr, tpr, _ = sklearn_roc_curve(labels, scores, drop_intermediate=False)
    assert np.interp(root, *_unique(fpr, tpr, 1 - root)) == pytest.approx(1 - root, abs=1e-9)
    largest = equal_error_rate(labels, scores, "nearest-max")
    assert nearest(fpr, tpr, largest)
    assert equal_error_rate(labels, scores, "nearest-mean") <= largest
    fpr, tpr, _ = sklearn_roc_curve(labels, scores)
    assert nearest(fpr, tpr, equal_error_rate(labels, scores, "nearest-max-of-corners"))


def nearest(fpr, tpr, rate):
    """Whether a rate is the larger one of a point with the smallest gap; rounding may choose among several."""
    gap, largest = np.abs(fpr - (1 - tpr)), np.maximum(fpr, 1 - tpr)
    return bool(np.any(np.isclose(largest[gap <= gap.min() + 1e-12], rate, rtol=0, atol=1e-12)))


def _unique(fpr, tpr, wanted):
    """The curve with its vertical steps cut where they cross the wanted height, so that it is a function."""
    places, heights = [], []
    for place in np.unique(fpr):
        at = tpr[fpr == place]
        places.append(place)
        heights.append(min(max(wanted, at.min()), at.max()))
    return places, heights


def test_equal_error_rate_by_hand():
    assert equal_error_rate([1, 1, 0, 0], [4, 3, 2, 1]) == 0.0
    assert equal_error_rate([0, 0, 1, 1], [4, 3, 2, 1]) == 1.0
    assert equal_error_rate([1, 0], [1.0, 1.0]) == 0.5
    with pytest.raises(UsageError, match="no rule 'best'"):
        equal_error_rate([1, 0], [1.0, 0.0], "best")


@pytest.mark.parametrize("metric", [auroc, roc_curve, equal_error_rate])
@pytest.mark.parametrize(
    ("labels", "scores", "error"),
    [
        ([1, 1], [1.0, 2.0], UndefinedMetricError),
        ([0, 0], [1.0, 2.0], UndefinedMetricError),
        ([], [], UndefinedMetricError),
        ([1, 0], [1.0, np.nan], DataError),
        ([1, 2], [1.0, 0.0], DataError),
    ],
)
def test_input_without_a_value_raises(metric, labels, scores, error):
    with pytest.raises(error):
        metric(labels, scores)


@given(rows, st.integers(-4, 4))
def test_operating_point_is_scikit_learns(table, threshold):
    labels, scores = both_classes(table)
    point, called = operating_point(labels, scores, threshold), scores >= threshold
    assert point.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels, called), abs=1e-12)
    assert point.f1 == pytest.approx(f1_score(labels, called, zero_division=0), abs=1e-12)
    if called.any():
        assert point.precision == pytest.approx(precision_score(labels, called), abs=1e-12)
    else:
        with pytest.raises(UndefinedMetricError, match="no row is called positive"):
            _ = point.precision
    counts = point.true_positives + point.false_positives + point.false_negatives + point.true_negatives
    assert counts == len(labels)


def test_operating_point_without_a_value():
    for threshold in (5.0, 1.5):  # nothing is called positive, or something is
        point = operating_point([0, 0], [1.0, 2.0], threshold)
        for name in ("recall", "f1"):
            with pytest.raises(UndefinedMetricError, match="no row is positive"):
                getattr(point, name)
    with pytest.raises(UndefinedMetricError, match="no row is negative"):
        _ = operating_point([1], [1.0], 0.0).balanced_accuracy
    with pytest.raises(DataError, match="threshold is NaN"):
        operating_point([1], [1.0], np.nan)


@given(shares)
def test_brier_is_scikit_learns(table):
    labels, values = (np.array(column) for column in zip(*table, strict=True))
    expected = np.mean((values - labels) ** 2)
    assert brier_score(labels, values) == pytest.approx(expected, abs=1e-15)
    if 0 < labels.sum() < len(labels):
        assert brier_score(labels, values) == pytest.approx(brier_score_loss(labels, values), abs=1e-12)


@given(shares, st.integers(1, 20))
def test_reliability_by_brute_force(table, bins):
    labels, values = (np.array(column) for column in zip(*table, strict=True))
    found = reliability(labels, values, bins)
    error = 0.0
    for place in range(bins):
        low, high = place / bins, (place + 1) / bins
        inside = (values >= low) & ((values < high) | ((place == bins - 1) & (values <= 1)))
        assert found.rows[place] == inside.sum()
        if inside.any():
            error += inside.mean() * abs(values[inside].mean() - labels[inside].mean())
        else:
            assert np.isnan(found.confidence[place])
    assert found.expected_calibration_error == pytest.approx(error, abs=1e-12)


def test_calibration_wants_probabilities():
    for metric in (brier_score, reliability):
        with pytest.raises(DataError, match="not log-odds"):
            metric([1, 0], [2.0, 0.5])
        with pytest.raises(DataError, match="1 NaN"):
            metric([1, 0], [np.nan, 0.5])
        with pytest.raises(UndefinedMetricError):
            metric([], [])
    with pytest.raises(UsageError, match="at least one bin"):
        reliability([1], [0.5], 0)


@given(st.lists(st.floats(-1e300, 1e300), max_size=20))
def test_probability_never_overflows(scores):
    values = probability(scores)
    assert ((values >= 0) & (values <= 1)).all()
    assert probability(-np.array(scores, dtype=float)) == pytest.approx(1 - values, abs=1e-15)
