"""Shards and plan -> the predictions of each condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.engine.activity import Meter
from asdbench.errors import DataError
from asdbench.perturb.plan import ConditionPlan, Rows
from asdbench.records.predictions import Predictions
from asdbench.records.shards import Shards
from asdbench.types import IGNORE, Float32Array, Track, TrackKey

PerTrack = Mapping[TrackKey, NDArray[Any]]
"""``[T]`` of each track."""


def assemble(plan: ConditionPlan, tracks: Sequence[Track], shards: Shards, meter: Meter | None = None) -> Predictions:
    """Join the scores of a condition with its labels.

    Args:
        plan: The condition.
        tracks: The tracks that were scored, sorted by key.
        shards: Their scores.
        meter: What was measured beside them, if anything was.
    """
    scores = shards.scores(plan.condition.name)
    missing = [track for track in tracks if track.key not in scores]
    if missing:
        raise DataError(
            f"the scores of {len(missing)} tracks are gone from the run folder; run the same command again."
        )
    columns = {} if meter is None else meter.columns_of(plan.condition)
    return join(plan, tracks, scores, {name: shards.column(column) for name, column in columns.items()})


def join(
    plan: ConditionPlan,
    tracks: Sequence[Track],
    scores: Mapping[TrackKey, Float32Array],
    columns: Mapping[str, PerTrack] | None = None,
) -> Predictions:
    """Join scores with the labels of a condition.

    Args:
        plan: The condition.
        tracks: The tracks, sorted by key, at least one.
        scores: ``[T]`` of each, NaN throughout where the condition could not be made.
        columns: The optional columns of `Predictions` that are known.
    """
    rows = [_rows(plan, track, scores[track.key]) for track in tracks]
    lengths = [len(track) for track in tracks]

    def text(values: list[str]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
        return np.repeat(np.array(values, dtype=object), lengths)

    return Predictions(
        video_id=text([track.video_id for track in tracks]),
        entity_id=text([track.entity_id for track in tracks]),
        source_id=text([track.source_id for track in tracks]),
        timestamp_ms=np.concatenate([track.timestamps_ms for track in tracks]),
        run=np.concatenate([r.run for r in rows]),
        label=np.concatenate([r.label for r in rows]),
        label_after=np.concatenate([r.label_after for r in rows]),
        changed=np.concatenate([r.changed for r in rows]),
        eligible=np.concatenate([r.eligible for r in rows]),
        shift_ms=np.concatenate([r.shift_ms for r in rows]),
        score=np.concatenate([scores[track.key] for track in tracks]),
        **{name: np.concatenate([of[track.key] for track in tracks]) for name, of in (columns or {}).items()},
    )


def _rows(plan: ConditionPlan, track: Track, scores: Float32Array) -> Rows:
    rows = plan.rows(track)
    if np.isnan(scores).any():
        # A donor was broken: the condition could not be made, so no row of the track may count.
        rows.label_after[:] = IGNORE
        rows.changed[:] = rows.eligible[:] = False
    return rows
