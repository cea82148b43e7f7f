"""What a run has scored so far: small Parquet files that are merged, and removed, at the end.

A shard holds whole tracks, one row per frame and one column of scores per condition, and what else was measured, so a
run that was killed at any moment continues after the last whole shard. A shard that lacks a column, being of an earlier
release or of a start that could measure less, counts for nothing: its tracks are scored again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
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

    def _read(self, columns: Sequence[str]) -> Iterator[tuple[pa.Table, list[tuple[TrackKey, slice]]]]:
        """Yield keys and columns of each shard, and which rows are whose; text is read once per track, not per row."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        text = [*_KEYS, *_FACTS]
        for path in self._paths():
            try:
                if self._is_ours(path):
                    table = pq.read_table(path, columns=[*_KEYS, *columns], read_dictionary=text).combine_chunks()
                    yield table, _tracks(table)
            except (OSError, pa.ArrowException) as error:
                raise DataError(f"{path}: damaged ({error}); delete it and run the same command again.") from error

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
        found = {}
        for table, tracks in self._read(_FACTS):
            for key, rows in tracks:
                found[key] = TrackFacts(*(table.column(name)[rows.start].as_py() for name in _FACTS))
        return found

    def scores(self, condition: str) -> dict[TrackKey, Float32Array]:
        """Return the scores of one condition, ``[T]`` per track, frames in time order."""
        return self.column(_column(condition))

    def column(self, name: str) -> dict[TrackKey, NDArray[Any]]:
        """Return what else was measured under a name, ``[T]`` per track, frames in time order."""
        found: dict[TrackKey, NDArray[Any]] = {}
        for table, tracks in self._read([name]):
            values = table.column(name).to_numpy()
            found |= {key: values[rows] for key, rows in tracks}
        return found

    def remove(self) -> None:
        """Remove all shards."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _column(condition: str) -> str:
    return f"score:{condition}"


def _tracks(table: pa.Table) -> list[tuple[TrackKey, slice]]:
    """Return whose rows are where in a shard, in which each track stands once."""
    video, entity = (table.column(name).combine_chunks() for name in _KEYS)
    whose = np.stack([column.indices.to_numpy() for column in (video, entity)])
    starts = [0, *(1 + np.flatnonzero((whose[:, 1:] != whose[:, :-1]).any(axis=0))), table.num_rows]
    return [
        (TrackKey(video[int(start)].as_py(), entity[int(start)].as_py()), slice(int(start), int(stop)))
        for start, stop in pairwise(starts)
        if stop > start
    ]
