from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.errors import DataError, NotComparableError, UndefinedMetricError, UsageError
from asdbench.metrics.bootstrap import Replicates, Resampling, combine, per_unit, replicate, resampling_of, win_tie_loss
from asdbench.metrics.intervals import Interval, interval, verdict
from asdbench.metrics.student import expanded_tail, student_quantile
from asdbench.metrics.units import Units, resampling_units
from asdbench.metrics.weighted import RankedRows

PINNED = [[1, 0, 0, 1, 1, 3], [0, 0, 2, 2, 0, 2], [0, 2, 0, 1, 2, 1]]


def mean_of(values):
    return lambda weights: float(weights @ values / weights.sum())


def test_the_draws_are_what_they_always_were():
    """Pinned: an interval in a published table must come out again on any machine and with any numpy."""
    assert Resampling(6, "pin", 3).weights.tolist() == PINNED


def test_more_resamples_begin_with_the_same_ones():
    assert np.array_equal(Resampling(9, count=30).weights[:10], Resampling(9, count=10).weights)
    assert not np.array_equal(Resampling(9, "2", 10).weights, Resampling(9, "1", 10).weights)


def test_draws_are_uniform():
    weights = Resampling(20, count=2000).weights
    assert (weights.sum(axis=1) == 20).all()
    assert np.abs(weights.mean(axis=0) - 1).max() < 0.1
    assert (weights == 0).mean() == pytest.approx((1 - 1 / 20) ** 20, abs=0.01)
    assert not weights.flags.writeable


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(-3, 3), st.integers(0, 7)), min_size=8, max_size=60))
def test_identical_runs_differ_by_exactly_0_and_are_not_separable(table):
    label, score, unit = (np.array(column) for column in zip(*table, strict=True))
    label[0], unit[0] = 1, 0
    resampling = Resampling(8, count=50)
    parts = [replicate(RankedRows(label, score, unit, 8).average_precision, resampling) for _ in range(2)]
    difference = combine(np.subtract, *parts)
    assert difference.estimate == 0
    assert np.all((difference.resampled == 0) | np.isnan(difference.resampled))
    found = interval(difference)
    if found.low is not None:
        assert (found.low, found.high) == (0, 0)
        assert verdict(found) == "not separable"


def test_a_clear_difference_is_seen_in_both_directions():
    values = np.linspace(0, 1, 30)
    resampling = Resampling(30)
    low, high = replicate(mean_of(values), resampling), replicate(mean_of(values + 0.05), resampling)
    found = interval(combine(np.subtract, high, low))
    assert found.low == pytest.approx(0.05, abs=1e-12)  # paired: what both share is gone
    assert verdict(found) == "better"
    assert verdict(interval(combine(np.subtract, low, high))) == "worse"


def test_only_the_same_resamples_combine():
    first = replicate(mean_of(np.arange(6.0)), Resampling(6, "1", 20))
    for other in (Resampling(6, "2", 20), Resampling(6, "1", 30)):
        with pytest.raises(NotComparableError, match="same resamples"):
            combine(np.subtract, first, replicate(mean_of(np.arange(6.0)), other))


def test_against_the_textbook_for_a_mean():
    values = np.random.default_rng(5).normal(size=40)
    found = interval(replicate(mean_of(values), Resampling(40, count=20_000)))
    reach = student_quantile(0.975, 39) * values.std(ddof=1) / np.sqrt(40)
    assert found.estimate == pytest.approx(values.mean(), abs=1e-12)
    assert found.high - found.low == pytest.approx(2 * reach, rel=0.03)
    assert (found.bca_low, found.bca_high) == pytest.approx((found.low, found.high), abs=0.1 * reach)
    assert found.status == "ok"


def test_bca_follows_the_skew():
    values = np.random.default_rng(2).exponential(size=40) ** 2
    found = interval(replicate(mean_of(values), Resampling(40, count=5000)))
    assert found.bca_low > found.low
    assert found.bca_high > found.high


def test_bca_against_scipy():
    from scipy.stats import bootstrap, norm

    values = np.random.default_rng(4).gamma(2, size=50)
    level = 0.95
    wide = 1 - 2 * expanded_tail((1 - level) / 2, 50)  # scipy reads its interval at the plain tail
    theirs = bootstrap((values,), np.mean, n_resamples=40_000, confidence_level=wide, rng=np.random.default_rng(1))
    ours = interval(replicate(mean_of(values), Resampling(50, count=40_000)), level)
    expected = theirs.confidence_interval
    assert (ours.bca_low, ours.bca_high) == pytest.approx((expected.low, expected.high), abs=0.03 * values.std())
    assert norm.cdf(student_quantile(0.975, 10**6)) == pytest.approx(0.975, abs=1e-5)


def test_a_monotone_map_of_the_figure_maps_the_interval():
    """What a figure is called, AP or its log, must not change what the interval says."""
    values = np.random.default_rng(8).gamma(2, size=30)
    plain = interval(replicate(mean_of(values), Resampling(30, count=999)))
    mapped = interval(replicate(lambda weights: np.log(mean_of(values)(weights)), Resampling(30, count=999)))
    assert (np.exp(mapped.low), np.exp(mapped.high)) == pytest.approx((plain.low, plain.high), rel=1e-3)


