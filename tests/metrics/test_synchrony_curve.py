from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.errors import DataError, UndefinedMetricError
from asdbench.metrics.bootstrap import Resampling
from asdbench.metrics.synchrony_curve import (
    SynchronyCurve,
    UnitSums,
    choose_reach,
    floor_offsets,
    rows_in_reach,
    synchrony_curve,
)
from asdbench.metrics.synchrony_peak import effective_units, find_peak, peak_interval

GRID = np.array([-1000, -800, -600, -400, -200, -120, -80, -40, 0, 40, 80, 120, 200, 400, 600, 800, 1000.0])
UNITS = 25
NINE = np.full(len(GRID), 9)


def rows_of(shape, noise, seed=0, rows=500):
    """Scores [K, rows] around a curve, with a source effect that depends smoothly on the offset."""
    generator = np.random.default_rng(seed)
    units = np.sort(generator.integers(0, UNITS, rows))
    own = generator.normal(size=(UNITS, 1)) + generator.normal(size=(UNITS, len(GRID))) * 0.3
    table = shape[:, None] + noise * (own[units].T + generator.normal(size=(len(GRID), rows)))
    return table, units


@given(st.floats(-30, 30), st.floats(0.1, 5))
def test_the_top_of_a_parabola_is_found_exactly(place, height):
    values = height - ((GRID - place) / 500) ** 2
    peak = find_peak(SynchronyCurve(GRID, values, NINE))
    assert peak.offset_ms == pytest.approx(place, abs=1e-6)
    assert peak.value == pytest.approx(height, abs=1e-9)


def test_widths_and_floor_of_a_lopsided_triangle():
    values = np.where(GRID <= 0, np.maximum(1 + GRID / 200, 0), np.maximum(1 - GRID / 400, 0)) * 4 + 1
    peak = find_peak(SynchronyCurve(GRID, values, NINE))
    assert peak.floor == 1
    assert peak.grid_offset_ms == 0
    half = (peak.value + 1) / 2
    assert peak.half_width_early_ms == pytest.approx(peak.offset_ms + (5 - half) / 4 * 200, abs=1e-9)
    assert peak.half_width_late_ms == pytest.approx((5 - half) / 4 * 400 - peak.offset_ms, abs=1e-9)
    assert peak.height == peak.value - peak.floor


def test_a_peak_at_the_edge_of_the_grid_is_not_extrapolated():
    peak = find_peak(SynchronyCurve(GRID, GRID / 1000, NINE))
    assert (peak.offset_ms, peak.value) == (1000, 1)
    assert peak.half_width_late_ms is None
    flat = find_peak(SynchronyCurve(GRID, np.zeros(len(GRID)), NINE))
    assert flat.height == 0
    assert (flat.half_width_early_ms, flat.half_width_late_ms) == (None, None)


def test_a_short_grid_takes_its_ends_as_floor():
    assert floor_offsets(GRID).sum() == 6
    assert floor_offsets(np.array([-400.0, -200, 0, 200, 400])).tolist() == [True, False, False, False, True]


def test_a_real_peak_is_a_peak():
    table, units = rows_of(2 * np.exp(-((GRID / 120) ** 2)), 1.0)
    found = peak_interval(UnitSums(GRID, table, units, UNITS), Resampling(UNITS, count=300))
    assert found.is_peak
    assert found.low > 1
    assert find_peak(synchrony_curve(GRID, table)).offset_ms == pytest.approx(0, abs=40)


def test_noise_is_rarely_a_peak():
    """The highest of 17 points of a flat curve lies above its floor in every data set; it must not pass for a peak."""
    calls = 0
    for seed in range(60):
        table, units = rows_of(np.zeros(len(GRID)), 1.0, seed, rows=200)
        found = peak_interval(UnitSums(GRID, table, units, UNITS), Resampling(UNITS, str(seed), 100))
        assert found.height > 0
        calls += bool(found.is_peak)
    assert calls <= 6  # 2.5 % of 60 is 1.5


