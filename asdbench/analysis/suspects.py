"""Which videos may be dubbed (docs/method.md, section 9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.analysis.conditions import HEADLINE
from asdbench.analysis.intervals import interval_record
from asdbench.analysis.rows import RunRows
from asdbench.errors import UndefinedMetricError
from asdbench.metrics import combine, frozen_thresholds, gap_between, replicate, resampling_of, robust_scale
from asdbench.metrics.bootstrap import Replicates
from asdbench.metrics.counted import CountedRows
from asdbench.metrics.suspects import MIN_POSITIVE_ROWS, SUSPECT_Z, RobustScale, tpr_gap
from asdbench.metrics.units import BLOCK_MS, MIN_UNITS, Units
from asdbench.types import Float32Array

BLOCKS_MS = (BLOCK_MS, 10_000, 1_000)
"""A video is cut into the longest of these blocks of which at least five have positive rows."""


@dataclass(frozen=True, eq=False)
class _Video:
    name: str
    rows: int
    tpr: float
    tpr_lips: float
    gap: float
    block_ms: int
    gaps: Replicates

    def record(self, scale: RobustScale | dict[str, str]) -> dict[str, Any]:
        found = {
            "video": self.name,
            "rows": self.rows,
            "block_ms": self.block_ms,
            "units": self.gaps.resampling.units,
            "tpr": self.tpr,
            "tpr_lips": self.tpr_lips,
            "gap": self.gap,
        }
        if not isinstance(scale, RobustScale):
            return found | {"z": scale, "intervals": {}, "suspect": False}
        z, ends = scale.z(self.gap), {}
        if self.gaps.resampling.count:
            ends = {"z": interval_record(combine(lambda gap: (gap - scale.centre) / scale.spread, self.gaps))}
        high = ends["z"]["high"] if ends else None
        return found | {"z": z, "intervals": ends, "suspect": z <= SUSPECT_Z and (high is None or high < 0)}


def section(rows: RunRows, conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the section of ``metrics.json``, ``None`` where the run has no rows for it.

    Args:
        rows: The rows of the run.
        conditions: The conditions of ``metrics.json``, with their point values.
    """
    lips = rows.clean.lips
    if lips is None:
        return None
    limits = (
        rows.thresholds[HEADLINE],
        frozen_thresholds(rows.clean.label[rows.counted], lips[rows.counted])[HEADLINE],
    )
    videos, too_few = [], 0
    for name, mask in _speaking_by_video(rows):
        if len(mask) < MIN_POSITIVE_ROWS:
            too_few += 1
        else:
            videos.append(_video(rows, lips, name, mask, limits))
    scale = _scale(videos)
    records = [video.record(scale) for video in videos]
    if isinstance(scale, RobustScale):
        records.sort(key=lambda record: (record["z"], record["video"]))
    return {
        "threshold": HEADLINE,
        "lips_threshold": limits[1],
        "min_rows": MIN_POSITIVE_ROWS,
        "suspect_z": SUSPECT_Z,
        "too_few": too_few,
        "scale": {"centre": scale.centre, "spread": scale.spread} if isinstance(scale, RobustScale) else scale,
        "videos": records,
    }


def _scale(videos: Sequence[_Video]) -> RobustScale | dict[str, str]:
    try:
        return robust_scale([video.gap for video in videos])
    except UndefinedMetricError as error:
        return {"undefined": str(error)}


def _speaking_by_video(rows: RunRows) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield each video with its positive rows that count."""
    places = np.flatnonzero(rows.counted & (rows.clean.label_after == 1))
    names, of_row = np.unique(rows.clean.video_id[places].astype(np.str_), return_inverse=True)
    for number, name in enumerate(names):
        yield str(name), places[of_row.reshape(-1) == number]


def _video(
    rows: RunRows, lips: Float32Array, name: str, places: NDArray[np.int64], limits: tuple[float, float]
) -> _Video:
    heard, seen = rows.clean.score[places], lips[places]
    block_ms, units = _blocks(rows.clean.timestamp_ms[places])
    counted = CountedRows(heard, units.of_row, units.count), CountedRows(seen, units.of_row, units.count)
    gaps = replicate(
        gap_between(counted[0], limits[0], counted[1], limits[1]), resampling_of(units, rows.seed, rows.resamples)
    )
    tpr, tpr_lips = (float(np.mean(each >= limit)) for each, limit in zip((heard, seen), limits, strict=True))
    return _Video(name, len(places), tpr, tpr_lips, tpr_gap(heard, seen, *limits), block_ms, gaps)


def _blocks(times_ms: NDArray[np.int64]) -> tuple[int, Units]:
    """Cut the speaking rows of a video into blocks of time: what is said within one is one witness."""
    for block_ms in BLOCKS_MS:
        blocks, of_row = np.unique(times_ms // block_ms, return_inverse=True)
        if len(blocks) >= MIN_UNITS:
            break
    return block_ms, Units("block", tuple(map(str, blocks)), of_row.reshape(-1).astype(np.int32))
