"""Predictions: one Parquet file per condition, one row per labelled frame, sorted by key."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from asdbench.atomic import replacing
from asdbench.errors import DataError, NotComparableError
from asdbench.types import IGNORE, BoolArray, Float32Array

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_TEXT = ("video_id", "entity_id", "source_id")
_NUMBERS = {
    "timestamp_ms": np.int64,
    "run": np.int32,
    "label": np.int8,
    "label_after": np.int8,
    "changed": np.bool_,
    "eligible": np.bool_,
    "shift_ms": np.float32,
    "score": np.float32,
}
_OPTIONAL: dict[str, type[np.generic]] = {"voiced": np.int8, "activity": np.float32, "lips": np.float32}


@dataclass(frozen=True, eq=False)
class Predictions:
    """Scores of one condition with everything a metric needs, each ``[N]``, rows sorted by key.

    Attributes:
        video_id: Text.
        entity_id: Text.
        source_id: Independent recording, the unit of intervals.
        timestamp_ms: Time of the frame.
        run: Index of the speaking run within its track, in a dubbed track of the stretch in which its lips articulate;
            -1 outside.
        label: 1 where the face speaks in the unchanged data, else 0.
        label_after: Label under the condition: 0, 1, or -1 where no metric may count the row.
        changed: Whether the condition changed the row's target; under ``dubbed``, which changes nothing, whether dubbed
            lips articulate for long enough to count.
        eligible: Whether the row's run can be changed at all.
        shift_ms: Signed delay of the row's audio, NaN where there is none.
        score: Log-odds that the face speaks; NaN where the condition could not be made because a donor's audio is
            broken (only with ``on_error = "skip"``), in rows that are ignored.
        voiced: Whether the sound that the row has under the condition is voice: 1 or 0, -1 where nobody knows; ``None``
            where voice activity was not looked for.
        activity: Score of the activity floor ``vad-lip`` on the same media; ``None`` where it was not run.
        lips: Log-odds from the faces alone, by the model's own head over faces or by lip motion; else ``None``.
    """

    video_id: NDArray[np.object_]
    entity_id: NDArray[np.object_]
    source_id: NDArray[np.object_]
    timestamp_ms: NDArray[np.int64]
    run: NDArray[np.int32]
    label: NDArray[np.int8]
    label_after: NDArray[np.int8]
    changed: BoolArray
    eligible: BoolArray
    shift_ms: Float32Array
    score: Float32Array
    voiced: NDArray[np.int8] | None = None
    activity: Float32Array | None = None
    lips: Float32Array | None = None

    def __len__(self) -> int:
        return len(self.score)

    @cached_property
    def paired(self) -> BoolArray:
        """Rows that were positive, were changed, and count: those whose clean and changed scores are compared."""
        mask: BoolArray = self.changed & (self.label == 1) & (self.label_after != IGNORE)
        return mask

    @cached_property
    def run_starts(self) -> NDArray[np.int64]:
        """First row of every stretch of rows with the same track and the same run (or none), ascending."""
        fresh = (
            (self.video_id[1:] != self.video_id[:-1])
            | (self.entity_id[1:] != self.entity_id[:-1])
            | (self.run[1:] != self.run[:-1])
        )
        return np.concatenate([[0], np.flatnonzero(fresh) + 1]).astype(np.int64) if len(self) else np.zeros(0, np.int64)

    def require_same_rows(self, other: Predictions, name: str) -> None:
        """Refuse to pair two sets of predictions whose keys differ.

        Raises:
            NotComparableError: The rows are not the same.
        """
        same = len(self) == len(other) and all(
            np.array_equal(getattr(self, column), getattr(other, column))
            for column in ("video_id", "entity_id", "timestamp_ms", "label")
        )
        if not same:
            raise NotComparableError(f"the rows of condition {name!r} are not those of the clean condition.")

    def to_frame(self) -> pd.DataFrame:
        """Return the rows as a DataFrame with the attributes as columns."""
        import pandas as pd

        return pd.DataFrame({column: getattr(self, column) for column in (*_TEXT, *_NUMBERS, *self.optional)})

    @property
    def optional(self) -> tuple[str, ...]:
        """Which of the columns are there that need not be."""
        return tuple(name for name in _OPTIONAL if getattr(self, name) is not None)


def predictions_path(folder: Path, condition: str) -> Path:
    """Return the path of a condition's predictions within a run folder."""
    return folder / "predictions" / f"{file_stem(condition)}.parquet"


def file_stem(condition: str) -> str:
    """Return the name of a condition as it stands in file names: percent-encoded where it must be."""
    return quote(condition, safe="@.-_+")


def write_predictions(path: Path, predictions: Predictions, *, scored: bool = True) -> None:
    """Write predictions, or everything but their scores; equal predictions give equal bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: pa.array(getattr(predictions, name), pa.string()).dictionary_encode() for name in _TEXT}
    numbers = (*_numbers_of(scored), *predictions.optional)
    columns |= {name: pa.array(getattr(predictions, name), from_pandas=True) for name in numbers}
    with replacing(path) as temporary:
        pq.write_table(pa.table(columns), temporary, compression="zstd")


def read_predictions(path: Path, *, scored: bool = True) -> Predictions:
    """Read predictions.

    Args:
        path: The file.
        scored: Whether it holds scores; else they are NaN throughout.

    Raises:
        DataError: The file is missing, broken, or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
        columns: dict[str, Any] = {name: _text(table.column(name)) for name in _TEXT}
        there = {name: kind for name, kind in _OPTIONAL.items() if name in table.column_names}
        columns |= {
            name: _numbers(table.column(name), name, kind) for name, kind in (_numbers_of(scored) | there).items()
        }
    except (OSError, KeyError, TypeError, pa.ArrowException) as error:
        raise DataError(f"{path}: not a readable predictions file ({error}); run the same command again.") from error
    return Predictions(**{"score": np.full(table.num_rows, np.nan, np.float32), **columns})


def _numbers_of(scored: bool) -> dict[str, type[np.generic]]:
    return {name: kind for name, kind in _NUMBERS.items() if scored or name != "score"}


def _text(column: pa.ChunkedArray) -> NDArray[np.object_]:
    import pyarrow as pa

    # Files that passed through another tool hold plain text instead of a dictionary.
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    names = np.array(encoded.dictionary.to_pylist(), dtype=object)
    text: NDArray[np.object_] = names[encoded.indices.to_numpy()]
    return text


def _numbers(column: pa.ChunkedArray, name: str, kind: type[np.generic]) -> NDArray[np.generic]:
    values: NDArray[np.generic] = column.to_numpy()
    # A bool with gaps, or text, arrives as objects; float32 without gaps may have been widened by another tool.
    if values.dtype.kind != np.dtype(kind).kind:
        raise TypeError(f"column {name} holds {column.type}")
    return values.astype(kind)
