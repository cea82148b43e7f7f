from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from asdbench.errors import DataError, UndefinedMetricError
from asdbench.metrics import positive_share, retention, sync_auroc, sync_winrate

pairs = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=60)
finite = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=60)


def unzip(rows):
    clean, changed = zip(*rows, strict=True)
    return np.array(clean, dtype=np.float32), np.array(changed, dtype=np.float32)


@given(finite, st.randoms(use_true_random=False))
def test_equal_arrays_give_exactly_one_half(scores, random):
    shuffled = list(scores)
    random.shuffle(shuffled)
    assert sync_auroc(scores, scores) == 0.5
    assert sync_auroc(scores, shuffled) == 0.5  # pooled: only the two distributions count
    assert sync_winrate(scores, scores) == 0.5


@given(pairs)
def test_swapping_the_arrays_complements(rows):
    clean, changed = unzip(rows)
    assert sync_auroc(clean, changed) + sync_auroc(changed, clean) == pytest.approx(1, abs=1e-15)
    assert sync_winrate(clean, changed) + sync_winrate(changed, clean) == pytest.approx(1, abs=1e-15)


@given(pairs)
def test_auroc_equals_sklearn(rows):
    clean, changed = unzip(rows)
    truth = np.repeat([1, 0], len(rows))
    expected = roc_auc_score(truth, np.concatenate([clean, changed]))
    assert sync_auroc(clean, changed) == pytest.approx(expected, abs=1e-12)


@given(pairs)
def test_auroc_and_winrate_by_brute_force(rows):
    clean, changed = unzip(rows)
    wins = (clean[:, None] > changed) + 0.5 * (clean[:, None] == changed)
    assert sync_auroc(clean, changed) == wins.sum() / wins.size
    assert sync_winrate(clean, changed) == np.diag(wins).sum() / len(wins)


@pytest.mark.parametrize(
    ("clean", "changed", "auroc", "winrate"),
    [
        ([2, 3], [0, 1], 1.0, 1.0),
        ([0, 1], [2, 3], 0.0, 0.0),
        ([2, 1], [1, 0], 7 / 8, 1.0),
        ([10, 1], [9, 0], 3 / 4, 1.0),  # every row falls, which only the paired measure sees whole
        ([1], [1], 0.5, 0.5),
    ],
)
def test_by_hand(clean, changed, auroc, winrate):
    assert sync_auroc(clean, changed) == auroc
    assert sync_winrate(clean, changed) == winrate


@given(pairs, st.integers(-4, 4))
def test_retention_is_the_quotient_of_the_two_shares(rows, threshold):
    clean, changed = unzip(rows)
    same_rows = positive_share(clean, threshold)
    if same_rows < 0.1:
        with pytest.raises(UndefinedMetricError, match="retention needs at least 10%"):
            retention(clean, changed, threshold)
    else:
        value = retention(clean, changed, threshold)
        assert value == pytest.approx(positive_share(changed, threshold) / same_rows, abs=1e-12)
        assert retention(clean, clean, threshold) == 1.0


def test_retention_is_defined_from_exactly_one_tenth():
    clean = np.array([1.0] + [-1.0] * 9)
    assert retention(clean, -clean, 0.0) == 9.0
    with pytest.raises(UndefinedMetricError, match="only 1 of 11 rows"):
        retention(np.append(clean, -1.0), np.zeros(11), 0.5)


def test_input_is_left_as_it_was():
    clean, changed = np.array([2.0, 1.0, 3.0]), np.array([5.0, 4.0, 6.0])
    sync_auroc(clean, changed)
    assert (clean.tolist(), changed.tolist()) == ([2.0, 1.0, 3.0], [5.0, 4.0, 6.0])


def test_many_rows_do_not_overflow():
    rows = 100_000  # 2 * rows ** 2 exceeds 32 bits
    assert sync_auroc(np.ones(rows), np.zeros(rows)) == 1.0
    assert sync_auroc(np.zeros(rows), np.zeros(rows)) == 0.5


@pytest.mark.parametrize("metric", [sync_auroc, sync_winrate, lambda clean, changed: retention(clean, changed, 0.0)])
@pytest.mark.parametrize(
    ("clean", "changed", "error", "message"),
    [
        ([np.nan, 1.0], [1.0, 1.0], DataError, "clean scores hold 1 NaN"),
        ([1.0, 1.0], [1.0, np.inf], DataError, "changed scores hold 0 NaN and 1 infinite values, the first at index 1"),
        ([1.0, 1.0], [1.0], DataError, "2 clean scores but 1 changed scores"),
        ([[1.0]], [[1.0]], DataError, "one dimension"),
        ([], [], UndefinedMetricError, "no rows remain"),
    ],
)
def test_input_without_a_value_raises(metric, clean, changed, error, message):
    with pytest.raises(error, match=message):
        metric(clean, changed)


def test_retention_refuses_a_nan_threshold():
    with pytest.raises(DataError, match="threshold is NaN"):
        retention([1.0], [1.0], np.nan)