@pytest.mark.parametrize(("units", "status"), [(4, "none"), (5, "indicative"), (19, "indicative"), (20, "ok")])
def test_few_units(units, status):
    found = interval(replicate(mean_of(np.arange(float(units))), Resampling(units)))
    assert found.status == status
    assert (found.low is None) == (status == "none")
    assert ("at least 5 units" in found.reason) == (status == "none")
    assert verdict(found) == (None if status == "none" else "better")


def test_fewer_effective_units_make_wider_intervals():
    units = Units("source", tuple("abcdefgh"), np.repeat(np.arange(8), [90, 1, 1, 1, 1, 1, 1, 1]).astype(np.int32))
    assert units.effective == 1
    assert resampling_of(Units("source", ("a", "b"), np.array([0, 1], np.int32))).effective == 2
    statistic = mean_of(np.arange(8.0))
    even, uneven = (interval(replicate(statistic, Resampling(8, effective=e))) for e in (8, 3))
    assert uneven.high - uneven.low > even.high - even.low


@pytest.mark.parametrize("effective", [1, 2, 3])
def test_the_fewest_effective_units_span_all_resamples(effective):
    """The tail is then too small for a float, which must be no error."""
    replicates = replicate(mean_of(np.arange(6.0) ** 3), Resampling(6, effective=effective))
    found = interval(replicates)
    assert found.low >= replicates.resampled.min()
    if effective < 3:
        assert (found.low, found.high) == (replicates.resampled.min(), replicates.resampled.max())
    if found.bca_low is None:
        assert "outweighs" in found.reason
    else:
        assert found.bca_low <= found.estimate <= found.bca_high


def sometimes_undefined(share):
    def statistic(weights):
        if weights[0] >= share:
            raise UndefinedMetricError("none.")
        return float(weights[1])

    return statistic


def test_undefined_resamples():
    found = interval(replicate(sometimes_undefined(5), Resampling(30)))
    assert 0 < found.undefined < 50
    assert found.low is not None
    found = interval(replicate(sometimes_undefined(2), Resampling(30)))
    assert found.low is None
    assert f"no value in {found.undefined} of 1000 resamples" in found.reason
    with pytest.raises(UndefinedMetricError):
        replicate(sometimes_undefined(1), Resampling(30))


def test_no_bca_where_a_single_unit_carries_the_figure():
    def needs_the_first(weights):
        if weights.sum() < 6:  # as when a unit is left out
            raise UndefinedMetricError("none.")
        return float(weights[0])

    found = interval(replicate(needs_the_first, Resampling(6)))
    assert found.low is not None
    assert found.bca_low is None
    assert "without one of the units" in found.reason


def test_errors_of_the_input_pass_through():
    def broken(weights):
        raise DataError("NaN.")

    with pytest.raises(DataError):
        replicate(broken, Resampling(6))
    with pytest.raises(UsageError, match="between 0 and 1"):
        interval(Replicates(Resampling(6), 0.0, np.zeros(1), np.zeros(6)), 95)


def test_win_tie_loss_over_units():
    new, old = (per_unit(mean_of(np.array(values)), 3) for values in ([1.0, 2.0, 3.0], [1.0, 1.0, 4.0]))
    assert win_tie_loss(new, old) == (1, 1, 1)
    assert np.isnan(per_unit(sometimes_undefined(1), 3)).tolist() == [True, False, False]


def test_verdict_at_the_edge():
    assert verdict(Interval(0.1, 0.0, 0.2, None, None, 30, 0, "ok")) == "not separable"


def test_units_do_not_depend_on_row_order():
    ids = np.array(["b", "a", "c", "a"])
    assert resampling_units(ids).names == ("a", "b", "c")
    assert resampling_units(ids[::-1]).of_row.tolist() == resampling_units(ids).of_row.tolist()[::-1]
    assert resampling_units(ids).kind == "source"


def test_one_source_is_cut_into_blocks_across_all_tracks():
    times = [0, 59_999, 60_000, 10]
    units = resampling_units(["film"] * 4, times)
    assert (units.kind, units.names, units.of_row.tolist()) == ("block", ("film 0", "film 1"), [0, 0, 1, 0])
    units = resampling_units(["film"] * 4, times, ["x", "x", "x", "y"])
    assert units.of_row.tolist() == [0, 0, 1, 2]
    with pytest.raises(DataError, match="give the times"):
        resampling_units(["film"] * 4)
    with pytest.raises(DataError, match="4 rows but 3 times"):
        resampling_units(["film"] * 4, times[:3])
    with pytest.raises(UndefinedMetricError, match="no rows"):
        resampling_units([])


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 32, 99, 3000])
@pytest.mark.parametrize("share", [0.6, 0.975, 0.9995, 0.025])
def test_student_quantile_against_scipy(freedom, share):
    from scipy.stats import t

    assert student_quantile(share, freedom) == pytest.approx(t.ppf(share, freedom), rel=1e-8)


def test_expanded_tail():
    assert expanded_tail(0.025, 33) == pytest.approx(0.0193, abs=1e-4)
    assert expanded_tail(0.025, 10**5) == pytest.approx(0.025, abs=1e-5)
    for tail, units in [(0.5, 9), (0.0, 9), (0.025, 1)]:
        with pytest.raises(UsageError):
            expanded_tail(tail, units)
    with pytest.raises(UsageError):
        student_quantile(1.0, 3)