def test_the_level_of_a_source_does_not_widen_the_interval():
    """Peak and floor are of the same rows, so what shifts a source's whole curve drops out."""
    table, units = rows_of(2 * np.exp(-((GRID / 120) ** 2)), 0.3)
    louder = table + 10 * np.random.default_rng(9).normal(size=UNITS)[units]
    draws = Resampling(UNITS, count=200)
    plain, moved = (peak_interval(UnitSums(GRID, scores, units, UNITS), draws) for scores in (table, louder))
    assert moved.high - moved.low < 3 * (plain.high - plain.low)
    assert moved.is_peak


def test_few_units_with_rows_give_no_interval():
    """A run of 25 recordings, 3 of which are long enough for the curve: those 3 are its only witnesses."""
    found = peak_interval(UnitSums(GRID, np.zeros((len(GRID), 3)), [0, 1, 2], UNITS), Resampling(UNITS))
    assert (found.low, found.is_peak) == (None, None)
    with pytest.raises(DataError, match="units must be 3 whole numbers"):
        UnitSums(GRID, np.zeros((len(GRID), 3)), [0, 1], UNITS)


def test_no_resamples_give_no_interval():
    table, units = rows_of(2 * np.exp(-((GRID / 120) ** 2)), 1.0)
    assert peak_interval(UnitSums(GRID, table, units, UNITS), Resampling(UNITS, count=0)).is_peak is None


def test_uneven_recordings_are_worth_fewer():
    units = np.concatenate([np.zeros(90, dtype=int), np.arange(1, 11)])
    assert effective_units(UnitSums(GRID, np.zeros((len(GRID), 100)), units, 11)) == 1


@given(st.integers(0, 10_000))
def test_sums_by_unit_give_the_mean_of_the_rows_that_a_resample_draws(seed):
    generator = np.random.default_rng(seed)
    units = generator.integers(0, 4, 30)
    scores, counted = generator.normal(size=(3, 30)), generator.random((3, 30)) < 0.8
    weights = generator.integers(0, 3, (5, 4))
    found = UnitSums([-40, 0, 40], scores, units, 4, counted).means(weights)
    for weight, means in zip(weights, found, strict=True):
        for line, mask, mean in zip(scores, counted, means, strict=True):
            drawn = np.repeat(line[mask], weight[units[mask]])
            assert mean == pytest.approx(drawn.mean()) if len(drawn) else np.isnan(mean)


def test_each_offset_may_have_rows_of_its_own():
    counted = np.array([[True, False], [True, True], [False, True]])
    curve = UnitSums([-40, 0, 40], [[1.0, 9.0], [2.0, 4.0], [9.0, 5.0]], [0, 0], 1, counted).curve
    assert (curve.values.tolist(), curve.rows.tolist()) == ([1, 3, 5], [1, 2, 1])
    with pytest.raises(UndefinedMetricError, match=r"no row counts at \+40 ms"):
        UnitSums([-40, 0, 40], np.zeros((3, 1)), [0], 1, np.array([[True], [True], [False]]))
    with pytest.raises(DataError, match="true or false for each score"):
        UnitSums([-40, 0, 40], np.zeros((3, 1)), [0], 1, np.ones((3, 1)))


def test_reach():
    times = np.array([1000, 1500, 5000, 8500, 8501])
    assert rows_in_reach(times, 0, 10_000).tolist() == [False, True, True, True, False]
    assert rows_in_reach(times, 0, 10_000, 400).tolist() == [True] * 5
    assert (choose_reach(500), choose_reach(499)) == (1000, 400)


@pytest.mark.parametrize(
    ("offsets", "scores", "error", "message"),
    [
        ([0, 40], [[1.0], [1.0]], DataError, "at least 3 offsets"),
        ([0, 40, 40], [[1.0]] * 3, DataError, "each above the one before"),
        ([0, 40, 80], [[1.0]] * 2, DataError, "one row of numbers per offset"),
        ([0, 40, 80], [[1.0], [np.nan], [1.0]], DataError, "1 NaN"),
        ([0, 40, 80], [[], [], []], UndefinedMetricError, "no rows"),
    ],
)
def test_broken_input(offsets, scores, error, message):
    with pytest.raises(error, match=message):
        synchrony_curve(offsets, scores)
