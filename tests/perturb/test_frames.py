"""Pictures that are held."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from asdbench.perturb.edits import edit_faces
from asdbench.perturb.frames import DROPPED, HELD
from asdbench.types import UInt8Array
from tests.perturb.seen import NOBODY, edit, pattern, track

FACES = [pattern(20 + number % 5, 30, number) for number in range(400)]


def shown(name: str, length: int = len(FACES), **options: object) -> list[int]:
    """The number of the crop that each frame shows, the crop being the very same."""
    faces = FACES[:length]
    numbers = {id(face): number for number, face in enumerate(faces)}
    return [numbers[id(face)] for face in edit_faces(faces, [edit(name, track(length), **options)], NOBODY)]


@pytest.mark.parametrize(("length", "middle"), [(1, 0), (2, 1), (5, 2), (6, 3)])
def test_freeze_shows_the_middle_frame(length: int, middle: int) -> None:
    assert shown("freeze", length) == [middle] * length


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_every_kth_picture_is_held(severity: int) -> None:
    every = HELD[severity - 1]
    assert shown("frame_rate", severity=severity) == [number // every * every for number in range(len(FACES))]


def test_a_lost_frame_shows_the_one_before() -> None:
    lost = []
    for severity, share in enumerate(DROPPED, 1):
        order = shown("frame_drop", severity=severity)
        new = [number for number in range(len(order)) if order[number] == number]
        assert new[0] == 0
        # Between new pictures the latest is held.
        np.testing.assert_array_equal(order, np.repeat(new, np.diff([*new, len(order)])))
        assert 1 - len(new) / len(order) == pytest.approx(share, abs=0.08)
        lost.append(set(range(len(order))) - set(new))
    assert all(fewer < more for fewer, more in pairwise(lost))


def test_the_first_frame_cannot_be_lost() -> None:
    assert shown("frame_drop", 50, share=1.0) == [0] * 50


def test_a_frozen_face_does_not_move_at_all(demo_faces: list[list[UInt8Array]]) -> None:
    faces = demo_faces[0]
    assert len({face.shape for face in faces}) > 1
    frozen = edit_faces(faces, [edit("freeze", track(len(faces)))], NOBODY)
    assert len({face.tobytes() for face in frozen}) == 1
