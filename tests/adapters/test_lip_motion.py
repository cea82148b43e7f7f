"""Lip motion: moved by lips, not by light, boxes and heads."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from asdbench.adapters.lip_motion import HALO, lip_motion
from asdbench.errors import DataError

RNG = np.random.default_rng(5)
PICTURE = cv2.GaussianBlur(RNG.normal(0, 1, (140, 140)), (0, 0), 4)
PICTURE = (125 + 100 * PICTURE / np.abs(PICTURE).max()).astype(np.float32)


def face(opening=0.0, right=0, down=0):
    """A crop of 120 x 100 in which a dark mouth opens by some pixels, cut with an offset."""
    picture = PICTURE.copy()
    cv2.ellipse(picture, (60, 102), (16, 3 + round(opening)), 0, 0, 360, 60.0, -1)
    return np.rint(picture[10 + down : 130 + down, 10 + right : 110 + right]).astype(np.uint8)


TALK = [face(opening) for opening in (0, 6, 2, 8, 3, 7, 0, 5)]
STILL = [face()] * 8
SPEECH = 0.2  # less than the motion of every frame of TALK


def test_lips_move_and_still_faces_do_not():
    np.testing.assert_allclose(lip_motion(STILL), np.zeros(8), atol=1e-6)
    assert lip_motion(TALK).dtype == np.float32
    assert (lip_motion(TALK) > SPEECH).all()


@pytest.mark.parametrize(("gain", "offset"), [(0.4, 5), (0.7, 70), (1.1, -20)])
def test_brightness_and_contrast_do_not_matter(gain, offset):
    lit = [np.rint(gain * crop + offset).astype(np.uint8) for crop in TALK]
    np.testing.assert_allclose(lip_motion(lit), lip_motion(TALK), rtol=0.05)


def test_a_flickering_light_is_no_motion():
    flicker = [np.rint(gain * face()).astype(np.uint8) for gain in (1, 0.8, 1.1, 0.7, 1, 0.9, 1.1, 0.8)]
    assert (np.abs(lip_motion(flicker)) < SPEECH / 5).all()


def test_a_box_that_jitters_is_no_motion():
    offsets = [(0, 0), (2, 1), (-1, 2), (1, -2), (-2, -1), (0, 2), (2, 0), (-1, -1)]
    jittered = [face(0, *offset) for offset in offsets]
    assert (lip_motion(jittered) < SPEECH / 2).all()
    talking = [face(opening, *offset) for opening, offset in zip((0, 6, 2, 8, 3, 7, 0, 5), offsets, strict=True)]
    assert (lip_motion(talking) > 2 * lip_motion(jittered)).all()


def test_what_moves_in_the_upper_face_is_no_motion_of_lips():
    blink = []
    for lid in (0, 4, 0, 4, 0, 4, 0, 4):
        crop = face()
        crop[40 : 40 + lid, 20:40] = crop[40 : 40 + lid, 60:80] = 60
        blink.append(crop)
    assert (lip_motion(blink) < SPEECH / 10).all()


def test_the_size_of_the_crop_matters_little():
    small = [cv2.resize(crop, (50, 60), interpolation=cv2.INTER_AREA) for crop in TALK]
    np.testing.assert_allclose(lip_motion(small), lip_motion(TALK), rtol=0.3)


def test_it_looks_one_frame_around_and_no_further():
    noise = [RNG.integers(0, 256, (40, 40), dtype=np.uint8) for _ in range(12)]
    changed = [*noise[:6], 255 - noise[6][::-1], *noise[7:]]
    assert set(np.flatnonzero(lip_motion(changed) != lip_motion(noise))) == {6 - HALO, 6, 6 + HALO}


@pytest.mark.parametrize("values", [[7], [7, 7], [0, 255, 0], [255, 254, 255]])
def test_pictures_without_structure_do_not_move(values):
    flat = [np.full((30, 20), value, np.uint8) for value in values]
    np.testing.assert_array_equal(lip_motion(flat), np.zeros(len(values)))


def test_the_noise_of_a_black_picture_is_not_blown_up():
    dark = [RNG.integers(2, 4, (64, 64), dtype=np.uint8) for _ in range(5)]
    assert (lip_motion(dark) < SPEECH / 2).all()


def test_a_crop_that_is_no_gray_picture_is_named():
    with pytest.raises(DataError, match="crop of frame 1"):
        lip_motion([STILL[0], np.zeros((9, 9, 3), np.uint8)])
