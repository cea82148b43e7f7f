"""Landmarks are joined by key and timestamp, whatever the order of the rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from asdbench.data.landmarks import LandmarkFile
from asdbench.errors import DataError
from asdbench.types import LIP_POINTS, Dataset, Track


def rows_of(tracks: list[Track]) -> list[dict[str, object]]:
    rng = np.random.default_rng(0)
    return [
        {
            "video_id": track.video_id,
            "entity_id": track.entity_id,
            "timestamp_ms": time,
            "points": rng.random(2 * LIP_POINTS).astype(np.float32).tolist(),
        }
        for track in tracks
        for time in track.timestamps_ms.tolist()
    ]


def written(path: Path, rows: list[dict[str, object]]) -> LandmarkFile:
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=50)
    return LandmarkFile(path)


@pytest.fixture
def tracks(fixture_dataset: Dataset) -> list[Track]:
    return list(fixture_dataset.tracks[:3])


def test_landmarks_are_joined_by_key_and_time(tmp_path: Path, tracks: list[Track]):
    rows = rows_of(tracks)
    shuffled = [rows[i] for i in np.random.default_rng(1).permutation(len(rows))]
    landmarks = written(tmp_path / "a.parquet", shuffled)
    for track in tracks:
        wanted = [row["points"] for row in rows if (row["video_id"], row["entity_id"]) == track.key]
        found = landmarks.of(track)
        assert found.shape == (len(track), LIP_POINTS, 2)
        np.testing.assert_array_equal(found.reshape(len(track), -1), np.array(wanted, np.float32))


def test_frames_must_be_there_once(tmp_path: Path, tracks: list[Track]):
    rows = rows_of(tracks)
    with pytest.raises(DataError, match=rf"a\.parquet: .* lack 2 of {len(tracks[0])} frames"):
        written(tmp_path / "a.parquet", rows[2:]).of(tracks[0])
    with pytest.raises(DataError, match="hold a frame twice"):
        written(tmp_path / "b.parquet", [rows[0], *rows]).of(tracks[0])


@pytest.mark.parametrize("points", [[0.5] * 10, [float("nan")] * 2 * LIP_POINTS, None])
def test_points_must_be_numbers_for_each_lip_point(tmp_path: Path, tracks: list[Track], points: object):
    rows = rows_of(tracks)
    rows[1]["points"] = points
    with pytest.raises(DataError, match=r"must be 164 finite numbers|cannot be read"):
        written(tmp_path / "a.parquet", rows).of(tracks[0])


def test_files_that_are_none(tmp_path: Path, tracks: list[Track]):
    with pytest.raises(DataError, match="no such file; expected a Parquet table"):
        LandmarkFile(tmp_path / "absent.parquet")
    (tmp_path / "text.parquet").write_text("x,y\n")
    with pytest.raises(DataError, match="not readable as a Parquet table"):
        LandmarkFile(tmp_path / "text.parquet")
    rows = [{key: value for key, value in row.items() if key != "points"} for row in rows_of(tracks)]
    with pytest.raises(DataError, match="no column 'points'"):
        written(tmp_path / "short.parquet", rows)


def test_the_stamp_changes_with_the_file(tmp_path: Path, tracks: list[Track]):
    rows = rows_of(tracks)
    landmarks = written(tmp_path / "a.parquet", rows)
    before = landmarks.stamp()
    assert written(tmp_path / "a.parquet", rows[1:]).stamp() != before
    (tmp_path / "a.parquet").unlink()
    assert landmarks.stamp() == "missing"
