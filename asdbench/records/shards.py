"""What a run has scored so far: small Parquet files that are merged, and removed, at the end.

A shard holds whole tracks, one row per frame and one column of scores per condition, and what else was measured, so a
run that was killed at any moment continues after the last whole shard. A shard that lacks a column, being of an earlier
release or of a start that could measure less, counts for nothing: its tracks are scored again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asdbench.atomic import replacing
from asdbench.errors import DataError
from asdbench.types import Float32Array, TrackKey

if TYPE_CHECKING:
    import pyarrow as pa

_MAX_FRAMES = 20_000
_MAX_SECONDS = 5.0
_KEYS = ("video_id", "entity_id")
_FACTS = ("medium", "stamp", "failure")
_MADE_WITH = b"made_with"


class TrackFacts(NamedTuple):
    """What :class:`TrackScores` says of a track beside its scores."""

    medium: str
    stamp: str
    failure: str


@dataclass(frozen=True, eq=False)
class TrackScores:
    """Scores of one track.

    Attributes:
        key: The track.
        timestamps_ms: ``[T]``.
        medium: Identifies the content of audio and faces.
        stamp: Changes with the files (``Media.stamp``).
        scores: Condition to ``[T]`` float32, NaN throughout where the condition could not be made.
        failure: Why it could not, empty where all could.
        columns: What else was measured, by name, ``[T]`` each.
    """

    key: TrackKey
    timestamps_ms: NDArray[np.int64]
    medium: str
    stamp: str
    scores: Mapping[str, Float32Array]
    failure: str = ""
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)


class Shards:
    """The shards of one run folder.

    Args:
        folder: The run folder; shards lie in its ``work`` folder.
        conditions: Names of the conditions, the columns of every shard.
        columns: Names of what else is measured.
        made_with: Text that says what it is measured with; a shard of another one counts for nothing.
    """

    def __init__(
        self, folder: Path, conditions: tuple[str, ...], columns: tuple[str, ...] = (), made_with: str = ""
    ) -> None:
        self._folder = folder / "work"
        self._conditions = conditions
        self._columns = columns
        self._made_with = made_with.encode()
        self._fits: dict[Path, bool] = {}
        self._pending: list[TrackScores] = []
        self._frames = 0
        self._since = time.monotonic()
        self._next = 1 + max((int(path.stem.removeprefix("shard-")) for path in self._paths()), default=-1)

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("shard-*.parquet"))

    def done(self) -> set[TrackKey]:
        """Return the tracks that earlier starts have scored under every condition.

        A track with a broken donor is not among them: the donor may have been mended since. Scored again, it takes the
        place of its earlier self, since later shards win.
        """
        return {key for key, known in self.facts().items() if not known.failure}

    def add(self, track: TrackScores) -> None:
        """Keep the scores of a track; they reach the disk once enough have come together, or after some seconds."""
        self._pending.append(track)
        self._frames += len(track.timestamps_ms)
        if self._frames >= _MAX_FRAMES or time.monotonic() - self._since >= _MAX_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is pending.

        Raises:
            ResourceError: The disk is full.
        """
        if self._pending:
            import pyarrow.parquet as pq

            with replacing(self._folder / f"shard-{self._next:06d}.parquet") as temporary:
                pq.write_table(self._table(self._pending), temporary, compression="zstd")
            self._next += 1
        self._pending, self._frames, self._since = [], 0, time.monotonic()

    def _table(self, tracks: list[TrackScores]) -> pa.Table:
        import pyarrow as pa

        lengths = [len(track.timestamps_ms) for track in tracks]
        text = {
            "video_id": [track.key.video_id for track in tracks],
            "entity_id": [track.key.entity_id for track in tracks],
            **{name: [getattr(track, name) for track in tracks] for name in _FACTS},
        }
        columns = {name: pa.array(np.repeat(np.array(values, dtype=object), lengths)) for name, values in text.items()}
        columns["timestamp_ms"] = pa.array(np.concatenate([track.timestamps_ms for track in tracks]))
        for condition in self._conditions:
            columns[_column(condition)] = pa.array(np.concatenate([track.scores[condition] for track in tracks]))
        for name in self._columns:
            columns[name] = pa.array(np.concatenate([track.columns[name] for track in tracks]))
        return pa.table(columns, metadata={_MADE_WITH: self._made_with})

    def _read(self, columns: list[str]) -> pa.Table:
        import pyarrow as pa
        import pyarrow.parquet as pq

        tables = []
        for path in self._paths():
            try:
                if self._is_ours(path):
                    # Two shards that were written alike but for what they say of it are put together.
                    tables.append(pq.read_table(path, columns=columns).replace_schema_metadata())
            except (OSError, pa.ArrowException) as error:
                raise DataError(f"{path}: damaged ({error}); delete it and run the same command again.") from error
        return pa.concat_tables(tables) if tables else pa.table({name: pa.array([], pa.string()) for name in columns})

    def _is_ours(self, path: Path) -> bool:
        import pyarrow.parquet as pq

        if path not in self._fits:
            schema = pq.read_schema(path)
            wanted = {*map(_column, self._conditions), *self._columns}
            self._fits[path] = (
                wanted <= set(schema.names) and (schema.metadata or {}).get(_MADE_WITH, b"") == self._made_with
            )
        return self._fits[path]

    def facts(self) -> dict[TrackKey, TrackFacts]:
        """Return what is known of every scored track beside its scores."""
        table = self._read([*_KEYS, *_FACTS])
        video, entity, *facts = (column.to_pylist() for column in table.columns)
        return {TrackKey(v, e): TrackFacts(*known) for v, e, *known in zip(video, entity, *facts, strict=True)}

    def scores(self, condition: str) -> dict[TrackKey, Float32Array]:
        """Return the scores of one condition, ``[T]`` per track, frames in time order."""
        return self.column(_column(condition))

    def column(self, name: str) -> dict[TrackKey, NDArray[Any]]:
        """Return what else was measured under a name, ``[T]`` per track, frames in time order."""
        table = self._read([*_KEYS, name])
        if not table.num_rows:
            return {}
        video, entity = (table.column(name).to_pylist() for name in _KEYS)
        values = table.column(name).to_numpy()
        starts = [i for i in range(len(video)) if i == 0 or (video[i], entity[i]) != (video[i - 1], entity[i - 1])]
        return {
            TrackKey(video[start], entity[start]): values[start:stop]
            for start, stop in zip(starts, [*starts[1:], len(video)], strict=True)
        }

    def remove(self) -> None:
        """Remove all shards."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _column(condition: str) -> str:
    return f"score:{condition}"
