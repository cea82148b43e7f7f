"""The reader on recorded talking faces (reference material that is not part of the project)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asdbench.data import open_dataset
from asdbench.types import Dataset


@pytest.fixture(scope="module")
def clips(shared: Path) -> Dataset:
    return open_dataset(shared / "clips/ava_layout")


def test_counts(clips: Dataset) -> None:
    runs = [run for track in clips.tracks for run in track.speaking_runs]
    assert len(clips.tracks) == 43
    assert sum(len(track) for track in clips.tracks) == 5091
    assert sum(int((track.labels == 1).sum()) for track in clips.tracks) == 2864
    assert len(runs) == 49
    assert sum(run.long_enough for run in runs) == 47
    assert clips.notes == ()


def test_one_track_loads(clips: Dataset) -> None:
    track = clips.tracks[0]
    audio, faces = track.media.audio(), track.media.faces()
    assert track.key == ("realclip_01", "realclip_01_0000_0010:1")
    assert len(track) == len(faces) == 150
    assert len(audio) == track.num_samples == 149 * 640
    assert np.abs(audio).max() > 1000
    assert all(face.ndim == 2 and max(face.shape) <= 128 and face.std() > 5 for face in faces)
