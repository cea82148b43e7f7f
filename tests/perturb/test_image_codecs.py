"""JPEG and H.264."""

from __future__ import annotations

import numpy as np
import pytest

from asdbench.errors import DataError
from asdbench.perturb.image_codecs import CRF, h264, jpeg
from asdbench.types import UInt8Array
from tests.perturb.seen import edit, loss, pattern, track


def counted(number: int, height: int, width: int) -> UInt8Array:
    """A crop whose gray level is its number."""
    return np.full((height, width), 20 + number, np.uint8)


@pytest.mark.parametrize("length", [1, 2, 3, 60, 200])
def test_every_picture_comes_back_in_its_place(length: int) -> None:
    # Numbers in an order that B-frames would betray.
    order = [(number * 37) % 200 for number in range(length)]
    faces = [counted(number, 48, 40) for number in order]
    means = [float(face.mean()) - 20 for face in h264(faces, 18)]
    assert np.abs(np.array(means) - order).max() < 3


def test_sizes_that_differ_come_back_and_what_is_padded_stays_out() -> None:
    faces = [pattern(20 + 7 * (n % 9), 90 - 5 * (n % 11), n) for n in range(40)]
    decoded = h264(faces, 10)
    assert [face.shape for face in decoded] == [face.shape for face in faces]
    assert loss(decoded, faces) < 30
    assert all(face.base is None for face in decoded)


def test_the_same_pictures_are_always_coded_alike() -> None:
    faces = [pattern(64, 64, n) for n in range(80)]
    first = h264(faces, 38)
    for _ in range(3):
        assert all(np.array_equal(a, b) for a, b in zip(first, h264(faces, 38), strict=True))


def test_levels_are_neither_stretched_nor_cut() -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
    decoded = h264([ramp] * 5, 1)
    assert loss(decoded, [ramp] * 5) < 2
    assert decoded[0].min() <= 1
    assert decoded[0].max() >= 254


def test_all_of_a_track_is_one_video() -> None:
    # A still picture gets better with time only if pictures know of one another.
    still = [pattern(96, 96)] * 50
    assert loss(h264(still, 40)[-1:], still[-1:]) <= loss([h264(still[:1], 40)[0]], still[-1:]) + 1


def test_an_encoder_that_fails_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asdbench.perturb.image_codecs._decoded", lambda packets: [(0, np.zeros((16, 16), np.uint8))])
    with pytest.raises(DataError, match="1 of 3 pictures came back"):
        h264([pattern(8, 8)] * 3, 28)


def test_a_crop_that_is_too_large_for_the_codec_is_reported() -> None:
    with pytest.raises(DataError, match=r"crops of 16512x16 pixels cannot be coded as H.264 \("):
        h264([np.zeros((8, 16_500), np.uint8)], 28)


def test_edits_name_the_libraries() -> None:
    import av
    import cv2

    assert edit("h264", track(), severity=1).made_with.startswith(f"av {av.__version__}, libavcodec ")  # type: ignore[attr-defined]
    assert edit("jpeg", track()).made_with == f"cv2 {cv2.__version__}"  # type: ignore[attr-defined]
    assert edit("h264", track(), severity=5).crf == CRF[-1]  # type: ignore[attr-defined]


def test_jpeg_of_high_quality_is_nearly_the_same() -> None:
    face = pattern(50, 70)
    assert loss([jpeg(face, 100)], [face]) < 1 < loss([jpeg(face, 5)], [face])
