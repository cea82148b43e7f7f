"""Faces seen beside the target's."""

from __future__ import annotations

import numpy as np
import pytest

from asdbench.perturb import lip_mask
from asdbench.perturb.edits import FaceEdit, edit_faces
from asdbench.perturb.scene import edit_beside
from asdbench.types import UInt8Array
from tests.perturb.seen import CORRUPTIONS, MASKS, NOBODY, edit, pattern, track

FACES = [pattern(30 + number % 4, 40, number) for number in range(12)]
MASK = edit("lip_mask", track(12), scope="scene")


def beside(
    faces: list[UInt8Array | None], *edits: FaceEdit, boxes: np.ndarray | None = None
) -> list[UInt8Array | None]:
    return list(edit_beside(faces, edits, NOBODY, boxes, "v|v:1"))


def test_edits_of_the_target_alone_leave_others() -> None:
    assert edit_beside(FACES, [edit("lip_mask", track(12))], NOBODY, None, "v|v:1") is FACES


def test_only_parts_of_the_scene_reach_others() -> None:
    got = beside([*FACES], edit("upper_mask", track(12)), MASK)
    for face, was in zip(got, FACES, strict=True):
        np.testing.assert_array_equal(face, lip_mask(was))


def test_each_face_has_its_own_box() -> None:
    boxes = np.tile(np.array([0.25, 0.2, 0.75, 0.8], np.float32), (12, 1))
    boxes[5] = [0, 0, 0.5, 0.5]
    got = beside([*FACES], MASK, boxes=boxes)
    for face, was, box in zip(got, FACES, boxes.tolist(), strict=True):
        np.testing.assert_array_equal(face, lip_mask(was, box=tuple(box)))


@pytest.mark.parametrize("name", [*MASKS, "freeze", *CORRUPTIONS])
def test_who_is_not_seen_stays_unseen(name: str) -> None:
    faces: list[UInt8Array | None] = [None, None, *FACES[2:5], None, *FACES[6:9], None, None, None]
    got = beside(faces, edit(name, track(12), scope="scene"))
    assert [face is None for face in got] == [face is None for face in faces]


def test_boxes_of_frames_that_are_not_seen_are_not_used() -> None:
    boxes = np.full((12, 4), np.nan, np.float32)
    boxes[3:6] = [0.25, 0.2, 0.75, 0.8]
    got = beside([None] * 3 + FACES[3:6] + [None] * 6, MASK, boxes=boxes)
    np.testing.assert_array_equal(
        got[4], lip_mask(FACES[4], box=(0.25, float(np.float32(0.2)), 0.75, float(np.float32(0.8))))
    )


def test_nobody_is_seen() -> None:
    assert beside([None] * 12, MASK) == [None] * 12


@pytest.mark.parametrize("name", ["frame_drop", "frame_rate"])
def test_pictures_are_lost_for_all_at_once(name: str) -> None:
    made = edit(name, track(12), scope="scene", severity=4)
    own = edit_faces(FACES, [made], NOBODY)
    order = [next(n for n, face in enumerate(FACES) if face is shown) for shown in own]
    others: list[UInt8Array | None] = [None, *(pattern(20, 20, 50 + number) for number in range(1, 12))]
    got = beside(others, made)
    for number, face in enumerate(got):
        # Before it was first seen it is taken to look as it did then.
        assert face is (None if number == 0 else others[max(order[number], 1)])
