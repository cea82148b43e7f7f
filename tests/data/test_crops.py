"""Several faces cut out of a video in one pass: each as if it were alone, the video opened once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import asdbench.data.video
from asdbench.data.video import Crop, Face, Failed, cut_faces, read_crops
from asdbench.errors import DataError
from asdbench.types import UInt8Array
from tests.data.films import HEIGHT, LOSSLESS, WIDTH, Film, numbered
from tests.data.good import textured
from tests.data.test_video import spoil

BOXES = ((0.0, 0.0, 0.5, 1.0), (0.25, 0.25, 1.0, 1.0), (0.5, 0.1, 1.2, 0.8), (0.0, 0.5, 1.0, 1.0))


def face_of(first: int, stop: int, step: int = 1, box: int = 0, **fields: Any) -> Face:
    times = [40 * number for number in range(first, stop, step)]
    boxes = np.tile(np.array(BOXES[box]), (len(times), 1)) if "boxes" not in fields else fields.pop("boxes")
    return Face(times, boxes, [f"t.csv, line {line}" for line in range(1, len(times) + 1)], **fields)


def together(path: Path, faces: Sequence[Face]) -> list[list[UInt8Array] | str]:
    """Return crops, or the message of the error, of each face."""
    crops: list[list[UInt8Array]] = [[] for _ in faces]
    errors: dict[int, str] = {}
    for found in cut_faces(path, faces):
        assert found.face not in errors, "nothing follows a failure"
        if isinstance(found, Failed):
            errors[found.face] = str(found.error)
        else:
            assert found.row == len(crops[found.face])
            crops[found.face].append(found.gray)
    return [errors.get(index, crops[index]) for index in range(len(faces))]


def alone(path: Path, face: Face) -> list[UInt8Array] | str:
    try:
        return read_crops(path, face.timestamps_ms, face.boxes, face.rows, face.style)
    except DataError as error:
        return str(error)


def check(path: Path, faces: Sequence[Face]) -> list[list[UInt8Array] | str]:
    found = together(path, faces)
    for face, result in zip(faces, found, strict=True):
        wanted = alone(path, face)
        if isinstance(wanted, str) or isinstance(result, str):
            assert result == wanted
        else:
            assert len(result) == len(face.timestamps_ms)
            assert all(np.array_equal(a, b) for a, b in zip(result, wanted, strict=True))
    return found


@pytest.fixture
def opens(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Each opening of a video."""
    paths: list[Path] = []
    original = asdbench.data.video.open_stream

    def counted(path: Path, kind: str) -> Any:
        paths.append(path)
        return original(path, kind)  # type: ignore[arg-type]

    monkeypatch.setattr(asdbench.data.video, "open_stream", counted)
    return paths


def test_faces_that_overlap_nest_and_follow(tmp_path: Path, opens: list[Path]) -> None:
    path = Film(frames=90, luma=textured, options=LOSSLESS).write(tmp_path / "a.mp4")
    faces = [face_of(40, 80), face_of(0, 90, box=1), face_of(5, 30, 3, box=2), face_of(50, 51), face_of(0, 90, box=3)]
    list(cut_faces(path, faces))
    assert len(opens) == 1, "one pass for all of them"
    assert not any(isinstance(result, str) for result in check(path, faces))


@pytest.mark.parametrize("style", ["box", "padded_box", "square", "centre"])
def test_styles(tmp_path: Path, style: Any) -> None:
    path = Film(frames=10, luma=textured, options=LOSSLESS).write(tmp_path / "a.mp4")
    check(path, [face_of(0, 10, box=2, style=style), face_of(2, 9)])


def test_no_faces(tmp_path: Path) -> None:
    assert list(cut_faces(tmp_path / "a.mp4", [])) == []


def test_what_lies_far_between_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Film(frames=600, luma=lambda number: numbered(number % 100), options={"g": "10"}).write(tmp_path / "a.mp4")
    shown = 0
    original = asdbench.data.video._time

    def counted(*arguments: Any) -> Any:
        nonlocal shown
        shown += 1
        return original(*arguments)

    monkeypatch.setattr(asdbench.data.video, "_time", counted)
    found = list(cut_faces(path, [face_of(0, 20), face_of(550, 570)]))
    assert len(found) == 40
    assert shown < 150, "of 570 pictures"


def test_one_face_that_fails_leaves_the_others(tmp_path: Path) -> None:
    path = Film(frames=60, luma=textured, options=LOSSLESS).write(tmp_path / "a.mp4")
    thin = np.tile(np.array(BOXES[0]), (30, 1))
    thin[7] = (0.5, 0.5, 0.505, 0.9)
    twice = Face([400, 412, 440], np.tile(np.array(BOXES[0]), (3, 1)), ["x, line 1", "x, line 2", "x, line 3"])
    late = face_of(50, 70)
    found = check(path, [face_of(0, 60), face_of(10, 40, boxes=thin), twice, late, face_of(20, 50, box=1)])
    assert [isinstance(result, str) for result in found] == [False, True, True, True, False]
    assert "t.csv, line 8: the box holds no pixel" in found[1]
    assert "x, line 2: " in found[2]
    assert "t.csv, line 11: " in found[3]


def test_damage_fails_only_the_faces_in_it(tmp_path: Path) -> None:
    path = Film(frames=200, luma=textured, options={"crf": "10", "g": "10"}).write(tmp_path / "a.mp4")
    spoil(path, 0.5, 8_000)
    faces = [face_of(0, 50), face_of(20, 180), face_of(150, 190), face_of(60, 130, box=1), face_of(185, 200, box=2)]
    found = check(path, faces)
    assert [isinstance(result, str) for result in found] == [False, True, False, True, False]


def test_a_missing_video_fails_every_face(tmp_path: Path) -> None:
    found = check(tmp_path / "a.mp4", [face_of(0, 5), face_of(3, 9)])
    assert all("the file is missing" in str(result) for result in found)


def test_crops_know_the_size_of_their_picture(tmp_path: Path) -> None:
    path = Film(frames=3).write(tmp_path / "a.mp4")
    found = list(cut_faces(path, [face_of(0, 3)]))
    assert all(isinstance(each, Crop) and each.picture == (WIDTH, HEIGHT) for each in found)
