"""The synchrony curve, from rows made by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from asdbench.analysis.curve import ALL, FLOOR, MODEL, VOICED, section
from asdbench.analysis.rows import RunRows
from asdbench.analysis.run import run_metrics
from asdbench.records.facts import RowFacts
from asdbench.records.predictions import Predictions
from asdbench.types import IGNORE, Condition
from tests.analysis.rows import CLEAN, clean_rows, facts_of

GRID = (-1000, -600, -200, -80, -40, 40, 80, 200, 600, 1000)
Shape = Callable[[float], float]
Scores = NDArray[np.float32]


def bump(place: float, height: float = 4.0, width: float = 120.0) -> Shape:
    return lambda offset: height * float(np.exp(-(((offset - place) / width) ** 2)))


def flat(offset: float) -> float:
    return 0.0


def run_of(
    clean: Predictions,
    shape: Shape,
    facts: RowFacts | None = None,
    grid: tuple[int, ...] = GRID,
    edit: Callable[[int, dict[str, Any]], None] = lambda offset, columns: None,
    **settings: Any,
) -> RunRows:
    """A run with all sound shifted, where speaking rows score by a shape of the offset and some noise."""
    conditions, loaded = {"clean": CLEAN}, {}
    speaks = clean.label == 1

    def scores(offset: int) -> Scores:
        drift = np.random.default_rng(offset + 5000).normal(0, 0.2, len(clean))
        return np.where(speaks, shape(offset) + drift, -6).astype(np.float32)

    loaded["clean"] = replace(clean, score=scores(0))
    for offset in grid:
        name = f"shift@{offset:+}"
        conditions[name] = Condition(name, "shift", 1.0, "keep", "diagnostic", {"ms": offset})
        columns = {
            "score": scores(offset),
            "changed": np.ones(len(clean), dtype=np.bool_),
            "shift_ms": np.full(len(clean), offset, dtype=np.float32),
        }
        edit(offset, columns)
        loaded[name] = replace(clean, **columns)
    return RunRows(conditions, loaded.__getitem__, facts, resamples=settings.pop("resamples", 100), **settings)


def curve_of(rows: RunRows) -> dict[str, Any]:
    points = run_metrics(replace(rows, resamples=0))["conditions"]
    found = section(rows, points)
    assert found is not None
    return found


def one(found: dict[str, Any], of: str = MODEL, on: str = ALL) -> dict[str, Any]:
    (curve,) = (each for each in found["curves"] if (each["of"], each["on"]) == (of, on))
    return curve


@pytest.fixture(scope="module")
def clean() -> Predictions:
    """Eight recordings of 6 s, speech from 1 s to 5 s: 800 speaking rows."""
    return clean_rows(8, 150, (25, 125))


def test_the_bias_of_a_model_is_found(clean: Predictions) -> None:
    found = curve_of(run_of(clean, bump(60), facts_of(clean)))
    curve = one(found)
    assert curve["peak_interval"]["is_peak"]
    assert curve["peak"]["offset_ms"] == pytest.approx(60, abs=15)
    assert curve["offset_interval"]["low"] <= curve["peak"]["offset_ms"] <= curve["offset_interval"]["high"]
    assert curve["peak"]["height"] == pytest.approx(4, abs=0.3)
    assert found["offsets_ms"] == sorted([0, *GRID])
    assert found["marks"]["late_ms"] == 125


def test_every_offset_has_the_same_rows(clean: Predictions) -> None:
    """Times 1000 to 4960 ms; sound from 0 to 6000 ms: only rows from 1500 to 4500 ms have it at +-1000 ms and 0.5 s."""
    found = curve_of(run_of(clean, bump(0), facts_of(clean, sound_to_ms=np.full(len(clean), 6000.0))))
    inside = (clean.label == 1) & (clean.timestamp_ms >= 1500) & (clean.timestamp_ms <= 4500)
    assert found["rows"] == inside.sum() == 8 * 75
    assert (found["reach_ms"], found["cut"], found["speaking"]) == (1000, None, 800)
    assert one(found)["rows"] == [600] * 11


def test_means_are_those_of_the_rows(clean: Predictions) -> None:
    rows = run_of(clean, bump(0), facts_of(clean, sound_to_ms=np.full(len(clean), 6000.0)))
    inside = (clean.label == 1) & (clean.timestamp_ms >= 1500) & (clean.timestamp_ms <= 4500)
    found = curve_of(rows)
    at = found["offsets_ms"].index(200)
    assert one(found)["mean"][at] == pytest.approx(float(rows.read("shift@+200").score[inside].mean()), abs=1e-6)


def test_the_grid_is_cut_where_few_rows_are_left(clean: Predictions) -> None:
    """Sound until 5 s: 8 * 63 rows reach 500 ms less; within +-400 ms and 0.5 s there are more."""
    found = curve_of(run_of(clean, bump(0), facts_of(clean, sound_to_ms=np.full(len(clean), 5400.0))))
    times = clean.timestamp_ms
    full = int(np.sum((clean.label == 1) & (times >= 1500) & (times <= 3900)))
    near = int(np.sum((clean.label == 1) & (times >= 900) & (times <= 4500)))
    assert full < 500 < near
    assert found["cut"] == {"from_ms": 1000, "rows": full}
    assert (found["reach_ms"], found["rows"]) == (400, near)
    assert found["offsets_ms"] == [-200, -80, -40, 0, 40, 80, 200]


def test_a_grid_without_fine_steps_is_not_cut(clean: Predictions) -> None:
    facts = facts_of(clean, sound_to_ms=np.full(len(clean), 5400.0))
    assert curve_of(run_of(clean, bump(0), facts, (-1000, -600, 600, 1000)))["reach_ms"] == 1000


def test_without_facts_rows_are_those_that_count_at_every_offset(clean: Predictions) -> None:
    def edit(offset: int, columns: dict[str, Any]) -> None:
        gone = clean.timestamp_ms < 2000 if offset == 1000 else np.zeros(len(clean), dtype=np.bool_)
        columns["label_after"] = np.where(gone, IGNORE, clean.label).astype(np.int8)

    found = curve_of(run_of(clean, bump(0), edit=edit))
    assert not found["sound_known"]
    assert found["rows"] == np.sum((clean.label == 1) & (clean.timestamp_ms >= 2000))


def test_noise_is_no_peak_and_a_constant_is_none_either(clean: Predictions) -> None:
    curve = one(curve_of(run_of(clean, flat, facts_of(clean))))
    assert curve["peak_interval"]["is_peak"] is False
    assert "offset_interval" not in curve

    def constant(offset: int, columns: dict[str, Any]) -> None:
        columns["score"] = np.zeros(len(clean), np.float32)

    rows = run_of(clean, flat, facts_of(clean), edit=constant)
    still = replace(rows.read("clean"), score=np.zeros(len(clean), np.float32))
    read = rows.read
    curve = one(curve_of(replace(rows, read=lambda name: still if name == "clean" else read(name))))
    assert curve["spread"] == curve["peak"]["height"] == 0
    assert curve["peak_interval"]["is_peak"] is False
    assert "does not fall" in curve["peak"]["half_width_late_ms"]["undefined"]


def test_rows_of_the_voiced_curve_are_voiced_at_both_times(clean: Predictions) -> None:
    """The own time is voiced in the first 80 frames of a track, the shifted one at +200 ms only from frame 40 on."""
    place = np.tile(np.arange(150), 8)
    own = (place < 80).astype(np.int8)

    def edit(offset: int, columns: dict[str, Any]) -> None:
        columns["voiced"] = (place >= 40).astype(np.int8) if offset == 200 else np.full(len(clean), 1, np.int8)
        columns["activity"] = np.where(clean.label == 1, bump(0, 1.0)(offset), -9).astype(np.float32)

    heard = replace(clean, voiced=own, activity=np.where(clean.label == 1, 1, -9).astype(np.float32))
    facts = facts_of(clean, sound_from_ms=np.full(len(clean), -1e6))
    found = curve_of(run_of(heard, bump(0), facts, edit=edit))
    assert found["missing"] == {}
    assert [(each["of"], each["on"]) for each in found["curves"]] == [
        (MODEL, ALL), (FLOOR, ALL), (MODEL, VOICED), (FLOOR, VOICED),
    ]  # fmt: skip
    rows = dict(zip(found["offsets_ms"], one(found, MODEL, VOICED)["rows"], strict=True))
    assert rows[200] == 8 * 40
    assert {rows[offset] for offset in rows if offset != 200} == {8 * 55}
    floor = one(found, FLOOR)
    assert floor["peak"]["height"] == pytest.approx(1, abs=0.05)
    assert floor["spread"] == pytest.approx(np.std(np.where(clean.label == 1, 1, -9)))


def test_what_was_not_measured_is_said(clean: Predictions) -> None:
    found = curve_of(run_of(clean, bump(0), facts_of(clean)))
    assert set(found["missing"]) == {FLOOR, VOICED}
    assert len(found["curves"]) == 1


def test_rows_without_enough_sound_leave_no_curve(clean: Predictions) -> None:
    found = curve_of(run_of(clean, bump(0), facts_of(clean, sound_to_ms=np.full(len(clean), 1000.0))))
    assert found["rows"] == 0
    assert "no rows" in one(found)["undefined"]


def test_no_intervals_without_resamples_or_with_few_recordings(clean: Predictions) -> None:
    for rows in (run_of(clean, bump(0), resamples=0), run_of(clean_rows(3, 150, (25, 125)), bump(0))):
        curve = one(curve_of(rows))
        assert curve["peak_interval"]["is_peak"] is None
        assert "mean_intervals" not in curve
        assert curve["peak"]["offset_ms"] == pytest.approx(0, abs=20)


def test_recordings_too_short_for_the_curve_are_no_witnesses(clean: Predictions) -> None:
    """Eight recordings, of which four have sound enough."""
    ends = np.where(np.arange(len(clean)) < len(clean) / 2, 1e6, 0.0)
    curve = one(curve_of(run_of(clean, bump(0), facts_of(clean, sound_to_ms=ends))))
    assert curve["peak_interval"]["is_peak"] is None
    assert curve["mean_intervals"][0]["low"] is None


def test_runs_without_shifts_and_tests_that_shift_have_no_curve(clean: Predictions) -> None:
    assert "curve" not in run_metrics(run_of(clean, bump(0), grid=()))
    assert "curve" not in run_metrics(run_of(clean, bump(0), grid=(400,)))
    rows = run_of(clean, bump(0))
    tests = {name: replace(c, role="test") if c.perturbation else c for name, c in rows.conditions.items()}
    assert "curve" not in run_metrics(replace(rows, conditions=tests))
