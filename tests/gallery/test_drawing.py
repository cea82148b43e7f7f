"""Odd stretches are drawn and encoded too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from asdbench.gallery.build import write_clip
from asdbench.gallery.drawing import LEFT, RIGHT, WIDTH, draw, height
from asdbench.gallery.picks import Pick
from asdbench.gallery.scene import LONGEST_MS, Line, Scene, window
from asdbench.report.figures import write_figure
from asdbench.types import Dataset, Track

COUNT = 50


@pytest.fixture
def track(fixture_dataset: Dataset) -> Track:
    return fixture_dataset.tracks[0]


@pytest.fixture
def shown(track: Track) -> Scene:
    faces = [np.full((40, 30), 3 * number, np.uint8) for number in range(COUNT)]
    sound = (8_000 * np.sin(np.arange(COUNT * 640) / 9)).astype(np.int16)
    labels = (np.arange(COUNT) >= 20).astype(np.int8)
    scores = np.where(labels == 1, 2, -2).astype(np.float32)
    return Scene(
        track=track, first=0, times_ms=np.arange(COUNT) * 40, period_ms=40.0, judged=(20, 50), audio=sound, faces=faces,
        new_audio=sound[::-1], new_faces=None, spans_ms=((800.0, 2000.0),), clean=Line(scores, labels),
        changed=Line(scores, np.zeros(COUNT, np.int8)), rows=slice(20, 50), own=labels[20:50], voiced=0.5,
    )  # fmt: skip


def drawn(scene: Scene, folder: Path) -> np.ndarray[Any, Any]:
    write_figure(folder / "it", lambda figure: draw(figure, scene, 0.5, "it"), ("png", "svg"), (WIDTH, height(scene)))
    picture = cv2.imread(str(folder / "it.png"))
    assert picture is not None
    return picture


def test_faces_stand_at_their_times(shown: Scene, tmp_path: Path) -> None:
    picture = drawn(shown, tmp_path)
    wide = picture.shape[1]
    row = picture[30].astype(int)  # through the faces, whose gray says which frame it is
    seen = 0
    for frame in range(COUNT):
        middle = round(wide * (LEFT + (RIGHT - LEFT) * (frame * 40 + 20) / (COUNT * 40)))
        part = row[middle - 20 : middle + 20]
        if (part == part[20]).all() and not (part == 255).all() and abs(part[20, 0] - 3 * frame) <= 1:
            seen += 1
    assert seen >= 9


def test_what_was_changed_is_drawn_in_its_colour(shown: Scene, tmp_path: Path) -> None:
    blue = (np.abs(drawn(shown, tmp_path).astype(int) - (178, 114, 0)) < 10).all(axis=2)  # #0072B2, blue first
    clean = replace(shown, new_audio=None, changed=None, spans_ms=())
    none = (np.abs(drawn(clean, tmp_path).astype(int) - (178, 114, 0)) < 10).all(axis=2)
    assert blue.sum() > 5_000
    assert none.sum() == 0
    assert height(clean) < height(shown) < height(replace(shown, new_faces=shown.faces))


@pytest.mark.parametrize(
    "changes",
    [
        {"times_ms": np.arange(COUNT) * 40 + np.where(np.arange(COUNT) >= 25, 3_000, 0)},
        {"audio": np.zeros(0, np.int16), "new_audio": np.zeros(0, np.int16)},
        {"clean": Line(np.full(COUNT, np.nan, np.float32), np.full(COUNT, -1, np.int8))},
        {
            "faces": [np.zeros((9, 300), np.uint8)] * 2, "times_ms": np.arange(2) * 40, "judged": (0, 2),
            "clean": Line(np.zeros(2, np.float32), np.ones(2, np.int8)), "changed": None, "new_audio": None,
        },
    ],
    ids=["gap", "no sound", "no scores", "two frames"],
)  # fmt: skip
def test_odd_scenes(shown: Scene, tmp_path: Path, changes: dict[str, Any]) -> None:
    odd = replace(shown, **changes)
    drawn(odd, tmp_path)
    write_clip(tmp_path / "it.mp4", odd, odd.audio, odd.faces)
    with av.open(str(tmp_path / "it.mp4")) as container:
        times = [float(frame.time or 0) for frame in container.decode(video=0)]
    np.testing.assert_allclose(times, odd.times_ms / 1000, atol=0.002)


def test_a_window_holds_the_error_and_ends_with_the_track(track: Track) -> None:
    key = track.key
    moment = Pick("miss", key, 20, 30, 25, 0.0, 0.0)
    assert window(track, moment) == (0, len(track))
    assert window(replace(track, timestamps_ms=track.timestamps_ms * 3), moment) == (10, 40)
    run = Pick("fooled", key, 20, 30, 25, 0.0, 0.0)
    assert window(track, run) == (5, 45)
    slow = replace(track, timestamps_ms=track.timestamps_ms * 20)
    first, stop = window(slow, replace(run, first=2, stop=40, centre=37))
    assert slow.timestamps_ms[stop - 1] - slow.timestamps_ms[first] <= LONGEST_MS
    assert first <= 37 < stop
