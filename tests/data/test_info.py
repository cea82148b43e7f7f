"""Counts of a data set, against counts by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import asdbench.data.container
from asdbench.data import open_dataset
from asdbench.data.info import describe
from asdbench.types import Dataset, Track
from tests.data.good import write_good


def track(video: str, entity: str, first: int, labels: str, **fields: object) -> Track:
    """Return a track at 25 fps: ``+`` speaks."""
    times = 40 * np.arange(first, first + len(labels), dtype=np.int64)
    known: dict[str, object] = {
        "source_id": video,
        "timestamps_ms": times,
        "labels": np.array([label == "+" for label in labels], dtype=np.int8),
        "fps": 25.0,
        "num_samples": 640 * (len(labels) - 1),
        "media": None,
        **fields,
    }
    return Track(video, entity, **known)  # type: ignore[arg-type]


def described(*tracks: Track) -> dict[str, object]:
    facts = describe(Dataset("d", "folder", "ava", tracks, "0" * 64))
    json.dumps(facts, allow_nan=False)
    return facts


def test_tracks_videos_sources_and_hours() -> None:
    facts = described(
        track("v", "a", 0, "-" * 50, person_id="P", source_id="s"),
        track("v", "b", 25, "-" * 50, source_id="s"),
        track("w", "a", 0, "-" * 25, person_id="P", source_id="s"),
        track("x", "a", 0, "-" * 25, person_id="Q"),
    )
    assert [facts[name] for name in ("tracks", "videos", "sources", "persons", "tracks_without_person")] == [
        4,
        3,
        2,
        2,
        1,
    ]
    assert facts["frames"] == 150
    assert facts["hours"] == pytest.approx(6 / 3600)
    assert facts["hours_of_video"] == pytest.approx((3 + 1 + 1) / 3600), "the two faces of v are seen for 3 s"
    assert facts["track_seconds"] == {"shortest": 1.0, "median": 1.5, "longest": 2.0}


def test_speech_runs_and_what_is_not_scored() -> None:
    scored = np.ones(40, dtype=bool)
    scored[:10] = False
    facts = described(
        track("v", "a", 0, "+" * 20 + "-" * 20, scored=scored),
        track("v", "b", 0, "++++--+" + "-" * 23),
        track("w", "a", 0, "-" * 10, dubbed=np.arange(10) < 4),
    )
    assert (facts["frames"], facts["scored_frames"], facts["unscored_frames"]) == (80, 60, 10)
    assert facts["speaking_frames"] == 15
    assert facts["base_rate"] == pytest.approx(15 / 60)
    assert (facts["runs"], facts["eligible_runs"]) == (3, 1)
    assert (facts["dubbed_tracks"], facts["dubbed_frames"]) == (1, 4)


def test_faces_per_frame_are_counted_within_a_video() -> None:
    facts = described(
        track("v", "a", 0, "-" * 10),
        track("v", "b", 5, "-" * 10),
        track("v", "c", 8, "-" * 4),
        track("v", "d", 9, "-"),
        track("w", "a", 0, "-" * 7),
    )
    # v: one face at 0-4 and 12-14, two at 5-7 and 10-11, three at 8, four at 9
    assert facts["faces_per_frame"] == {"1": 5 + 3 + 7, "2": 2 * (3 + 2), "3+": 3 + 4}


def test_widths_need_the_size_of_the_picture() -> None:
    boxes = np.zeros((5, 4), dtype=np.float32)
    boxes[:, 2] = [0.1, 0.2, 0.25, 0.4, 0.5]
    known = track("v", "a", 0, "-----", boxes=boxes, frame_size=(320, 240))
    unknown = track("v", "b", 0, "---", boxes=boxes[:3])
    assert described(unknown)["face_widths"] is None
    assert described(known, unknown)["face_widths"] == {"< 64": 1, "64-128": 3, "> 128": 1, "unknown": 3}
    assert described(known, unknown)["frame_sizes"] == {"320x240": 1}


def test_rates_categories_gaps_and_sound_beyond() -> None:
    gap = track("v", "a", 0, "-" * 10)
    times = gap.timestamps_ms.copy()
    times[5:] += 400
    slow = track("w", "a", 0, "-" * 10, fps=12.5, timestamps_ms=80 * np.arange(10), categories=("far", "noisy"))
    facts = described(replace(gap, timestamps_ms=times, audio_margin=(5, 0)), slow)
    assert facts["frame_rates"] == {"12.5": 1, "25": 1}
    assert facts["categories"] == {"far": 1, "noisy": 1}
    assert facts["tracks_with_gaps"] == 1
    assert facts["tracks_with_source_audio_beyond"] == 1


def test_only_dubbed_tracks_have_no_base_rate() -> None:
    assert described(track("v", "a", 0, "---", dubbed=np.array([True, False, False])))["base_rate"] is None


def test_nothing_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = open_dataset(write_good(tmp_path / "good"))

    def never(*_: object) -> object:
        raise AssertionError

    monkeypatch.setattr(asdbench.data.container, "open_stream", never)
    facts = describe(dataset)
    assert (facts["tracks"], facts["frames"], facts["speaking_frames"]) == (4, 140, 80)
