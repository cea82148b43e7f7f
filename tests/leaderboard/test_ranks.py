"""Which figures can be told apart, all pairs at once."""

from __future__ import annotations

import numpy as np
import pytest

from asdbench.leaderboard.ranks import rank
from asdbench.metrics.bootstrap import Replicates, Resampling

DRAWS = Resampling(30, count=400)


def made(value: float, spread: float = 0.01, seed: int = 0, draws: Resampling = DRAWS) -> Replicates:
    values = value + spread * np.random.default_rng(seed).normal(size=draws.count)
    return Replicates(draws, value, values, np.full(draws.units, np.nan))


def test_far_apart_is_told_apart_and_near_is_not() -> None:
    figures = [made(0.9, seed=1), made(0.5, seed=2), made(0.501, seed=3)]
    found = rank(figures, higher=True)
    assert found.intervals == ((1, 1), (2, 3), (2, 3))
    assert rank(figures, higher=False).intervals == ((3, 3), (1, 2), (1, 2))
    assert [pair.separable for pair in found.pairs] == [True, True, False]


def test_what_is_hard_for_all_drops_out() -> None:
    hard = np.random.default_rng(5).normal(size=DRAWS.count) * 0.2
    pairs = [made(0.9, 0.005, 1), made(0.85, 0.005, 2)]
    shared = [Replicates(DRAWS, each.estimate, each.resampled + hard, each.left_out) for each in pairs]
    assert rank(shared, higher=True).intervals == ((1, 1), (2, 2))
    apart = [pairs[0], Replicates(DRAWS, 0.85, pairs[1].resampled + hard, pairs[1].left_out)]
    assert rank(apart, higher=True).intervals == ((1, 2), (1, 2))


def test_more_pairs_need_more() -> None:
    two = rank([made(0.52, seed=1), made(0.5, 0.001, seed=2)], higher=True).pairs[0]
    many = rank([made(0.52, seed=1), *(made(0.5, seed=seed) for seed in range(2, 10))], higher=True).pairs[0]
    assert two.all_low is not None
    assert many.all_low is not None
    assert many.low is not None
    assert many.all_low < two.all_low
    assert many.all_low < many.low  # all pairs together claim less than one alone
    assert many.low < many.difference


def test_one_pair_alone_needs_what_compare_needs() -> None:
    pair = rank([made(0.52, seed=1), made(0.5, seed=2)], higher=True).pairs[0]
    ends = (pair.low, pair.high, pair.all_low, pair.all_high)
    low, high, all_low, all_high = (0.0 if end is None else end for end in ends)
    assert all_low == pytest.approx(low, abs=0.004)
    assert all_high == pytest.approx(high, abs=0.004)


def test_equal_figures_are_one_rank() -> None:
    same = made(0.7)
    assert rank([same, same], higher=True).intervals == ((1, 2), (1, 2))
    shifted = Replicates(DRAWS, 0.6, same.resampled - 0.1, same.left_out)
    assert rank([same, shifted], higher=True).intervals == ((1, 1), (2, 2))


def test_what_has_no_value_has_no_rank() -> None:
    found = rank([made(0.9), None, made(0.1, seed=1)], higher=True)
    assert found.intervals == ((1, 1), None, (2, 2))
    assert [(pair.first, pair.second) for pair in found.pairs] == [(0, 2)]


def test_often_undefined_is_not_told_apart() -> None:
    often = made(0.1, seed=1)
    often.resampled[:100] = np.nan
    found = rank([made(0.9), often], higher=True)
    assert found.pairs[0].separable is None
    assert found.intervals == ((1, 2), (1, 2))


@pytest.mark.parametrize(("units", "count"), [(4, 100), (30, 0)])
def test_too_few_units_leave_all_ranks_open(units: int, count: int) -> None:
    draws = Resampling(units, count=count)
    found = rank([made(0.9, draws=draws), made(0.1, draws=draws)], higher=True)
    assert found.intervals == ((1, 2), (1, 2))
    assert found.reason
    assert rank([None], higher=True).intervals == (None,)


def test_false_claims_are_rare_when_nothing_differs() -> None:
    """Six equal models, 33 recordings of uneven size: in how many of 200 worlds is any pair called separable."""
    random = np.random.default_rng(7)
    size = random.integers(5, 60, 33)
    effective = int(size.sum()) ** 2 // int((size**2).sum())
    draws = Resampling(33, count=300, effective=effective)
    false = 0
    for _ in range(200):
        hardness = random.normal(size=33)
        sums = [size * (hardness + random.normal(size=33)) for _ in range(6)]
        total = draws.weights @ size
        figures = [
            Replicates(draws, float(each.sum() / size.sum()), draws.weights @ each / total, np.full(33, np.nan))
            for each in sums
        ]
        false += any(pair.separable for pair in rank(figures, higher=True).pairs)
    assert false <= 20  # 5 % would be 10; three standard deviations of luck above that are 19
