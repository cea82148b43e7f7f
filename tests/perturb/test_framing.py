"""Where crops are cut."""

from __future__ import annotations

import numpy as np
import pytest

from asdbench.perturb.edits import edit_faces
from asdbench.perturb.framing import JITTER, SHIFT, shift_crop
from asdbench.types import UInt8Array
from tests.perturb.seen import NOBODY, edit, pattern, track

SIZE = 100


def marked() -> UInt8Array:
    face = np.zeros((SIZE, SIZE), np.uint8)
    face[50, 50] = 255
    return face


def places(name: str, length: int = 400, **options: object) -> np.ndarray:
    """How far the marked pixel is moved in every frame: ``[T, 2]``, down and right."""
    faces = edit_faces([marked()] * length, [edit(name, track(length), **options)], NOBODY)
    return np.array([np.argwhere(face == 255)[0] for face in faces]) - 50


def test_what_comes_in_is_the_border() -> None:
    face = pattern(10, 12)
    moved = shift_crop(face, 0.25, -0.1)
    np.testing.assert_array_equal(moved[:9, 3:], face[1:, :9])
    np.testing.assert_array_equal(moved[9], moved[8])
    np.testing.assert_array_equal(moved[:, :3], np.repeat(moved[:, 3:4], 3, axis=1))


def test_shifts_are_shares_of_the_face_and_not_of_the_crop() -> None:
    moved = shift_crop(marked(), 0.5, 0.25, (0.4, 0.4, 0.8, 0.6))
    assert np.argwhere(moved == 255).tolist() == [[55, 70]]


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_jitter_is_even_in_its_range_and_fresh_in_every_frame(severity: int) -> None:
    moved = places("crop_jitter", severity=severity)
    most = JITTER[severity - 1] * SIZE
    assert np.abs(moved).max() == pytest.approx(most, abs=0.6)
    np.testing.assert_allclose(moved.std(axis=0), most / np.sqrt(3), rtol=0.15)
    np.testing.assert_allclose(moved.mean(axis=0), 0, atol=0.15 * most)
    assert abs(np.corrcoef(moved[1:, 0], moved[:-1, 0])[0, 1]) < 0.15
    assert abs(np.corrcoef(*moved.T)[0, 1]) < 0.15


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_off_centre_is_one_shift_of_the_size_asked_for(severity: int) -> None:
    moved = places("off_centre", 20, severity=severity)
    assert (moved == moved[0]).all()
    assert np.hypot(*moved[0]) == pytest.approx(SHIFT[severity - 1] * SIZE, abs=1)


def test_directions_of_tracks_go_everywhere() -> None:
    ways = np.array([edit("off_centre", track(name=f"v:{n}")).way for n in range(200)])  # type: ignore[attr-defined]
    np.testing.assert_allclose(np.hypot(*ways.T), 1, atol=1e-4)
    np.testing.assert_allclose(ways.mean(axis=0), 0, atol=0.15)
