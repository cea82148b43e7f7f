from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.errors import DataError, UndefinedMetricError
from asdbench.metrics import (
    average_precision,
    average_precision_step,
    average_precision_tie_bounds,
    is_constant,
    tied_share,
)
from asdbench.protocols import frame_ap as module
from asdbench.protocols.ego4d_ava import ego4d_ava
from asdbench.protocols.frame_ap import frame_ap, frame_ap_or_reason

tables = st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3)), min_size=1, max_size=40).filter(
    lambda rows: any(label for label, _ in rows)
)


def columns(table):
    labels, scores = zip(*table, strict=True)
    return np.array(labels), np.array(scores, dtype=np.float64)


@given(tables)
def test_one_sort_gives_what_the_metrics_give_one_by_one(table):
    labels, scores = columns(table)
    found = frame_ap(labels, scores)
    assert (found.ava, found.ava_best) == pytest.approx(average_precision_tie_bounds(labels, scores), abs=1e-12)
    assert found.ap == pytest.approx(average_precision_step(labels, scores), abs=1e-12)
    assert (found.tied_share, found.constant) == (tied_share(scores), is_constant(scores))
    in_row_order = average_precision(labels, scores)
    assert found.ava - 1e-12 <= in_row_order <= found.ava_best + 1e-12


@given(tables, st.randoms(use_true_random=False))
def test_neither_row_order_nor_a_monotone_map_changes_anything(table, random):
    found = frame_ap(*columns(table))
    random.shuffle(table)
    labels, scores = columns(table)
    for other in (frame_ap(labels, scores), frame_ap(labels, np.exp(scores) * 5 - 2)):
        assert other.ava == pytest.approx(found.ava, abs=1e-12)
        assert other.ap == pytest.approx(found.ap, abs=1e-12)
        assert other.ava_best == pytest.approx(found.ava_best, abs=1e-12)


@given(st.lists(st.integers(0, 1), min_size=1, max_size=40).filter(any), st.randoms(use_true_random=False))
def test_without_ties_the_bounds_meet(labels, random):
    scores = list(range(len(labels)))
    random.shuffle(scores)
    found = frame_ap(labels, scores)
    assert found.ava == found.ava_best
    assert found.ap <= found.ava + 1e-15


def test_a_constant_score_is_flagged_and_gives_the_base_rate():
    found = frame_ap([1, 0, 0, 0], [2.0] * 4)
    assert (found.constant, found.ava, found.ap, found.ava_best, found.base_rate) == (True, 0.25, 0.25, 1.0, 0.25)
    assert not frame_ap([1, 0], [2.0, 1.0]).constant


@pytest.mark.parametrize("rule", [frame_ap, ego4d_ava])
@pytest.mark.parametrize(
    ("labels", "scores", "error", "message"),
    [
        ([1, 0], [np.nan, 0.0], DataError, "1 NaN"),
        ([1, 0], [np.inf, 0.0], DataError, "1 infinite"),
        ([1, 2], [0.0, 1.0], DataError, "labels must be 0 or 1"),
        ([], [], UndefinedMetricError, "no rows"),
        ([0], [0.0], UndefinedMetricError, "no positive rows"),
    ],
)
def test_input_without_a_value_raises(rule, labels, scores, error, message):
    with pytest.raises(error, match=message):
        rule(labels, scores)


def test_every_number_carries_its_protocols_name():
    assert ego4d_ava([1], [0.0]).protocol == "ego4d-ava"
    assert frame_ap([1], [0.0]).protocol == "ava"
    assert frame_ap_or_reason([1], [0.0], "wasd OC").protocol == "wasd OC"
    with pytest.raises(DataError):
        frame_ap_or_reason([1], [np.nan], "wasd OC")
    assert module.__doc__
