"""The intervals of a run: each figure of a resample is that of its copied rows, thresholds found anew."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.analysis.conditions import condition_metrics, value_of
from asdbench.analysis.intervals import condition_intervals, condition_replicates, interval_record, units_record
from asdbench.analysis.resampled import ConditionFigures
from asdbench.analysis.rows import RunRows
from asdbench.analysis.run import run_metrics
from asdbench.metrics import combine, frozen_thresholds
from asdbench.records.predictions import Predictions
from asdbench.types import IGNORE, Condition

CLEAN = Condition("clean", role="reference")
MISMATCH = Condition("mismatch@0.50", "mismatch", 0.5, "negative")
SILENCE = Condition("silence", "silence", 1.0, "keep", "diagnostic")
DUBBED = Condition("dubbed", "dubbed", 1.0, "negative")


def example(sources: int = 8, per_source: int = 60, seed: int = 0, ties: int = 2, dubs: int = 0) -> Predictions:
    """Clean rows of some skill, sources of uneven size."""
    generator = np.random.default_rng(seed)
    source = np.repeat(np.arange(sources), per_source + 3 * np.arange(sources))
    count = len(source)
    ids = np.array([f"film {number:02}" for number in range(sources)], dtype=object)[source]
    label = (generator.random(count) < 0.4).astype(np.int8)
    label[:2] = 0, 1
    after = label.copy()
    dubbed = np.linspace(2, count - 1, dubs).astype(int)
    after[dubbed] = IGNORE
    label[dubbed] = 0
    return Predictions(
        video_id=ids,
        entity_id=ids,
        source_id=ids,
        timestamp_ms=40 * np.arange(count),
        run=np.where(label, np.arange(count) // 5, -1).astype(np.int32),
        label=label,
        label_after=after,
        changed=np.zeros(count, dtype=np.bool_),
        eligible=np.ones(count, dtype=np.bool_),
        shift_ms=np.full(count, np.nan, dtype=np.float32),
        score=np.round(generator.normal(size=count) + 1.5 * label, ties).astype(np.float32),
        voiced=generator.integers(-1, 2, count).astype(np.int8),
    )


def under(clean: Predictions, condition: Condition, seed: int = 1, ties: int = 2) -> Predictions:
    """Half of the speech changed, some of it ignored."""
    generator = np.random.default_rng(1000 + seed)  # another stream than that of the labels
    if condition is DUBBED:
        dubs = clean.label_after == IGNORE
        after = np.where(dubs, 0, clean.label_after).astype(np.int8)
        return replace(clean, label_after=after, changed=dubs & (generator.random(len(clean)) < 0.7))
    changed = (clean.label == 1) & (generator.random(len(clean)) < 0.5)
    after = clean.label_after.copy()
    if condition.labels == "negative":
        after[changed] = 0
    after[changed & (generator.random(len(clean)) < 0.2)] = IGNORE
    lower = np.round(clean.score + 0.5 - 2 * generator.random(len(clean)), ties)
    score = np.where(changed, lower, clean.score).astype(np.float32)
    voiced = generator.integers(0, 2, len(clean)).astype(np.int8)
    return replace(clean, changed=changed, label_after=after, score=score, voiced=voiced)


def run_of(clean: Predictions, *others: tuple[Condition, Predictions], **more: Any) -> RunRows:
    loaded = {"clean": clean, **{condition.name: rows for condition, rows in others}}
    conditions = {"clean": CLEAN, **{condition.name: condition for condition, _ in others}}
    return RunRows(conditions, loaded.__getitem__, **more)


def copied(rows: Predictions, places: np.ndarray) -> Predictions:
    values = {field.name: getattr(rows, field.name) for field in fields(Predictions)}
    return Predictions(**{name: None if value is None else value[places] for name, value in values.items()})


@pytest.mark.parametrize("condition", [CLEAN, MISMATCH, SILENCE, DUBBED])
@given(
    weights=st.lists(st.integers(0, 3), min_size=5, max_size=5).filter(lambda weights: weights[0] and sum(weights) > 2),
    seed=st.integers(0, 20),
)
@settings(max_examples=15)
def test_each_figure_of_a_resample_is_that_of_the_copied_rows(
    condition: Condition, weights: list[int], seed: int
) -> None:
    clean = example(5, 10, seed, ties=1, dubs=12)
    rows = clean if condition is CLEAN else under(clean, condition, seed, ties=1)
    run = run_of(clean, (condition, rows))
    weight = np.array(weights)
    draws = np.stack([np.ones(5, dtype=np.int64), weight])
    run.__dict__["resampled_thresholds"] = {
        name: np.array([run.ranked.threshold(each, name) for each in draws]) for name in run.thresholds
    }
    found = ConditionFigures(run, condition, rows)(draws, slice(0, 2))
    places = np.repeat(np.arange(len(clean)), weight[run.units.of_row])
    copies = copied(clean, places), copied(rows, places)
    counted = copies[0].label_after != IGNORE
    if condition is DUBBED and counted.all():
        return  # without a dubbed row the copies are clean rows, and have no figure at all
    thresholds = frozen_thresholds(copies[0].label[counted], copies[0].score[counted])
    expected = condition_metrics(*copies, condition, thresholds)
    assert {("ava",), ("ap",), ("at", "tpr:0.9", "tpr"), ("at", "eer", "f1")} <= set(found)
    for place, values in found.items():
        if place == ("clean", "ava"):
            continue
        figure = expected
        for name in place:
            figure = figure[name]
        wanted = value_of(figure)
        assert values[1] == pytest.approx(np.nan if wanted is None else wanted, abs=1e-12, nan_ok=True), place


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    clean = example(dubs=40)
    pairs = [(condition, under(clean, condition)) for condition in (MISMATCH, SILENCE, DUBBED)]
    return run_metrics(run_of(clean, *pairs, resamples=200))


AP = {"ava", "ap", "ava_rescaled", "ap_rescaled"}
OPERATING = {"tpr", "fpr", "precision", "f1", "balanced_accuracy"}
SYNC = {"sync_auroc", "sync_winrate"}
CHANGED = {"fa_changed", "tpr_same_rows", "retention", "fa_changed_voiced", "retention_voiced"}


@pytest.mark.parametrize(
    ("number", "figures", "rates"),
    [
        (0, AP, OPERATING),
        (1, AP | SYNC, OPERATING | CHANGED),
        (2, AP | SYNC | {"ap_drop"}, OPERATING | CHANGED | {"tpr_drop"}),
        (3, AP, OPERATING | {"fa_changed"}),
    ],
)
def test_which_figures_have_intervals(result: dict[str, Any], number: int, figures: set[str], rates: set[str]) -> None:
    condition = result["conditions"][number]
    intervals = condition["intervals"]
    assert set(intervals) == figures | {"at"}
    assert set(intervals["at"]) == {"tpr:0.9", "eer", "fixed:0.5"}
    for name, found in intervals["at"].items():
        assert set(found) == rates
        for key, ends in found.items():
            assert ends["low"] <= condition["metrics"]["at"][name][key] <= ends["high"], key
    for key in figures:
        ends = intervals[key]
        assert ends["low"] <= condition["metrics"][key] <= ends["high"]
        assert ends["bca_low"] < ends["bca_high"]


def test_tpr_at_its_own_threshold_hardly_moves(result: dict[str, Any]) -> None:
    # found anew in each resample, the threshold keeps the clean TPR at 0.9; frozen once, TPR would move by points
    found = result["conditions"][0]["intervals"]["at"]["tpr:0.9"]["tpr"]
    assert 0.9 <= found["low"] <= found["high"] < 0.92
    fixed = result["conditions"][0]["intervals"]["at"]["fixed:0.5"]["tpr"]
    assert fixed["high"] - fixed["low"] > 0.03


def test_what_intervals_rest_on(result: dict[str, Any]) -> None:
    units = result["units"]
    assert (units["kind"], units["count"], units["resamples"], units["level"]) == ("source", 8, 200, 0.95)
    assert units["effective"] == 7
    assert units["status"] == "indicative"
    assert "fewer than 20 sources" in units["reason"]


@pytest.mark.parametrize(
    ("sources", "more", "status", "reason"),
    [
        (20, {}, "ok", ""),
        (19, {}, "indicative", "intervals of fewer than 20 sources are often too short; there are 19."),
        (4, {}, "none", "an interval needs at least 5 sources, and there are 4."),
        (20, {"resamples": 0}, "none", "resampling was switched off (--resamples off)."),
    ],
)
def test_few_sources(sources: int, more: dict[str, Any], status: str, reason: str) -> None:
    run = run_of(example(sources, 8), **{"resamples": 100, **more})
    record = units_record(run)
    assert (record["status"], record["reason"]) == (status, reason)
    intervals = condition_intervals(run, CLEAN, run.clean)
    assert bool(intervals) == (status != "none")
    replicates = condition_replicates(run, CLEAN, run.clean)["ava",]  # comparisons need the figure all the same
    assert (interval_record(replicates)["low"] is None) == (status == "none")


def test_one_source_is_cut_into_blocks() -> None:
    clean = example(1, 6000)
    clean = replace(clean, timestamp_ms=100 * np.arange(len(clean)))
    record = units_record(run_of(clean, resamples=100))
    assert (record["kind"], record["count"], record["status"]) == ("block", 10, "indicative")
    assert "blocks of 60 s" in record["reason"]


def test_a_monotone_map_of_all_scores_moves_no_interval_of_a_ranking() -> None:
    clean = example()
    rows = under(clean, MISMATCH)
    bent = [replace(each, score=(each.score.astype(np.float64) ** 3 + 5).astype(np.float32)) for each in (clean, rows)]
    straight = condition_intervals(run_of(clean, (MISMATCH, rows), resamples=100), MISMATCH, rows)
    curved = condition_intervals(run_of(bent[0], (MISMATCH, bent[1]), resamples=100), MISMATCH, bent[1])
    for each in (straight, curved):
        del each["at"]["fixed:0.5"]  # the one threshold that is no rank
    assert straight == curved


@given(seed=st.integers(0, 50))
@settings(max_examples=10)
def test_equal_runs_differ_by_nothing(seed: int) -> None:
    clean = example(6, 10, seed)
    rows = under(clean, SILENCE, seed)
    first, second = (condition_replicates(run_of(clean, (SILENCE, rows), resamples=100), SILENCE, rows) for _ in "ab")
    for place, replicates in first.items():
        ends = interval_record(combine(np.subtract, second[place], replicates))
        assert ends["low"] in (0.0, None)
        assert ends["high"] in (0.0, None)


def test_a_condition_that_changes_no_score_drops_by_exactly_nothing() -> None:
    clean = example()
    same = replace(clean, changed=clean.label == 1)
    intervals = condition_intervals(run_of(clean, (SILENCE, same), resamples=100), SILENCE, same)
    for ends in (intervals["ap_drop"], intervals["at"]["tpr:0.9"]["tpr_drop"]):
        assert (ends["low"], ends["high"], ends["bca_low"], ends["bca_high"]) == (0, 0, 0, 0)
    assert (intervals["sync_auroc"]["low"], intervals["sync_auroc"]["high"]) == (0.5, 0.5)
    assert (intervals["at"]["eer"]["retention"]["low"], intervals["at"]["eer"]["retention"]["high"]) == (1, 1)


def test_a_figure_without_value_in_too_many_resamples_has_a_reason() -> None:
    clean = example(30, 20)
    changed = (clean.label == 1) & (clean.source_id == "film 03")  # drawn in 64 % of the resamples
    rows = replace(clean, changed=changed, label_after=np.where(changed, 0, clean.label_after).astype(np.int8))
    ends = condition_intervals(run_of(clean, (MISMATCH, rows), resamples=100), MISMATCH, rows)["sync_auroc"]
    assert ends["low"] is None
    assert "of 100 resamples" in ends["reason"]
