"""Verdicts: intervals over seeds against thresholds."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.claims.claim import Bound, Statistic
from asdbench.claims.verdict import holds, judge, lies_there, paired, spread, t_interval

SIDES = ("at_least", "at_most", "above", "below")
NUMBERS = st.floats(-1, 1)


def bound(side: str, threshold: float) -> Bound:
    given: dict[str, Any] = {side: threshold}
    return Bound(**given)


def test_interval_by_hand() -> None:
    # Mean 0.3, s = 0.1581, t(4) = 2.776: reach 0.1963 (table of Student's t).
    low, high = t_interval([0.1, 0.2, 0.3, 0.4, 0.5])
    assert (low, high) == pytest.approx((0.3 - 0.19632, 0.3 + 0.19632), abs=1e-4)
    assert t_interval([0.5, 0.5]) == (0.5, 0.5)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    draws = np.random.default_rng(5).normal(0.2, 1, (4000, 5))
    ends = np.array([t_interval(list(row)) for row in draws])
    assert np.mean((ends[:, 0] <= 0.2) & (ends[:, 1] >= 0.2)) == pytest.approx(0.95, abs=0.012)


ROWS = [
    # values of three seeds (half width 4.3027 s / sqrt(3)), bound, verdict
    ((0.80, 0.80, 0.80), ("at_least", 0.7), "reproduced"),
    ((0.60, 0.60, 0.60), ("at_least", 0.7), "not reproduced"),
    ((0.60, 0.70, 0.80), ("at_least", 0.7), "not separable"),
    ((0.70, 0.70, 0.70), ("at_least", 0.7), "reproduced"),
    ((0.70, 0.70, 0.70), ("at_most", 0.7), "reproduced"),
    ((0.70, 0.70, 0.70), ("above", 0.7), "not reproduced"),
    ((0.70, 0.70, 0.70), ("below", 0.7), "not reproduced"),
    ((-0.2, -0.2, -0.2), ("below", 0.0), "reproduced"),
    ((0.2, 0.2, 0.2), ("below", 0.0), "not reproduced"),
    ((0.2, 0.0, -0.2), ("below", 0.0), "not separable"),
    ((-0.005, -0.006, -0.004), ("at_least", -0.01), "reproduced"),
    ((-0.02, -0.021, -0.019), ("at_least", -0.01), "not reproduced"),
    ((-0.001, -0.02, 0.01), ("at_least", -0.01), "not separable"),
]


@pytest.mark.parametrize(("values", "side", "verdict"), ROWS)
def test_truth_table(values: tuple[float, ...], side: tuple[str, float], verdict: str) -> None:
    assert judge(spread(dict(enumerate(values))), bound(*side))[0] == verdict


@pytest.mark.parametrize("seeds", [0, 1, 2])
def test_fewer_than_three_seeds_give_no_verdict(seeds: int) -> None:
    found = spread(dict.fromkeys(range(seeds), 0.9), {9: "x.demo is not measured"})
    verdict, reason = judge(found, bound("at_least", 0.7))
    assert (verdict, reason) == (
        "not separable",
        f"{seeds} paired seeds where 3 are the least (x.demo is not measured)",
    )


@given(st.lists(NUMBERS, min_size=3, max_size=9), st.sampled_from(SIDES), NUMBERS)
def test_a_verdict_says_where_the_whole_interval_lies(values: list[float], side: str, threshold: float) -> None:
    found, wanted = spread(dict(enumerate(values))), bound(side, threshold)
    assert found.low is not None
    assert found.high is not None
    inside = [holds(point, wanted) for point in np.linspace(found.low, found.high, 7)]
    expected = "reproduced" if all(inside) else "not separable" if any(inside) else "not reproduced"
    assert judge(found, wanted)[0] == expected


@given(st.lists(NUMBERS, min_size=3, max_size=9), st.sampled_from(SIDES), NUMBERS)
def test_the_opposite_claim_gets_the_opposite_verdict(values: list[float], side: str, threshold: float) -> None:
    opposite = {"at_least": "below", "below": "at_least", "at_most": "above", "above": "at_most"}
    turned = {"reproduced": "not reproduced", "not reproduced": "reproduced", "not separable": "not separable"}
    found = spread(dict(enumerate(values)))
    verdict = judge(found, bound(side, threshold))[0]
    assert judge(found, bound(opposite[side], threshold))[0] == turned[verdict]


@given(st.lists(NUMBERS, min_size=3, max_size=9), st.sampled_from(SIDES), NUMBERS)
def test_mirrored_numbers_give_mirrored_verdicts(values: list[float], side: str, threshold: float) -> None:
    mirror = {"at_least": "at_most", "at_most": "at_least", "above": "below", "below": "above"}
    there = judge(spread(dict(enumerate(values))), bound(side, threshold))[0]
    back = judge(spread({seed: -value for seed, value in enumerate(values)}), bound(mirror[side], -threshold))[0]
    assert there == back


PLAIN = {1: 0.9, 2: 1.0, 3: 0.8, 4: 0.9}
FULL = {1: 0.5, 2: 0.4, 3: 0.4, 4: 0.5}


def statistic(kind: str, **more: Any) -> Statistic:
    return Statistic(kind=kind, quantity="clean.ap", bound=Bound(below=0), **more)  # type: ignore[arg-type]


def test_arms_are_paired_by_seed() -> None:
    found = paired({"x": FULL, "y": PLAIN}, statistic("drop", arm="x", against="y").weights, [1, 2, 3])
    assert found.by_seed == pytest.approx({1: 0.4, 2: 0.6, 3: 0.4})
    assert found.mean == pytest.approx(1.4 / 3)
    rise = paired({"x": FULL, "y": PLAIN}, statistic("rise", arm="x", against="y").weights, [1, 2, 3])
    assert rise.by_seed == pytest.approx({1: -0.4, 2: -0.6, 3: -0.4})


def test_a_seed_that_lacks_an_arm_is_left_out_with_its_reason() -> None:
    figures = {"x": {1: 0.5, 2: {"undefined": "too few rows."}}, "y": PLAIN}
    found = paired(figures, {"x": 1.0, "y": -1.0}, [1, 2, 3])
    assert list(found.by_seed) == [1]
    assert found.missing == {2: "x: too few rows.", 3: "x is not measured"}


@given(NUMBERS, NUMBERS, NUMBERS, st.floats(0, 1))
def test_part_is_below_0_exactly_where_less_than_the_share_is_left(
    plain: float, full: float, arm: float, share: float
) -> None:
    weights = statistic("part", arm="x", against="y", full="z", share=share).weights
    found = paired({"x": {1: arm}, "y": {1: plain}, "z": {1: full}}, weights, [1]).by_seed[1]
    assert math.isclose(found, (plain - arm) - share * (plain - full), abs_tol=1e-12)


def test_requirements_by_mean_and_by_interval() -> None:
    each = Statistic(kind="level", arm="x", quantity="clean.ap", bound=Bound(above=0))
    wide, narrow = spread({1: 0.5, 2: 0.01, 3: -0.3}), spread({1: 0.2, 2: 0.21, 3: 0.19})
    assert [lies_there(wide, each, by) for by in ("mean", "interval")] == [True, False]  # type: ignore[arg-type]
    assert [lies_there(narrow, each, by) for by in ("mean", "interval")] == [True, True]  # type: ignore[arg-type]
    assert [lies_there(spread({}), each, by) for by in ("mean", "interval")] == [False, False]  # type: ignore[arg-type]
