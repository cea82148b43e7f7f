from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from asdbench.errors import DataError, UndefinedMetricError
from asdbench.metrics import (
    average_precision,
    average_precision_tie_bounds,
    average_precision_tie_safe,
    rescaled_ap,
    tied_share,
)

ALL = [average_precision, average_precision_tie_bounds, average_precision_tie_safe]

# few distinct scores: most examples have ties
rows = st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3)), min_size=1, max_size=40).filter(
    lambda pairs: any(label for label, _ in pairs)
)


def unzip(pairs):
    labels, scores = zip(*pairs, strict=True)
    return np.array(labels), np.array(scores, dtype=np.float32)


def textbook_ap(ranked_labels):
    """Rows in rank order -> AP as the official scorer writes it down: points, sentinels, envelope, sum of steps."""
    positives = np.cumsum(ranked_labels)
    precision = [0.0, *(positives / np.arange(1, len(ranked_labels) + 1)), 0.0]
    recall = [0.0, *(positives / positives[-1]), 1.0]
    for i in range(len(precision) - 2, -1, -1):
        precision[i] = max(precision[i], precision[i + 1])
    return sum((recall[i] - recall[i - 1]) * precision[i] for i in range(1, len(recall)))


@pytest.mark.parametrize(
    ("labels", "scores", "expected"),
    [
        ([1, 0, 1], [0.9, 0.6, 0.4], 5 / 6),
        ([1, 1, 0, 0], [4, 3, 2, 1], 1.0),
        ([0, 0, 0, 1], [4, 3, 2, 1], 1 / 4),
        ([0, 1, 1], [3, 2, 1], 2 / 3),  # the envelope lifts the first positive from 1/2 to 2/3
        ([1], [0.0], 1.0),
        ([1, 1], [0.0, 0.0], 1.0),
        ([0, 1, 0, 1], [0.0, 0.0, 0.0, 0.0], 1 / 2),  # ties keep the order given
        ([1, 0, 1, 0], [-0.0, 0.0, -0.0, 0.0], 1 / 2 * 1 + 1 / 2 * 2 / 3),  # -0.0 ties with 0.0
    ],
)
def test_hand_computed(labels, scores, expected):
    assert average_precision(labels, scores) == pytest.approx(expected, abs=1e-15)


@given(rows)
def test_equals_the_textbook_form_of_the_official_rule(pairs):
    labels, scores = unzip(pairs)
    ranked = labels[np.argsort(-scores, kind="stable")]
    assert average_precision(labels, scores) == pytest.approx(textbook_ap(ranked), abs=1e-12)


@given(rows)
def test_a_monotone_map_that_keeps_ties_changes_nothing(pairs):
    labels, scores = unzip(pairs)
    mapped = np.exp(scores.astype(np.float64)) * 100 - 7
    for metric in ALL:
        assert metric(labels, scores) == metric(labels, mapped)


@given(rows)
def test_bounds_hold_exactly_and_the_worst_is_tie_safe(pairs):
    labels, scores = unzip(pairs)
    worst, best = average_precision_tie_bounds(labels, scores)
    assert worst <= average_precision(labels, scores) <= best
    assert worst == average_precision_tie_safe(labels, scores)


@given(rows)
def test_bounds_are_reached_by_the_two_extreme_orders(pairs):
    labels, scores = unzip(pairs)
    worst, best = average_precision_tie_bounds(labels, scores)
    positives_last, positives_first = np.argsort(labels), np.argsort(-labels)
    assert average_precision(labels[positives_last], scores[positives_last]) == worst
    assert average_precision(labels[positives_first], scores[positives_first]) == best


@given(rows.filter(lambda pairs: len(pairs) <= 5))
def test_bounds_against_every_order_of_the_rows(pairs):
    values = [average_precision(*unzip(order)) for order in permutations(pairs)]
    assert average_precision_tie_bounds(*unzip(pairs)) == (min(values), max(values))


@given(rows, st.randoms(use_true_random=False))
def test_bounds_do_not_depend_on_row_order(pairs, random):
    labels, scores = unzip(pairs)
    expected = average_precision_tie_bounds(labels, scores)
    random.shuffle(pairs)
    assert average_precision_tie_bounds(*unzip(pairs)) == expected


@given(rows)
def test_the_worst_order_is_never_below_sklearn(pairs):
    labels, scores = unzip(pairs)
    assert average_precision_score(labels, scores) <= average_precision_tie_safe(labels, scores) + 1e-12


