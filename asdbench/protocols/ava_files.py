"""Reads AVA csv files fast: official ones without a header, the community's with one, plain or gzipped."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from asdbench.errors import DataError
from asdbench.protocols.ava_rows import LABELS, AvaRows

if TYPE_CHECKING:
    import pyarrow as pa

_BOXES = ("entity_box_x1", "entity_box_y1", "entity_box_x2", "entity_box_y2")
_KEYS = ("video_id", "frame_timestamp", *_BOXES, "label", "entity_id")
_COMMUNITY = ("label_id", "instance_id")
_MAX_SECONDS = 1e7


def read_labels(path: Path) -> AvaRows:
    """Read a file of labels: 8 columns, or the community's 10, without a header, or any with a header that names them.

    Args:
        path: The file, ``.csv`` or ``.csv.gz``.

    Raises:
        DataError: The file cannot be read, lacks a column, or holds a time, box, label or id that is none.
    """
    return _read(path, predictions=False)


def read_predictions(path: Path) -> AvaRows:
    """Read a file of predictions: the 8 columns of the labels and the score.

    Args:
        path: The file, ``.csv`` or ``.csv.gz``.

    Raises:
        DataError: As ``read_labels``. Scores are checked by ``join_rows``.
    """
    return _read(path, predictions=True)


def _read(path: Path, *, predictions: bool) -> AvaRows:
    first = _first_line(path)
    fields = [field.strip('" ') for field in first.lstrip("\ufeff").rstrip("\r\n").split(",")]
    header = bool({"video_id", "frame_timestamp", "entity_id"} & set(fields))
    names = fields if header else _names(path, len(fields), predictions)
    wanted = [name for name in (*_KEYS, *(("score",) if predictions else ())) if name in names]
    required = ("video_id", "frame_timestamp", "entity_id", "score" if predictions else "label")
    missing = [name for name in required if name not in names]
    if missing:
        raise DataError(f"{path}, line 1: no column {', '.join(missing)}; found {', '.join(names)[:200]}.")
    table = _table(path, names, wanted, header)
    if not table.num_rows:
        raise DataError(f"{path}: no rows.")
    return _rows(path, table, header)


def _first_line(path: Path) -> str:
    try:
        packed: Any = gzip.open if path.suffix == ".gz" else open
        with packed(path, "rt", encoding="utf-8") as file:
            return str(file.readline())
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the file cannot be read ({error}).") from error


def _names(path: Path, fields: int, predictions: bool) -> list[str]:
    layouts = {9: (*_KEYS, "score")} if predictions else {8: _KEYS, 10: (*_KEYS, *_COMMUNITY)}
    if fields not in layouts:
        expected = " or ".join(map(str, layouts))
        raise DataError(
            f"{path}, line 1: {fields} fields and no header; expected {expected} fields ({', '.join(_KEYS)}"
            f"{', score' if predictions else ''}), or a header that names them."
        )
    return list(layouts[fields])


def _table(path: Path, names: list[str], wanted: list[str], header: bool) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    text, number = pa.dictionary(pa.int32(), pa.string()), pa.float64()
    types = {name: text if name in ("video_id", "entity_id", "label") else number for name in wanted}
    try:
        table = csv.read_csv(
            path,
            read_options=csv.ReadOptions(column_names=names, skip_rows=int(header)),
            convert_options=csv.ConvertOptions(column_types=types, include_columns=wanted),
        )
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: not a readable csv file ({str(error).strip().splitlines()[0]}).") from error
    return table.unify_dictionaries()


def _rows(path: Path, table: pa.Table, header: bool) -> AvaRows:
    video, videos = _codes(table, "video_id")
    entity, entities = _codes(table, "entity_id")
    seconds = _numbers(table, "frame_timestamp")
    credible: NDArray[np.bool_] = (seconds >= 0) & (seconds < _MAX_SECONDS)
    _refuse(path, ~credible, header, "its time is missing or no time in seconds")
    for name, codes, texts in (("video_id", video, videos), ("entity_id", entity, entities)):
        if "" in texts:
            _refuse(path, np.isin(codes, [texts.index("")]), header, f"its {name} is empty")
    named = _BOXES if set(_BOXES) <= set(table.column_names) else ()
    boxes = tuple(_numbers(table, name) for name in named)
    for side in boxes:
        _refuse(path, ~np.isfinite(side), header, "a coordinate of its box is missing or no number")
    label = np.full(table.num_rows, LABELS["SPEAKING_AUDIBLE"], dtype=np.int8)
    if "label" in table.column_names:
        codes, texts = _codes(table, "label")
        for place, text in enumerate(texts):
            if text not in LABELS:
                known = ", ".join(name for name in LABELS if name)
                _refuse(path, np.isin(codes, [place]), header, f"its label {text!r} is none of {known}")
        label = np.array([LABELS[text] for text in texts], dtype=np.int8)[codes]
    score = _numbers(table, "score") if "score" in table.column_names else None
    return AvaRows(str(path), videos, entities, video, entity, seconds, boxes, label, score, header)


def _codes(table: pa.Table, name: str) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    chunks = table.column(name).chunks
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in chunks]).astype(np.int32, copy=False)
    return codes, tuple(chunks[0].dictionary.to_pylist())


def _numbers(table: pa.Table, name: str) -> NDArray[np.float64]:
    values: NDArray[np.float64] = table.column(name).to_numpy()  # missing values become NaN
    return values


def _refuse(path: Path, bad: NDArray[np.bool_], header: bool, problem: str) -> None:
    rows = np.flatnonzero(bad)
    if len(rows):
        more = f" ({len(rows)} such rows)" if len(rows) > 1 else ""
        raise DataError(f"{path}, line {rows[0] + 1 + header}: {problem}{more}.")
