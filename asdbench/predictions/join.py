"""Predictions -> scores of rows, joined by (video_id, entity_id, time in ms), never by position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.errors import DataError
from asdbench.predictions.table import PredictionTable
from asdbench.records.predictions import Predictions
from asdbench.types import BoolArray, Float32Array

if TYPE_CHECKING:
    import pandas as pd

_KEY = ["video_id", "entity_id", "timestamp_ms"]


def join_scores(
    table: PredictionTable, scores: Float32Array, rows: Predictions, wanted: BoolArray, condition: str
) -> Float32Array:
    """Return the score of every row, ``[len(rows)]`` float32, NaN where none is wanted.

    Args:
        table: The predictions.
        scores: ``[len(table)]`` their log-odds.
        rows: The rows of a condition.
        wanted: ``[len(rows)]``, False for rows that were left out of what was predicted.
        condition: Its name, for messages.

    Raises:
        DataError: A frame has two predictions or none, or a prediction belongs to no frame; the message has file, line
            and how many there are.
    """
    given = _keys(table).assign(given=np.arange(len(table)))
    _refuse_repeated(table, given)
    frames = _keys(rows).assign(frame=np.arange(len(rows)))
    both = frames.merge(given, how="outer", on=_KEY, sort=False)
    unmatched = both.loc[both["frame"].isna(), "given"].to_numpy(np.int64)
    if len(unmatched):
        first = int(unmatched.min())
        raise DataError(
            f"{table.place(first)}: the condition {condition!r} has no frame at {_named(table, first)} "
            f"({len(unmatched):,} of {len(table):,} predictions belong to no frame); predict the rows of its "
            "csv/*_orig.csv, all and only those."
        )
    result = np.full(len(rows), np.nan, np.float32)
    found = both.dropna(subset=["given"])
    result[found["frame"].to_numpy(np.int64)] = scores[found["given"].to_numpy(np.int64)]
    missing = np.flatnonzero(wanted & np.isnan(result))
    if len(missing):
        raise DataError(
            f"{table.path}: no score for {len(missing):,} of the {int(wanted.sum()):,} frames of the condition "
            f"{condition!r}, the first at {_named(rows, int(missing[0]))}; every frame needs one."
        )
    result[~wanted] = np.nan
    return result


def _keys(rows: PredictionTable | Predictions) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({name: getattr(rows, name) for name in _KEY})


def _refuse_repeated(table: PredictionTable, keys: pd.DataFrame) -> None:
    repeated = keys.duplicated(_KEY).to_numpy()
    if not repeated.any():
        return
    second = int(np.flatnonzero(repeated)[0])
    same = (keys[_KEY] == keys[_KEY].iloc[second]).all(axis=1).to_numpy()
    first = int(np.flatnonzero(same)[0])
    raise DataError(
        f"{table.place(second)}: a second score for the frame at {_named(table, second)}, after {table.unit} "
        f"{table.lines[first]} ({int(repeated.sum()):,} repeated frames); give one for each."
    )


def _named(rows: Any, row: int) -> str:
    return f"{rows.timestamp_ms[row] / 1000:.3f} s of {rows.entity_id[row]!r} in video {rows.video_id[row]!r}"