@given(st.lists(st.integers(0, 1), min_size=1, max_size=50).filter(any), st.randoms(use_true_random=False))
def test_without_ties_all_agree_and_none_is_below_sklearn(labels, random):
    scores = list(range(len(labels)))
    random.shuffle(scores)
    ap = average_precision(labels, scores)
    assert average_precision_tie_bounds(labels, scores) == (ap, ap)
    assert average_precision_score(labels, scores) <= ap + 1e-12


@given(st.lists(st.integers(0, 1), min_size=1, max_size=50).filter(any), st.floats(-1e300, 1e300))
def test_constant_scores_give_the_base_rate(labels, score):
    scores = np.full(len(labels), score)
    assert average_precision_tie_safe(labels, scores) == pytest.approx(np.mean(labels), abs=1e-15)
    assert average_precision_tie_bounds(labels, scores)[1] == 1.0
    assert tied_share(scores) == (len(labels) > 1)


def test_many_rows_against_the_textbook_form():
    generator = np.random.default_rng(3)
    labels = generator.integers(0, 2, 50_000)
    scores = (generator.normal(size=50_000) + labels).astype(np.float16)
    assert tied_share(scores) > 0.5
    ranked = labels[np.argsort(-scores, kind="stable")]
    assert average_precision(labels, scores) == pytest.approx(textbook_ap(ranked), abs=1e-12)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [([1], 0.0), ([1, 1], 1.0), ([1, 2, 1, 3], 0.5), ([0.0, -0.0], 1.0), ([3, 3, 3, 1, 2, 2, 0, 4], 5 / 8)],
)
def test_tied_share(scores, expected):
    assert tied_share(scores) == expected


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize(
    ("labels", "scores", "error", "message"),
    [
        ([1, 0, 1], [0.1, np.nan, np.nan], DataError, "2 NaN and 0 infinite values, the first at index 1"),
        ([1, 0, 1], [0.1, 0.2, -np.inf], DataError, "0 NaN and 1 infinite values, the first at index 2"),
        ([1, 0], [0.1], DataError, "2 labels but 1 scores"),
        ([1], [], DataError, "1 labels but 0 scores"),
        ([1, -1], [0.1, 0.2], DataError, r"the first \(-1\) at index 1"),
        ([1, np.nan], [0.1, 0.2], DataError, r"labels must be 0 or 1"),
        ([[1, 0]], [[0.1, 0.2]], DataError, r"one dimension, but their shape is \(1, 2\)"),
        ([1, 0], [[0.1], [0.2, 0.3]], DataError, "not a one-dimensional array"),
        ([1, 0], ["a", "b"], DataError, "real numbers"),
        ([], [], UndefinedMetricError, "no rows remain"),
        ([0, 0], [0.1, 0.2], UndefinedMetricError, "no positive rows remain"),
    ],
)
def test_input_without_a_value_raises(metric, labels, scores, error, message):
    with pytest.raises(error, match=message):
        metric(labels, scores)


def test_tied_share_checks_its_scores():
    with pytest.raises(DataError, match="1 NaN"):
        tied_share([np.nan])
    with pytest.raises(UndefinedMetricError, match="no rows"):
        tied_share([])


def test_all_positive_is_1_as_in_the_official_scorer():
    assert [metric([1, 1], [0.1, 0.2]) for metric in ALL] == [1.0, (1.0, 1.0), 1.0]


def test_input_is_left_as_it_was():
    labels, scores = np.array([0, 1, 1]), np.array([1.0, 3.0, 2.0])
    for metric in ALL:
        metric(labels, scores)
    tied_share(scores)
    assert labels.tolist() == [0, 1, 1]
    assert scores.tolist() == [1.0, 3.0, 2.0]


@given(st.floats(0, 1), st.floats(0, 0.99))
def test_rescaled_ap(ap, base_rate):
    assert rescaled_ap(1.0, base_rate) == 1.0
    assert rescaled_ap(base_rate, base_rate) == 0.0
    assert rescaled_ap(ap, base_rate) <= 1.0


def test_rescaled_ap_without_a_value():
    with pytest.raises(UndefinedMetricError, match="no negative rows remain"):
        rescaled_ap(1.0, 1.0)
    for ap, base_rate in [(np.nan, 0.5), (0.5, np.nan), (98.7, 0.5), (0.5, -0.1)]:
        with pytest.raises(DataError, match=r"must lie in \[0, 1\]"):
            rescaled_ap(ap, base_rate)
