"""One file of predictions: the rows of the official AVA scorer, of the community's scripts, or of asdbench itself.

=====================  ==============================================================================================
official AVA           no header; video, time in seconds, four sides of the box, label, entity, score
community              a header; at least ``video_id``, ``frame_timestamp``, ``entity_id`` and ``score``, as in the
                       ``val_res.csv`` of the TalkNet family
asdbench               Parquet; ``video_id``, ``entity_id``, ``timestamp_ms``, ``score``
=====================  ==============================================================================================

The label column means nothing: the official scorer wants SPEAKING_AUDIBLE in every row.

Source: ActivityNet, ``Evaluation/get_ava_active_speaker_performance.py``; TalkNet-ASD, ``talkNet.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from asdbench.data.tables import read_table
from asdbench.errors import DataError
from asdbench.registry import unknown_name
from asdbench.types import BoolArray, Float32Array

Scale = Literal["logit", "probability"]

SCALES: tuple[Scale, ...] = ("logit", "probability")
"""What scores can be."""

SUFFIXES = (".csv", ".parquet")

CLIP = 30.0
"""Largest log-odds that a probability becomes (docs/method.md, section 6)."""

_OFFICIAL = (
    "video_id", "frame_timestamp", "entity_box_x1", "entity_box_y1", "entity_box_x2", "entity_box_y2", "label",
    "entity_id", "score",
)  # fmt: skip
_REQUIRED = ("video_id", "frame_timestamp", "entity_id", "score")
_PARQUET = ("video_id", "entity_id", "timestamp_ms", "score")

_WORDS = 200  # characters of somebody else's error that go into ours


@dataclass(frozen=True, eq=False)
class PredictionTable:
    """Predictions as they were given, ``[N]`` rows.

    Attributes:
        path: The file.
        video_id: Text.
        entity_id: Text.
        timestamp_ms: Times.
        values: float64, NaN where no number was given.
        texts: The values as they stand in the file, for messages.
        lines: Where each row stands, counted from 1.
        unit: What rows are counted in: ``line``, or ``row`` of a Parquet file.
    """

    path: Path
    video_id: NDArray[np.object_]
    entity_id: NDArray[np.object_]
    timestamp_ms: NDArray[np.int64]
    values: NDArray[np.float64]
    texts: NDArray[np.object_]
    lines: NDArray[np.int64]
    unit: str = "line"

    def __len__(self) -> int:
        return len(self.values)

    def place(self, row: int) -> str:
        """Return where a row stands, to begin a message with."""
        return f"{self.path}, {self.unit} {self.lines[row]}"

    def without(self, tracks: Sequence[tuple[str, str]]) -> PredictionTable:
        """Return the rows of all but some tracks, given as (video_id, entity_id)."""
        if not tracks:
            return self
        kept = np.ones(len(self), np.bool_)
        for video, entity in tracks:
            kept &= (self.video_id != video) | (self.entity_id != entity)
        names = ("video_id", "entity_id", "timestamp_ms", "values", "texts", "lines")
        return replace(self, **{name: getattr(self, name)[kept] for name in names})

    def refuse(self, bad: BoolArray, problem: str) -> None:
        """Raise ``DataError`` for the first of the ``bad`` rows, if there is one."""
        rows = np.flatnonzero(bad)
        if len(rows):
            more = f" ({len(rows):,} such rows)" if len(rows) > 1 else ""
            raise DataError(f"{self.place(int(rows[0]))}: the score {self.texts[rows[0]]!r} {problem}{more}.")


def read_scale(text: str) -> Scale:
    """Return the scale of a name.

    Raises:
        UnknownNameError: It is none.
    """
    for each in SCALES:
        if text == each:
            return each
    raise unknown_name("scale of scores", text, SCALES)


def read_table_of(path: Path) -> PredictionTable:
    """Read a file of predictions.

    Raises:
        DataError: It cannot be read, lacks a column, has no rows, or a time is none.
    """
    return _read_parquet(path) if path.suffix.lower() == ".parquet" else _read_csv(path)


def log_odds(table: PredictionTable, scale: Scale) -> tuple[Float32Array, int]:
    """Return scores as log-odds, ``[N]`` float32, and how many probabilities had to be clipped.

    A probability p becomes ``log p - log(1 - p)``, within +-30 (docs/method.md, section 6).

    Raises:
        DataError: A score is missing, NaN or infinite, or a probability lies outside of [0, 1].
    """
    values = table.values
    with np.errstate(over="ignore"):
        table.refuse(~np.isfinite(values.astype(np.float32)), "is not a finite number")
    if scale == "logit":
        return values.astype(np.float32), 0
    table.refuse((values < 0) | (values > 1), "is no probability, which lie within 0 and 1; see --scores logit")
    with np.errstate(divide="ignore"):
        odds = np.log(values) - np.log1p(-values)
    clipped = np.clip(odds, -CLIP, CLIP)
    return clipped.astype(np.float32), int(np.count_nonzero(clipped != odds))


def _read_csv(path: Path) -> PredictionTable:
    table = read_table(path, _REQUIRED, _OFFICIAL)
    frame = table.frame
    return PredictionTable(
        path,
        frame["video_id"].to_numpy(object),
        frame["entity_id"].to_numpy(object),
        table.milliseconds("frame_timestamp"),
        table.numbers("score"),
        frame["score"].to_numpy(object),
        np.arange(len(frame)) + table.line(0),
    )


def _read_parquet(path: Path) -> PredictionTable:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, columns=list(_PARQUET))
        columns: dict[str, Any] = {name: table.column(name) for name in _PARQUET}
        video, entity = (np.array(columns[name].cast(pa.string()).to_pylist(), object) for name in _PARQUET[:2])
        times = columns["timestamp_ms"].cast(pa.int64()).to_numpy()
        values = columns["score"].cast(pa.float64()).to_numpy()
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise DataError(
            f"{path}: not a readable Parquet file of predictions ({_shortened(error)}); "
            f"expected the columns {', '.join(_PARQUET)}."
        ) from error
    if not len(values):
        raise DataError(f"{path}: no rows.")
    lines = np.arange(len(values)) + 1
    return PredictionTable(path, video, entity, times, values, values.astype(object), lines, unit="row")


def _shortened(error: Exception) -> str:
    """Return the first words of an error: Arrow puts whole schemas into its own."""
    return " ".join(str(error).split())[:_WORDS]
