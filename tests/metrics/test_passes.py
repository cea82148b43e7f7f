"""A pass over many resamples equals the plain figures of each, row by row and block by block."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asdbench.errors import UndefinedMetricError, UsageError
from asdbench.metrics.bootstrap import Resampling, replicate
from asdbench.metrics.counted import CountedRows, PairedRows
from asdbench.metrics.passes import BLOCK, PairPass, PrecisionPass, ThresholdPass
from asdbench.metrics.resampled import CHUNK, evaluate, values_of
from asdbench.metrics.scan import scan
from asdbench.metrics.weighted import RankedRows

UNITS = 4
NAMES = ("tpr:0.9", "tpr:0.3", "eer", "fixed:0.5")
row = st.tuples(st.integers(0, 1), st.integers(-3, 3), st.integers(-3, 3), st.integers(0, UNITS - 1))
tables = st.lists(row, min_size=1, max_size=40).filter(lambda rows: any(label for label, *_ in rows))
weight_sets = st.lists(st.lists(st.integers(0, 3), min_size=UNITS, max_size=UNITS), min_size=1, max_size=5)


def plain(figure, weights):
    """The value of each set of weights by itself, NaN where it has none."""

    def value(weight):
        try:
            return figure(weight)
        except UndefinedMetricError:
            return np.nan

    return np.array([value(weight) for weight in weights])


def assert_equal_to_plain(label, clean, changed, unit, weights, count=UNITS):
    ranked = RankedRows(label, clean, unit, count)
    found = PrecisionPass(ranked).values(weights)
    expected = {
        "ava": ranked.average_precision,
        "ap": lambda weight: ranked.average_precision(weight, "ap"),
        "ava_rescaled": ranked.rescaled_ap,
        "ap_rescaled": lambda weight: ranked.rescaled_ap(weight, "ap"),
        "base_rate": ranked.base_rate,
    }
    assert set(found) == set(expected)
    for name, figure in expected.items():
        np.testing.assert_allclose(found[name], plain(figure, weights), rtol=0, atol=1e-12, err_msg=name)
    thresholds = ThresholdPass(ranked)
    for name in NAMES:
        expected = plain(lambda weight, name=name: ranked.threshold(weight, name), weights)
        # without positives nothing is frozen, and a probability of 0.5 on no row is nobody's threshold either
        expected = np.where(np.isnan(found["ava"]), np.nan, expected)
        np.testing.assert_array_equal(thresholds.values(weights, name), expected, err_msg=name)
    pairs = PairedRows(clean, changed, unit, count)
    np.testing.assert_array_equal(
        PairPass(pairs.clean, pairs.changed).values(weights), plain(pairs.sync_auroc, weights)
    )
    limits = np.resize([*clean, np.nan], len(weights)).astype(float)
    expected = [np.nan if np.isnan(t) else w @ pairs.changed.at_least(t) for w, t in zip(weights, limits, strict=True)]
    np.testing.assert_array_equal(pairs.changed.above(weights, limits), expected)


@given(tables, weight_sets)
def test_small_tables_with_ties_and_unused_units(table, weights):
    label, clean, changed, unit = (np.array(column) for column in zip(*table, strict=True))
    assert_equal_to_plain(label, clean, changed, unit, np.array(weights))


@pytest.mark.parametrize("decimals", [0, 1, 9])
@pytest.mark.parametrize("units", [3, 300])
def test_rows_of_many_blocks(decimals, units):
    generator = np.random.default_rng(units + decimals)
    rows = 5 * BLOCK + 7
    label = generator.integers(0, 2, rows)
    clean = np.round(generator.normal(size=rows) + label, decimals)
    changed = np.round(clean - generator.random(rows), decimals)
    weights = Resampling(units, count=20).weights
    assert_equal_to_plain(label, clean, changed, generator.integers(0, units, rows), weights, units)


@pytest.mark.parametrize("score", [0.0, 1.0])
def test_a_score_that_more_rows_share_than_a_block_holds(score):
    rows = 4 * BLOCK
    label = np.resize([1, 0, 0], rows)
    clean = np.where(np.arange(rows) < 10, 2.0, score)
    clean[-5:] = -1
    unit = np.arange(rows) % UNITS
    assert_equal_to_plain(label, clean, clean[::-1].copy(), unit, Resampling(UNITS, count=10).weights)


def test_no_such_threshold():
    thresholds = ThresholdPass(RankedRows([1, 0], [1.0, 0.0], [0, 0], 1))
    with pytest.raises(UsageError, match="no threshold"):
        thresholds.values(np.array([[1]]), "best")


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 16, 17, 64, 65, 1000])
def test_scan_equals_accumulate(rows):
    values = np.random.default_rng(rows).integers(-9, 9, (rows, 3)).astype(float)
    for ufunc in (np.add, np.maximum):
        expected = ufunc.accumulate(values, axis=0)
        np.testing.assert_array_equal(scan(ufunc, values.copy()), expected)
        upwards = values.copy()
        scan(ufunc, upwards[::-1])
        np.testing.assert_array_equal(upwards[::-1], ufunc.accumulate(values[::-1], axis=0))


def ranked_example():
    generator = np.random.default_rng(5)
    label, unit = generator.integers(0, 2, 3000), generator.integers(0, 7, 3000)
    return RankedRows(label, label + generator.normal(size=3000), unit, 7)


def test_evaluate_equals_replicate_whatever_the_number_of_threads():
    rows, resampling = ranked_example(), Resampling(7, count=2 * CHUNK + 5)
    passed = PrecisionPass(rows)
    found = [evaluate(lambda weights, _: passed.values(weights), resampling, threads)["ava"] for threads in (1, 3)]
    np.testing.assert_array_equal(values_of(found[0]), values_of(found[1]))
    expected = replicate(rows.average_precision, resampling)
    np.testing.assert_allclose(values_of(found[0]), values_of(expected), rtol=0, atol=1e-12)


def test_evaluate_says_where_among_all_resamples_weights_stand():
    resampling = Resampling(7, count=CHUNK)
    everything = np.arange(1 + CHUNK + 7, dtype=float)
    found = evaluate(lambda _, place: {"place": everything[place]}, resampling)["place"]
    np.testing.assert_array_equal(values_of(found), everything)
    assert (found.estimate, found.left_out[-1]) == (0, everything[-1])


@pytest.mark.parametrize(("units", "count"), [(4, 100), (7, 0)])
def test_with_few_units_or_no_resamples_there_is_the_estimate_alone(units, count):
    found = evaluate(lambda weights, _: {"units": weights.sum(axis=1).astype(float)}, Resampling(units, count=count))
    assert (found["units"].estimate, len(found["units"].resampled), len(found["units"].left_out)) == (units, 0, 0)


def test_a_figure_without_a_value_on_all_units_is_left_out():
    found = evaluate(lambda weights, _: {"never": np.full(len(weights), np.nan)}, Resampling(7, count=10))
    assert found == {}


def test_a_unit_without_rows_has_no_influence():
    rows = CountedRows([1.0, 2.0], [0, 2], 3)
    weights = np.array([[1, 0, 1], [1, 9, 1]])
    assert rows.above(weights, np.array([1.5, 1.5])).tolist() == [1, 1]
