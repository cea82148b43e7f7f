"""Light, blur and detail."""

from __future__ import annotations

import numpy as np
import pytest

from asdbench.perturb.blur import defocus, motion_blur
from asdbench.perturb.edits import edit_faces
from asdbench.perturb.exposure import BRIGHT, DARK, SIGMA, exposure
from asdbench.perturb.resolution import BLOCKS, low_resolution, pixelate
from asdbench.types import UInt8Array
from tests.perturb.seen import NOBODY, edit, pattern, track


def point(size: int = 101) -> UInt8Array:
    face = np.zeros((size, size), np.uint8)
    face[size // 2, size // 2] = 255
    return face


# --- light --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("severity", [1, 2, 3])
def test_noise_has_the_deviation_asked_for_and_differs_between_frames(severity: int) -> None:
    faces = edit_faces([np.full((80, 90), 128, np.uint8)] * 60, [edit("gaussian_noise", track(60), severity=severity)],
                       NOBODY)  # fmt: skip
    noise = np.stack(faces).astype(float) - 128
    assert noise.mean() == pytest.approx(0, abs=0.3)
    assert noise.std() == pytest.approx(SIGMA[severity - 1], rel=0.02)
    flat = noise.reshape(60, -1)
    together = np.corrcoef(flat)[~np.eye(60, dtype=bool)]
    assert np.abs(together).max() < 0.1
    assert abs(np.corrcoef(noise[:, :, 1:].ravel(), noise[:, :, :-1].ravel())[0, 1]) < 0.02


def test_more_noise_is_the_same_noise_louder() -> None:
    face = [np.full((50, 50), 128, np.uint8)]
    mild, harsh = (
        edit_faces(face, [edit("gaussian_noise", track(1), severity=severity)], NOBODY)[0].astype(float) - 128
        for severity in (1, 2)
    )
    assert np.corrcoef(mild.ravel(), harsh.ravel())[0, 1] > 0.99


def test_exposure_multiplies_and_cuts_off() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    np.testing.assert_array_equal(exposure(levels, 0.5), np.rint(levels * 0.5))
    np.testing.assert_array_equal(exposure(levels, 2.0), np.minimum(levels.astype(int) * 2, 255))


def test_half_of_the_tracks_are_too_dark() -> None:
    gains = np.array([edit("exposure", track(name=f"v:{n}"), severity=4).gain for n in range(200)])  # type: ignore[attr-defined]
    assert set(gains) == {round(2 ** (-DARK[3] / 2.2), 4), round(2 ** (BRIGHT[3] / 2.2), 4)}
    assert 0.4 < (gains < 1).mean() < 0.6


# --- blur ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [(1.0, 0.0), (0.0, 1.0), (0.6, 0.8), (-0.6, 0.8)])
def test_motion_blur_smears_along_its_way(way: tuple[float, float]) -> None:
    spread = np.argwhere(motion_blur(point(), 0.2, way)) - 50
    along, across = spread @ way[::-1], spread @ np.array([way[0], -way[1]])
    assert np.ptp(along) == pytest.approx(20, abs=1.5)
    assert np.abs(along.mean()) < 0.6
    assert np.abs(across).max() < 1


def test_blur_keeps_flat_faces_flat() -> None:
    for size in (1, 2, 30, 300):
        flat = np.full((size, size + 1), 93, np.uint8)
        for length in (0.01, 0.3, 1.0):
            np.testing.assert_array_equal(motion_blur(flat, length, (0.6, 0.8)), flat)
            np.testing.assert_array_equal(defocus(flat, length), flat)


@pytest.mark.parametrize("radius", [0.02, 0.05, 0.1, 0.15])
def test_defocus_makes_a_disc_of_the_radius_asked_for(radius: float) -> None:
    bright = point().astype(int)
    bright[48:53, 48:53] = 255
    blurred = defocus(bright.astype(np.uint8), radius).astype(float)
    y, x = np.mgrid[-50:51, -50:51]
    spread = (blurred * (x**2 + y**2)).sum() / blurred.sum() - (24 + 0) / 6
    # The mean square distance within a disc is r^2 / 2; that of the bright square adds its own, 4.
    assert np.sqrt(2 * max(spread, 0)) == pytest.approx(radius * 101, rel=0.2, abs=0.7)


# --- detail -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blocks", BLOCKS)
def test_pixelate_makes_so_many_flat_blocks(blocks: float) -> None:
    face = pattern(111, 97)
    result = pixelate(face, blocks)
    changes = np.flatnonzero((np.diff(result.astype(int), axis=1) != 0).any(axis=0))
    assert len(changes) + 1 == blocks
    assert result.mean() == pytest.approx(face.mean(), abs=0.5)


def test_pixelate_gives_each_block_its_mean() -> None:
    face = np.array([[0, 1, 10, 20], [2, 4, 30, 41]], np.uint8)
    np.testing.assert_array_equal(pixelate(face, 2), [[2, 2, 25, 25], [2, 2, 25, 25]])


def test_a_face_that_is_small_already_stays() -> None:
    face = pattern(30, 24)
    np.testing.assert_array_equal(low_resolution(face, 24), face)
    np.testing.assert_array_equal(pixelate(face, 40), face)
    # A small face in a large crop is small.
    np.testing.assert_array_equal(low_resolution(face, 12, (0.25, 0.25, 0.75, 0.75)), face)


def test_low_resolution_leaves_no_more_than_the_pixels_asked_for() -> None:
    import cv2

    face = pattern(160, 160)
    face[::2] = 255 - face[::2]  # detail of a pixel
    once = low_resolution(face, 20)
    # What is left, a picture of 20 pixels holds: bilinear interpolation between their centres.
    small = cv2.resize(once, (20, 20), interpolation=cv2.INTER_AREA)
    assert np.abs(np.diff(once.astype(int), 2, axis=0)).max() < 25
    assert np.abs(cv2.resize(small, (160, 160)).astype(int) - once).mean() < 12
