"""Lip landmarks from a file, joined to face tracks by key and timestamp.

No landmark detector is part of asdbench; whichever one is used writes a Parquet table with one row per face crop:
``video_id`` and ``entity_id`` (text), ``timestamp_ms`` (whole number) and ``points``, a list of ``2 * 82`` numbers:
x and y of each of MediaPipe's 82 lip points as shares of the crop, negative where a point was not found. Sorted by
video and entity, the file is read track by track and never held as a whole.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from asdbench.errors import DataError
from asdbench.types import LIP_POINTS, Float32Array, Track

NOT_FOUND = -1.0
"""Coordinate of a point that was not found."""

COLUMNS = ("video_id", "entity_id", "timestamp_ms", "points")


class LandmarkFile:
    """A Parquet table of landmarks.

    Args:
        path: The file.

    Raises:
        DataError: There is no such file, it is no Parquet file, or a column is missing.
    """

    def __init__(self, path: Path | str) -> None:
        import pyarrow
        import pyarrow.dataset

        self.path = Path(path)
        if not self.path.is_file():
            raise DataError(f"{self.path}: no such file; expected a Parquet table of lip landmarks.")
        try:
            self._table: Any = pyarrow.dataset.dataset(self.path, format="parquet")
        except (pyarrow.ArrowException, OSError) as error:
            raise DataError(f"{self.path}: not readable as a Parquet table of lip landmarks ({error}).") from error
        missing = [name for name in COLUMNS if name not in self._table.schema.names]
        if missing:
            raise DataError(f"{self.path}: no column {missing[0]!r}; lip landmarks need {', '.join(COLUMNS)}.")

    def stamp(self) -> str:
        """Return text that changes when the file changes; never raises."""
        try:
            status = self.path.stat()
        except OSError:
            return "missing"
        return f"{status.st_size}-{status.st_mtime_ns}"

    def of(self, track: Track) -> Float32Array:
        """Return the landmarks of a track, ``[T, 82, 2]``, one for each of its frames.

        Raises:
            DataError: A frame of the track has no row, or two; a row has another number of points, or is not finite.
        """
        import pyarrow
        import pyarrow.compute

        field = pyarrow.compute.field
        chosen = (field("video_id") == track.video_id) & (field("entity_id") == track.entity_id)
        try:
            rows = self._table.to_table(columns=["timestamp_ms", "points"], filter=chosen)
            times = rows["timestamp_ms"].to_numpy().astype(np.int64)
            points = [np.asarray(row, dtype=np.float32) for row in rows["points"].to_pylist()]
        except (pyarrow.ArrowException, OSError, TypeError, ValueError) as error:
            raise self._unfit(track, f"cannot be read: {error}") from error
        if any(row.shape != (2 * LIP_POINTS,) or not np.isfinite(row).all() for row in points):
            raise self._unfit(track, f"must be {2 * LIP_POINTS} finite numbers in each row, -1 where none was found")
        found = dict(zip(times.tolist(), points, strict=True))
        absent = [time for time in track.timestamps_ms.tolist() if time not in found]
        if absent or len(found) != len(times):
            what = f"lack {len(absent)} of {len(track)} frames" if absent else "hold a frame twice"
            raise self._unfit(track, f"{what}; expected one row per face crop, with -1 where no lips were found")
        return np.stack([found[time] for time in track.timestamps_ms.tolist()]).reshape(-1, LIP_POINTS, 2)

    def _unfit(self, track: Track, what: str) -> DataError:
        return DataError(f"{self.path}: the landmarks of {track.entity_id!r} in video {track.video_id!r} {what}.")
