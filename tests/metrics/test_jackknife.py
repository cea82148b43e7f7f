"""Changes, their standard errors and corrected tails, against formulas and other implementations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from asdbench.metrics.holm import holm
from asdbench.metrics.jackknife import Change, LeftOut, change_between, leave_one_out
from asdbench.metrics.student import student_quantile, student_tail


def of_means(values: np.ndarray) -> LeftOut:
    return leave_one_out(lambda weights: {"mean": weights @ values / weights.sum(axis=1)}, len(values))["mean"]


@given(st.integers(5, 200), st.integers(0, 100))
def test_of_a_mean_it_is_the_paired_t_test(count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    old, new = generator.normal(size=(2, count))
    change = change_between(of_means(old), of_means(new), np.full(count, 7))
    assert change.value == pytest.approx(new.mean() - old.mean())
    assert change.error == pytest.approx(stats.sem(new - old))
    assert change.freedom == count - 1
    expected = stats.ttest_rel(new, old)
    assert change.p_value(0.0) == pytest.approx(stats.ttest_1samp(new - old, 0, alternative="less").pvalue)
    assert change.p_value(0.3) == pytest.approx(stats.ttest_1samp(new - old, -0.3, alternative="less").pvalue)
    low, high = expected.confidence_interval(0.9)
    assert (change.end(0.05, -1), change.end(0.05, 1)) == (pytest.approx(low), pytest.approx(high))


def test_less_is_better() -> None:
    old, new = of_means(np.arange(6.0)), of_means(np.arange(6.0)[::-1] ** 2)
    there, back = change_between(old, new, np.ones(6)), change_between(old, new, np.ones(6), -1)
    assert (back.value, back.error) == (-there.value, there.error)
    assert back.p_value(0) == pytest.approx(1 - there.p_value(0))


def test_only_units_with_rows_are_witnesses() -> None:
    values = np.array([0.1, 0.5, 0.3, 0.9, 0.2, 0.0, 0.0])
    rows = np.array([10, 10, 10, 10, 10, 0, 0])
    seen = LeftOut(0.4, np.append(of_means(values[:5]).without, [0.4, 0.4]))
    nothing = LeftOut(0.0, np.zeros(7))
    change = change_between(nothing, seen, rows)
    assert change.error == pytest.approx(stats.sem(values[:5]))
    assert change.freedom == 4
    assert change_between(nothing, seen, np.array([10, 10, 10, 10, 0, 0, 0])).reason.endswith("not 4.")
    uneven = change_between(nothing, seen, np.array([1000, 1, 1, 1, 1, 0, 0]))
    assert uneven.freedom == 1


def test_a_figure_that_hangs_on_one_unit_has_no_error() -> None:
    change = change_between(LeftOut(0.5, np.full(6, 0.5)), LeftOut(0.6, np.array([np.nan, *[0.6] * 5])), np.ones(6))
    assert (change.value, change.error) == (pytest.approx(0.1), None)
    assert change.reason == "the figure has no value without one of the units."
    assert (change.p_value(0), change.end(0.05, 1), change.detectable(0.05, 0)) == (1.0, None, None)


@pytest.mark.parametrize(("value", "margin", "p_value"), [(0.0, 0.0, 1), (-0.1, 0.1, 1), (-0.2, 0.1, 0), (0.1, 0, 1)])
def test_a_change_without_spread_is_certain(value: float, margin: float, p_value: float) -> None:
    change = Change(value, 0.0, 9)
    assert change.p_value(margin) == p_value
    assert change.end(1e-9, -1) == change.end(1e-9, 1) == value
    same = change_between(LeftOut(0.3, np.full(6, 0.1)), LeftOut(0.3, np.full(6, 0.1)), np.ones(6))
    assert (same.value, same.error) == (0.0, 0.0)
    assert np.signbit(same.value) == np.False_


@pytest.mark.parametrize(("freedom", "off"), [(4, 0.08), (10, 0.04), (32, 0.02)])
def test_the_detectable_drop_is_detected_in_80_of_100(freedom: int, off: float) -> None:
    margin, error, tail = 0.01, 0.02, 0.0025
    least = Change(0.0, error, freedom).detectable(tail, margin)
    assert least is not None
    # the share of noncentral t below the critical value
    found = stats.nct.cdf(-stats.t.ppf(1 - tail, freedom), freedom, -(least - margin) / error)
    assert found == pytest.approx(0.8, abs=off)


@given(st.floats(-50, 50), st.integers(1, 60))
def test_the_tail_is_that_of_scipy(t: float, freedom: int) -> None:
    assert student_tail(t, freedom) == pytest.approx(stats.t.cdf(t, freedom), abs=1e-12)


@given(st.floats(0.001, 0.999), st.integers(1, 60))
def test_tail_and_quantile_undo_each_other(share: float, freedom: int) -> None:
    assert student_tail(student_quantile(share, freedom), freedom) == pytest.approx(share, abs=1e-9)


@given(st.lists(st.floats(0, 1), max_size=25), st.sampled_from([0.01, 0.05, 0.2]))
def test_holm_says_the_same_by_p_and_by_tail(p_values: list[float], tail: float) -> None:
    adjusted, tails = holm(p_values, tail)
    found = [p <= own for p, own in zip(p_values, tails, strict=True)]
    assert found == [p <= own for p, own in zip(p_values, expected(p_values, tail), strict=True)]
    near = [abs(a - tail) < 1e-12 for a in adjusted]
    assert all(f == (a <= tail) or n for f, a, n in zip(found, adjusted, near, strict=True))
    assert all(a >= p for a, p in zip(adjusted, p_values, strict=True))
    assert not p_values or min(tails) == pytest.approx(tail / len(p_values))


def expected(p_values: list[float], tail: float) -> list[float]:
    """Step by step, as Holm wrote it."""
    left = dict(enumerate(p_values))
    tails: dict[int, float] = {}
    while left:
        index = min(left, key=lambda each: (left[each], each))
        if left[index] > tail / len(left):
            return [tails.get(each, tail / len(left)) for each in range(len(p_values))]
        tails[index] = tail / len(left)
        del left[index]
    return [tails[each] for each in range(len(p_values))]
