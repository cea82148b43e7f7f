from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from asdbench.analysis.rows import RunRows
from asdbench.analysis.suspects import section
from asdbench.records.predictions import Predictions
from asdbench.types import Float32Array
from tests.analysis.rows import clean_rows, run_rows

ROWS = clean_rows(videos=9, length=200, speaking=(20, 180), seed=3)


def lips_of(rows: Predictions) -> Float32Array:
    """A model of lips that finds what there is, with noise of its own."""
    noise = np.random.default_rng(9).normal(size=len(rows))
    return (noise + 3 * rows.label - 1).astype(np.float32)


def found(rows: RunRows) -> dict[str, Any]:
    result = section(rows, [])
    assert result is not None
    json.dumps(result, allow_nan=False)
    return result


def deafened(rows: Predictions, videos: list[str]) -> Predictions:
    """The rows of a model that does not believe the sound of some videos."""
    here = np.isin(rows.video_id.astype(str), videos) & (rows.label == 1)
    return replace(rows, score=np.where(here, rows.score - 4, rows.score).astype(np.float32))


def test_the_video_whose_sound_is_not_believed_stands_out():
    clean = replace(deafened(ROWS, ["v04"]), lips=lips_of(ROWS))
    result = found(run_rows(clean))
    assert [video["video"] for video in result["videos"] if video["suspect"]] == ["v04"]
    first, second = result["videos"][:2]
    assert first["video"] == "v04"
    assert first["z"] <= -3.5 < second["z"]
    assert first["intervals"]["z"]["low"] < first["z"] < first["intervals"]["z"]["high"] < 0
    assert first["units"] >= 5
    assert first["block_ms"] == 1000  # 6.4 s of speech are too short for longer blocks


def test_the_gap_and_its_z_by_hand():
    clean = replace(ROWS, lips=lips_of(ROWS))
    rows = run_rows(clean)
    result = found(rows)
    for video in result["videos"]:
        speaking = (ROWS.video_id == video["video"]) & (ROWS.label == 1)
        tpr = np.mean(ROWS.score[speaking] >= rows.thresholds["tpr:0.9"])
        lips = np.mean(clean.lips[speaking] >= result["lips_threshold"])  # type: ignore[index]
        assert (video["tpr"], video["tpr_lips"]) == (pytest.approx(tpr), pytest.approx(lips))
        assert video["gap"] == pytest.approx(tpr - lips)
        scale = result["scale"]
        assert video["z"] == pytest.approx((video["gap"] - scale["centre"]) / scale["spread"])
    assert np.mean(clean.lips[ROWS.label == 1] >= result["lips_threshold"]) == pytest.approx(0.9, abs=1e-3)  # type: ignore[index]


def test_long_videos_are_cut_into_blocks_of_a_minute():
    slow = replace(ROWS, timestamp_ms=ROWS.timestamp_ms * 100, lips=lips_of(ROWS))  # 4 s per frame
    video = found(run_rows(slow))["videos"][0]
    assert video["block_ms"] == 60_000
    assert video["units"] == len(np.unique(slow.timestamp_ms[20:180] // 60_000))


def test_videos_with_little_speech_are_counted_not_judged():
    short = clean_rows(videos=4, length=200, speaking=(20, 180))
    label = np.where((short.video_id == "v01") & (np.tile(np.arange(200), 4) > 118), 0, short.label).astype(np.int8)
    clean = replace(short, label=label, label_after=label, lips=lips_of(short))
    result = found(run_rows(clean))
    assert result["too_few"] == 1  # 99 rows
    assert sorted(video["video"] for video in result["videos"]) == ["v00", "v02", "v03"]


def test_no_z_without_enough_videos_or_spread():
    few = clean_rows(videos=2, length=200, speaking=(20, 180))
    result = found(run_rows(replace(few, lips=lips_of(few))))
    assert "at least 3" in result["scale"]["undefined"]
    assert all(video["z"] == result["scale"] and not video["suspect"] for video in result["videos"])
    same = found(run_rows(replace(ROWS, lips=ROWS.score)))
    assert "spread is 0" in same["scale"]["undefined"]
    silent = clean_rows(videos=3, length=50)
    nobody = found(run_rows(replace(silent, lips=lips_of(silent))))
    assert (nobody["videos"], nobody["too_few"]) == ([], 3)


def test_without_lips_there_is_no_section_and_without_resamples_no_interval():
    assert section(run_rows(ROWS), []) is None
    clean = replace(deafened(ROWS, ["v04"]), lips=lips_of(ROWS))
    result = found(run_rows(clean, resamples=0))
    assert [video["intervals"] for video in result["videos"]] == [{}] * 9
    assert result["videos"][0]["suspect"]
