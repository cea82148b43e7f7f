"""Things in front of the face."""

from __future__ import annotations

import numpy as np
import pytest

from asdbench.perturb.edits import edit_faces
from asdbench.perturb.occlusion import HAND, MOUTH, OBJECT, occlude, put_hand, skin_tone
from asdbench.types import UInt8Array
from tests.perturb.seen import NOBODY, edit, track

FACE = np.full((200, 200), 250, np.uint8)


def covered(face: UInt8Array) -> np.ndarray:
    return face != 250


@pytest.mark.parametrize("size", OBJECT)
def test_the_object_is_an_oval_of_the_size_asked_for(size: float) -> None:
    where = covered(occlude(np.full((100, 200), 250, np.uint8), size, 90, (0.5, 0.5)))
    rows, columns = (np.flatnonzero(where.any(axis=axis)) for axis in (1, 0))
    assert len(rows) == pytest.approx(size * 100, abs=2)
    assert len(columns) == pytest.approx(size * 200, abs=3)
    assert where.sum() == pytest.approx(np.pi / 4 * size * 100 * size * 200, rel=0.03)
    assert rows.mean() == pytest.approx(49.5, abs=1)


def test_the_object_moves_over_the_face_and_never_jumps() -> None:
    made = edit("occlusion", track(300), severity=3)
    faces = edit_faces([FACE] * 300, [made], NOBODY)
    middles = np.array([[part.mean() for part in np.nonzero(covered(face))] for face in faces]) / 200
    assert (np.ptp(middles, axis=0) > 0.5).all()
    assert np.abs(np.diff(middles, axis=0)).max() < 0.06
    assert len({(face[covered(face)].max()) for face in faces}) < 10  # the same object throughout


def test_it_crosses_the_face_in_time_not_in_frames() -> None:
    assert edit("occlusion", track(9, fps=25.0)).period == 75.0  # type: ignore[attr-defined]
    assert edit("occlusion", track(9, fps=30.0)).period == 90.0  # type: ignore[attr-defined]
    assert edit("hand", track(9, fps=25.0), period_s=2.0).period == 50.0  # type: ignore[attr-defined]


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("size", HAND)
def test_the_hand_covers_the_mouth_and_leaves_the_eyes(size: float, mirrored: bool) -> None:
    where = covered(put_hand(FACE, size, 120, mirrored=mirrored))
    x, y = (int(place * 200) for place in MOUTH)
    mouth = where[y - 14 : y + 14, x - 30 : x + 30]
    assert mouth.mean() > 0.8
    assert not where[:70].any() or size > 0.9
    eyes = where[70:95]
    assert eyes.mean() < 0.3
    # The arm comes from one side.
    left, right = where[-20:, :60].mean(), where[-20:, -60:].mean()
    assert (left > right) == mirrored


def test_a_larger_hand_covers_what_a_smaller_one_does_and_more() -> None:
    shares = [covered(put_hand(FACE, size, 120)).mean() for size in HAND]
    assert shares == sorted(set(shares))
    assert shares[0] > 0.1
    assert shares[-1] < 0.6


def test_mirrored_hands_are_mirrored() -> None:
    plain, mirrored = (put_hand(FACE, 0.8, 120, (0.5, 0.79), side) for side in (False, True))
    # Places are rounded down to the template's pixels, on either side.
    assert np.abs(plain.astype(int) - mirrored[:, ::-1]).mean() < 1


def test_the_hand_is_as_light_as_the_face_and_stays_so() -> None:
    faces = [np.full((60 + n % 3, 60), 90, np.uint8) for n in range(40)]
    edited = edit_faces(faces, [edit("hand", track(40))], NOBODY)
    tones = [face[face != 90] for face in edited]
    assert all(60 <= tone.mean() <= 95 for tone in tones)
    assert max(tone.max() for tone in tones) <= 95
    assert skin_tone(np.zeros((20, 20), np.uint8)) > 40


def test_the_hand_follows_the_box() -> None:
    box = (0.5, 0.5, 1.0, 1.0)
    within = covered(put_hand(FACE, 0.6, 120, box=box))
    alone = covered(put_hand(FACE[:100, :100], 0.6, 120))
    np.testing.assert_array_equal(within[100:, 100:], alone)


def test_things_beside_the_crop_leave_it_alone() -> None:
    assert not covered(occlude(FACE, 0.2, 90, (5.0, 0.5))).any()
    assert not covered(occlude(FACE, 0.2, 90, (-5.0, -0.5))).any()
