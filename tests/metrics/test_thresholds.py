from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.errors import DataError, UndefinedMetricError, UsageError
from asdbench.metrics import (
    FIXED_HALF,
    false_positive_rate,
    frozen_thresholds,
    threshold_at_eer,
    threshold_at_tpr,
    true_positive_rate,
)

rows = st.lists(st.tuples(st.integers(0, 1), st.integers(-6, 6)), min_size=2, max_size=60).filter(
    lambda pairs: {label for label, _ in pairs} == {0, 1}
)


def unzip(pairs):
    labels, scores = zip(*pairs, strict=True)
    return np.array(labels), np.array(scores, dtype=np.float32)


@given(rows, st.sampled_from([0.9, 0.5, 0.1, 0.7, 1.0, 1e-9]))
def test_tpr_threshold_is_the_largest_that_reaches_the_rate(pairs, tpr):
    labels, scores = unzip(pairs)
    reached = [float(t) for t in scores[labels == 1] if true_positive_rate(labels, scores, float(t)) >= tpr]
    assert threshold_at_tpr(labels, scores, tpr) == max(reached)


@pytest.mark.parametrize("percent", [7, 10, 29, 30, 55, 57, 58, 60, 70, 90, 95, 99])
def test_tpr_threshold_survives_the_rounding_of_the_product(percent):
    # 0.55 * 100 is 55.00000000000001 and 0.29 * 100 is 28.999999999999996: both must ask for whole shares
    for total in (100, 200, 300, 700, 1000, 3700):
        scores = np.arange(total, 0, -1.0)
        wanted = percent * total // 100
        assert threshold_at_tpr(np.ones(total), scores, percent / 100) == scores[wanted - 1]


def test_tpr_threshold_just_above_a_whole_share_asks_for_one_row_more():
    # the product of the rate and the number of rows often rounds down to the whole number that is not enough
    for total in range(2, 40):
        scores = np.arange(total, 0, -1.0)
        for whole in range(1, total):
            tpr = float(np.nextafter(whole / total, 1))
            assert threshold_at_tpr(np.ones(total), scores, tpr) == scores[whole]


def test_tpr_threshold_by_hand():
    labels = [1] * 10 + [0, 0]
    scores = [*range(10, 0, -1), 100, -100]
    assert threshold_at_tpr(labels, scores) == 2.0
    assert threshold_at_tpr(labels, scores, 0.91) == 1.0
    assert threshold_at_tpr([1, 1, 1], [5.0, 5.0, 1.0], 0.5) == 5.0
    assert threshold_at_tpr([1, 1], [5.0, 4.0]) == 4.0  # negatives are not needed


@pytest.mark.parametrize("tpr", [0.0, -0.1, 1.1, 90, float("nan")])
def test_tpr_outside_its_range_is_refused(tpr):
    with pytest.raises(UsageError, match="above 0 and at most 1"):
        threshold_at_tpr([1, 0], [1.0, 0.0], tpr)


@given(rows)
def test_eer_threshold_against_every_distinct_score(pairs):
    labels, scores = unzip(pairs)

    def gap(threshold):
        false_alarms = Fraction(int(np.sum(scores[labels == 0] >= threshold)), int(np.sum(labels == 0)))
        misses = Fraction(int(np.sum(scores[labels == 1] < threshold)), int(np.sum(labels == 1)))
        return abs(false_alarms - misses)

    expected = min(np.unique(scores), key=lambda threshold: (gap(threshold), -threshold))
    assert threshold_at_eer(labels, scores) == expected


def test_eer_threshold_by_hand():
    # both separate at 3: FPR 0, FNR 0
    assert threshold_at_eer([1, 1, 0, 0], [4, 3, 2, 1]) == 3.0
    # at 3 FPR 1/2 and FNR 1/2
    assert threshold_at_eer([1, 0, 1, 0], [4, 3, 2, 1]) == 3.0
    # at 2 FPR 0, FNR 1/2; at 1 FPR 1/2, FNR 0: the higher of two equally good
    assert threshold_at_eer([1, 1, 0, 0], [2, 1, 1, 0]) == 2.0


def test_eer_threshold_of_many_rows_does_not_overflow():
    half = 2**16  # half * half is 0 in 32 bits: the products at the lowest and at the highest score
    labels = np.repeat([1, 0], half)
    scores = np.repeat([1.0, 0.0], [half + 10, half - 10])
    assert threshold_at_eer(labels, scores) == 1.0
    scores[-1] = 2.0
    assert threshold_at_eer(labels, scores) == 1.0


def test_float32_thresholds_meet_their_own_scores():
    labels, scores = np.array([1, 1, 0]), np.array([0.1, 0.7, 0.05], dtype=np.float32)
    threshold = threshold_at_tpr(labels, scores, 1.0)
    assert threshold == float(np.float32(0.1))
    assert true_positive_rate(labels, scores, threshold) == 1.0


@given(rows)
def test_frozen_thresholds(pairs):
    labels, scores = unzip(pairs)
    thresholds = frozen_thresholds(labels, scores)
    assert list(thresholds) == ["tpr:0.9", "eer", "fixed:0.5"]
    assert list(thresholds.values()) == [threshold_at_tpr(labels, scores), threshold_at_eer(labels, scores), FIXED_HALF]
    assert all(type(value) is float for value in thresholds.values())
    assert true_positive_rate(labels, scores, thresholds["tpr:0.9"]) >= 0.9
    assert 0 <= false_positive_rate(labels, scores, thresholds["eer"]) <= 1


def test_fixed_half_is_probability_one_half():
    assert 1 / (1 + np.exp(-FIXED_HALF)) == 0.5


@pytest.mark.parametrize("metric", [threshold_at_tpr, threshold_at_eer, frozen_thresholds])
@pytest.mark.parametrize(
    ("labels", "scores", "error", "message"),
    [
        ([1, 0], [np.nan, 1.0], DataError, "1 NaN"),
        ([1, 0], [np.inf, 1.0], DataError, "1 infinite"),
        ([1, 0, 1], [1.0, 2.0], DataError, "3 labels but 2 scores"),
        ([2, 0], [1.0, 2.0], DataError, "labels must be 0 or 1"),
        ([], [], UndefinedMetricError, "no rows remain"),
        ([0, 0], [1.0, 2.0], UndefinedMetricError, "no positive rows remain"),
    ],
)
def test_input_without_a_threshold_raises(metric, labels, scores, error, message):
    with pytest.raises(error, match=message):
        metric(labels, scores)


@pytest.mark.parametrize("metric", [threshold_at_eer, frozen_thresholds])
def test_eer_needs_negatives(metric):
    with pytest.raises(UndefinedMetricError, match="no negative rows remain"):
        metric([1, 1], [1.0, 2.0])
