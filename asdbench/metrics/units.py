"""What is resampled: recordings, for frames of one recording are no independent witnesses (docs/method.md, 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.errors import DataError
from asdbench.metrics.inputs import require_rows

BLOCK_MS = 60_000
"""Length of the blocks into which a single recording is cut."""

FEW_UNITS = 20
"""With fewer units an interval is only indicative."""

MIN_UNITS = 5
"""With fewer units there is no interval."""


@dataclass(frozen=True, eq=False)
class Units:
    """The independent parts of a data set.

    Attributes:
        kind: ``source`` (recordings), or ``block`` (blocks of 60 s of a single recording).
        names: ``[C]`` their names, sorted.
        of_row: ``[N]`` int32, the unit of each row, 0 to C - 1.
    """

    kind: Literal["source", "block"]
    names: tuple[str, ...]
    of_row: NDArray[np.int32]

    @property
    def count(self) -> int:
        """How many units there are."""
        return len(self.names)

    @property
    def effective(self) -> int:
        """How many units of equal size would be as good: ``(sum n)^2 / sum n^2`` of their rows (Kish), rounded down."""
        rows = np.bincount(self.of_row, minlength=self.count)
        return int(rows.sum()) ** 2 // int((rows**2).sum())


def resampling_units(
    source_ids: Sequence[str] | NDArray[np.object_] | NDArray[np.str_],
    timestamps_ms: ArrayLike | None = None,
    video_ids: Sequence[str] | NDArray[np.object_] | NDArray[np.str_] | None = None,
) -> Units:
    """Find the units of rows: one per source, or blocks of 60 s where all rows are of one source.

    A block is ``floor(timestamp / 60 s)`` of a video, across all its face tracks: what is heard at one moment is heard
    by all of them.

    Args:
        source_ids: ``[N]`` the recording each row comes from.
        timestamps_ms: ``[N]`` int, needed where there is a single source.
        video_ids: ``[N]`` the video of each row, where one source has several.

    Returns:
        The units, in the order of their names, whatever the order of rows.

    Raises:
        DataError: Lengths differ, or there is one source and no timestamps.
        UndefinedMetricError: No rows.

    Source:
        docs/method.md, section 10.

    Example:
        >>> resampling_units(["film"] * 3, [0, 59_999, 60_000]).names
        ('film 0', 'film 1')
    """
    names, of_row = _codes(source_ids)
    if len(names) > 1:
        return Units("source", names, of_row)
    if timestamps_ms is None:
        raise DataError(
            "all rows are of one source, so the units of the bootstrap are blocks of 60 s; give the times of the rows."
        )
    times = np.asarray(timestamps_ms)
    videos, video_of = _codes(source_ids if video_ids is None else video_ids)
    if not len(times) == len(of_row) == len(video_of):
        raise DataError(f"there are {len(of_row)} rows but {len(times)} times and {len(video_of)} videos.")
    block = times.astype(np.int64) // BLOCK_MS
    pairs, unit = np.unique(np.stack([video_of, block]), axis=1, return_inverse=True)
    blocks = tuple(f"{videos[video]} {number}" for video, number in pairs.T)
    return Units("block", blocks, unit.reshape(-1).astype(np.int32))


def _codes(ids: Sequence[str] | NDArray[np.object_] | NDArray[np.str_]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    array = np.asarray(ids)
    require_rows(len(array))
    names, of_row = np.unique(array.astype(np.str_), return_inverse=True)
    return tuple(str(name) for name in names), of_row.reshape(-1).astype(np.int32)
