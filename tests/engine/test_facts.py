"""What is known of rows whatever the model."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from asdbench.engine.facts import row_facts, sharpness
from asdbench.types import Dataset, Track

BOX = np.array([0.25, 0.1, 0.5, 0.6], np.float32)


def track(like: Track, entity: str, times: list[int], labels: list[int], video: str = "v", **known: object) -> Track:
    return replace(
        like,
        video_id=video,
        entity_id=entity,
        timestamps_ms=np.array(times),
        labels=np.array(labels, np.int8),
        **known,  # type: ignore[arg-type]
    )


@pytest.fixture
def like(fixture_dataset: Dataset) -> Track:
    return replace(fixture_dataset.tracks[0], boxes=None, frame_size=None, categories=(), audio_margin=(0, 0))


def test_faces_of_all_tracks_count_scored_or_not(like: Track) -> None:
    first = track(like, "a", [0, 40, 80], [1, 0, 1])
    second = track(like, "b", [40, 80, 120], [1, 1, 0])
    third = track(like, "c", [80, 81], [0, 1])
    elsewhere = track(like, "a", [0, 40, 80], [1, 1, 1], video="w")
    everything = [elsewhere, third, first, second]
    scored = [first, second]
    found = row_facts(everything, scored, {each.key: np.zeros(3, np.float32) for each in scored})
    assert found.faces.tolist() == [1, 2, 3, 2, 3, 1]
    assert found.speakers.tolist() == [1, 1, 2, 1, 2, 0]
    assert (found.faces.dtype, found.speakers.dtype) == (np.int16, np.int16)


def test_widths_sound_and_categories_follow_the_track(like: Track) -> None:
    boxes = np.stack([BOX, BOX + np.array([0, 0, 0.25, 0])])
    wide = track(like, "a", [1000, 1040], [1, 0], boxes=boxes, frame_size=(640, 360), categories=("far", "night"))
    wide = replace(wide, num_samples=640, audio_margin=(1600, 3200))
    unsized = track(like, "b", [0, 40], [0, 0], boxes=boxes, num_samples=640)
    measured = {wide.key: np.array([1, 2], np.float32), unsized.key: np.array([3, np.nan], np.float32)}
    found = row_facts([wide, unsized], [wide, unsized], measured)
    np.testing.assert_allclose(found.face_width_px, [160, 320, np.nan, np.nan])
    assert found.sound_from_ms.tolist() == [900, 900, 0, 0]
    assert found.sound_to_ms.tolist() == [1240, 1240, 40, 40]
    assert found.categories.tolist() == ["far|night"] * 2 + [""] * 2
    np.testing.assert_array_equal(found.sharpness, np.array([1, 2, 3, np.nan], np.float32))


def test_sharpness_falls_with_blur_and_hardly_with_size() -> None:
    rng = np.random.default_rng(5)
    picture = cv2.GaussianBlur(rng.integers(0, 256, (112, 112)).astype(np.uint8), (0, 0), 2)
    blurred = [cv2.GaussianBlur(picture, (0, 0), deviation) for deviation in (1, 2, 4)]
    found = sharpness([picture, *blurred])
    assert found.dtype == np.float32
    assert (np.diff(found) < 0).all()
    twice = cv2.resize(picture, (224, 224), interpolation=cv2.INTER_NEAREST)
    assert sharpness([twice])[0] == pytest.approx(found[0], rel=1e-5)
    assert sharpness([np.full((50, 60), 7, np.uint8)])[0] == 0
    assert np.isnan(sharpness([np.zeros((0, 5), np.uint8)])[0])
