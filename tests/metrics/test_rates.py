from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.errors import DataError, UndefinedMetricError
from asdbench.metrics import false_positive_rate, positive_share, true_positive_rate

rows = st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3)), min_size=2, max_size=40).filter(
    lambda pairs: {label for label, _ in pairs} == {0, 1}
)


def test_by_hand():
    labels, scores = [1, 1, 1, 0, 0, 0, 0], [2.0, 0.0, -1.0, 3.0, -1.0, -2.0, -3.0]
    assert true_positive_rate(labels, scores, 0.0) == 2 / 3  # a score at the threshold counts
    assert false_positive_rate(labels, scores, 0.0) == 1 / 4
    assert positive_share(scores, 0.0) == 3 / 7


@given(rows, st.integers(-4, 4))
def test_the_share_of_all_rows_is_the_mix_of_both_rates(pairs, threshold):
    labels, scores = (np.array(column) for column in zip(*pairs, strict=True))
    rates = true_positive_rate(labels, scores, threshold), false_positive_rate(labels, scores, threshold)
    base_rate = labels.mean()
    mix = base_rate * rates[0] + (1 - base_rate) * rates[1]
    assert positive_share(scores, threshold) == pytest.approx(mix, abs=1e-12)


def test_infinite_thresholds_mean_all_or_nothing():
    assert positive_share([1.0, 2.0], -np.inf) == 1.0
    assert positive_share([1.0, 2.0], np.inf) == 0.0


def test_one_class_is_enough_for_its_own_rate():
    assert true_positive_rate([1, 1], [1.0, -1.0], 0.0) == 0.5
    assert false_positive_rate([0, 0], [1.0, -1.0], 0.0) == 0.5


@pytest.mark.parametrize("rate", [true_positive_rate, false_positive_rate])
@pytest.mark.parametrize(
    ("labels", "scores", "threshold", "error", "message"),
    [
        ([1, 0], [np.nan, 1.0], 0.0, DataError, "1 NaN"),
        ([1, 0], [1.0, -np.inf], 0.0, DataError, "1 infinite"),
        ([1, 0], [1.0], 0.0, DataError, "2 labels but 1 scores"),
        ([1, 3], [1.0, 2.0], 0.0, DataError, "labels must be 0 or 1"),
        ([1, 0], [1.0, 2.0], np.nan, DataError, "threshold is NaN"),
        ([], [], 0.0, UndefinedMetricError, "no rows remain"),
    ],
)
def test_input_without_a_rate_raises(rate, labels, scores, threshold, error, message):
    with pytest.raises(error, match=message):
        rate(labels, scores, threshold)


def test_the_missing_class_is_named():
    with pytest.raises(UndefinedMetricError, match="no positive rows remain"):
        true_positive_rate([0, 0], [1.0, 2.0], 0.0)
    with pytest.raises(UndefinedMetricError, match="no negative rows remain"):
        false_positive_rate([1, 1], [1.0, 2.0], 0.0)


def test_positive_share_checks_its_input():
    with pytest.raises(UndefinedMetricError, match="no rows remain"):
        positive_share([], 0.0)
    with pytest.raises(DataError, match="1 NaN"):
        positive_share([np.nan], 0.0)
    with pytest.raises(DataError, match="threshold is NaN"):
        positive_share([1.0], np.nan)
