"""Curves of precision and recall, and fewer points of them that look the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve

from asdbench.errors import UndefinedMetricError
from asdbench.metrics import average_precision_tie_safe
from asdbench.metrics.precision_recall import precision_recall, thinned

rows = st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3)), min_size=1, max_size=40).filter(
    lambda pairs: any(label for label, _ in pairs)
)


def unzip(pairs):
    labels, scores = zip(*pairs, strict=True)
    return np.array(labels), np.array(scores, dtype=np.float32)


def skilled(count: int, skill: float, seed: int = 0, digits: int = 6):
    generator = np.random.default_rng(seed)
    labels = (generator.random(count) < 0.3).astype(np.int8)
    return labels, np.round(generator.normal(size=count) + skill * labels, digits)


def distance(curve, thin) -> float:
    """How far the lines through the thinned points are from the staircase, on either side of each jump."""
    x, y = curve.staircase
    worst = 0.0
    for recall, precision in zip(x, y, strict=True):
        at = np.flatnonzero(thin.x == recall)
        if len(at):  # at a jump the line covers all that lies between
            low, high = thin.y[at].min(), thin.y[at].max()
            worst = max(worst, low - precision, precision - high)
        else:
            worst = max(worst, abs(precision - np.interp(recall, thin.x, thin.y)))
    return worst


@given(rows)
def test_points_are_those_of_scikit_learn(pairs):
    labels, scores = unzip(pairs)
    found = precision_recall(labels, scores)
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    assert found.score.tolist() == thresholds[::-1].tolist()
    np.testing.assert_allclose(found.precision, precision[:-1][::-1])
    np.testing.assert_allclose(found.recall, recall[:-1][::-1])


@given(rows)
def test_the_area_of_the_staircase_is_ap(pairs):
    labels, scores = unzip(pairs)
    x, y = precision_recall(labels, scores).staircase
    assert np.all(np.diff(x) >= 0)
    assert np.all(np.diff(y) <= 0)
    assert (x[0], x[-1]) == (0, 1)
    area = float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))
    assert area == pytest.approx(average_precision_tie_safe(labels, scores))


def test_without_positives_there_is_no_curve():
    with pytest.raises(UndefinedMetricError):
        precision_recall([0, 0], [1.0, 2.0])


@pytest.mark.parametrize("skill", [0.0, 0.5, 1.5, 3.0, 5.0])
@pytest.mark.parametrize("count", [50, 2_000, 60_000])
def test_few_points_look_the_same(count: int, skill: float):
    curve = precision_recall(*skilled(count, skill))
    thin = thinned(*curve.staircase)
    assert len(thin.x) <= 300
    assert thin.error < 1e-3
    assert distance(curve, thin) == pytest.approx(thin.error, abs=1e-12)
    again = precision_recall(*skilled(count, skill, digits=1))
    assert thinned(*again.staircase).error < 1e-3


def test_a_curve_of_too_many_steps_says_how_far_it_is_off():
    x = np.repeat(np.linspace(0, 1, 501), 2)[1:-1]
    y = np.repeat(np.linspace(1, 0, 500) ** 2, 2)
    thin = thinned(x, y, 100)
    assert 50 < len(thin.x) <= 100
    assert 1e-3 < thin.error < 0.05


def test_two_points_are_left_as_they_are():
    thin = thinned([0.0, 1.0], [1.0, 1.0])
    assert (thin.x.tolist(), thin.y.tolist(), thin.error) == ([0.0, 1.0], [1.0, 1.0], 0.0)


@given(rows)
def test_ends_are_kept_and_nothing_is_invented(pairs):
    x, y = precision_recall(*unzip(pairs)).staircase
    thin = thinned(x, y, 5)
    assert (thin.x[0], thin.y[0], thin.x[-1], thin.y[-1]) == (x[0], y[0], x[-1], y[-1])
    assert set(zip(thin.x, thin.y, strict=True)) <= set(zip(x, y, strict=True))
