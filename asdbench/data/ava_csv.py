"""The two csv files of the community AVA layout: the annotation and the loader file."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asdbench.data.ids import is_safe
from asdbench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_REQUIRED = ("video_id", "frame_timestamp", "label", "entity_id")
_LABELS = {"SPEAKING_AUDIBLE": 1, "NOT_SPEAKING": 0, "SPEAKING_NOT_AUDIBLE": 0}
_HEADER_LINES = 1
_MAX_SECONDS = 1e7


@dataclass(frozen=True, eq=False)
class Annotation:
    """The rows of one face track: ``timestamps_ms`` ``[T]`` int64 increasing, ``labels`` ``[T]`` int8 in {0, 1}."""

    video_id: str
    entity_id: str
    timestamps_ms: NDArray[np.int64]
    labels: NDArray[np.int8]


@dataclass(frozen=True)
class LoaderLine:
    """One line of the loader file; ``number`` counts from 1."""

    number: int
    num_frames: int
    fps: float
    speaking: tuple[bool, ...]


def read_annotation(path: Path) -> tuple[Annotation, ...]:
    """Read ``<split>_orig.csv``.

    Returns:
        One annotation per face track, sorted by (video_id, entity_id).

    Raises:
        DataError: A column is missing, a time is not a number, a label is unknown, an id cannot name a file, or two
            rows have the same key.
    """
    frame = _read_table(path)
    times = _milliseconds(path, frame["frame_timestamp"])
    labels = frame["label"].map(_LABELS)
    _refuse(path, labels.isna().to_numpy(), frame["label"], f"is none of {', '.join(_LABELS)}")
    for column in (frame["video_id"], frame["entity_id"]):
        unsafe = [name for name in column.unique() if not is_safe(name)]
        _refuse(
            path,
            column.isin(unsafe).to_numpy(),
            column,
            "cannot name a file (empty, over 200 bytes, with a slash or a control character)",
        )
    return tuple(_group(path, frame, times, labels.to_numpy().astype(np.int8)))


def _read_table(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable csv file ({str(error).strip()}).") from error
    missing = [column for column in _REQUIRED if column not in frame.columns]
    if missing:
        raise DataError(
            f"{path}, line 1: no column {', '.join(missing)}; expected a header with {', '.join(_REQUIRED)}, "
            f"found {', '.join(map(str, frame.columns))[:200]}."
        )
    if frame.empty:
        raise DataError(f"{path}: no rows below the header.")
    return frame


def _milliseconds(path: Path, text: pd.Series[str]) -> NDArray[np.int64]:
    import pandas as pd

    seconds = pd.to_numeric(text, errors="coerce").to_numpy(np.float64)
    _refuse(path, ~((seconds >= 0) & (seconds < _MAX_SECONDS)), text, "is not a time in seconds")
    milliseconds: NDArray[np.int64] = np.rint(seconds * 1000).astype(np.int64)
    return milliseconds


def _refuse(path: Path, bad: NDArray[np.bool_], column: pd.Series[str], problem: str) -> None:
    rows = np.flatnonzero(bad)
    if len(rows):
        more = f" ({len(rows)} such rows)" if len(rows) > 1 else ""
        raise DataError(
            f"{path}, line {rows[0] + 1 + _HEADER_LINES}: the {column.name} {column.iloc[rows[0]]!r} {problem}{more}."
        )


def _group(path: Path, frame: pd.DataFrame, times: NDArray[np.int64], labels: NDArray[np.int8]) -> Iterator[Annotation]:
    videos, video_names = _codes(frame["video_id"])
    entities, entity_names = _codes(frame["entity_id"])
    order = np.lexsort((times, entities, videos))
    videos, entities, times, labels = videos[order], entities[order], times[order], labels[order]
    new_track = (np.diff(videos) != 0) | (np.diff(entities) != 0)
    repeated = np.flatnonzero(~new_track & (np.diff(times) == 0))
    if len(repeated):
        first, second = sorted(order[[repeated[0], repeated[0] + 1]] + 1 + _HEADER_LINES)
        raise DataError(
            f"{path}, line {second}: the same video, entity and time as line {first} "
            f"({len(repeated)} duplicate keys); remove one of each."
        )
    bounds = [0, *(np.flatnonzero(new_track) + 1).tolist(), len(order)]
    for start, stop in itertools.pairwise(bounds):
        names = video_names[videos[start]], entity_names[entities[start]]
        yield Annotation(*names, timestamps_ms=times[start:stop], labels=labels[start:stop])


def _codes(column: pd.Series[str]) -> tuple[NDArray[np.int64], list[str]]:
    import pandas as pd

    codes, names = pd.factorize(column, sort=True)
    return codes.astype(np.int64), [str(name) for name in names]


def read_loader(path: Path) -> dict[str, LoaderLine]:
    """Read ``<split>_loader.csv``.

    Returns:
        Entity id to its line.

    Raises:
        DataError: A line cannot be read, or an entity stands on two lines.
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a readable text file ({error}).") from error
    lines: dict[str, LoaderLine] = {}
    for number, text in enumerate(content.splitlines(), start=1):
        if not text.strip():
            continue
        entity, line = _parse_loader_line(path, number, text)
        if entity in lines:
            raise DataError(
                f"{path}, line {number}: the entity {entity!r} stands on line {lines[entity].number} too; "
                "remove one (where ids repeat across videos, remove the loader file: it cannot tell them apart)."
            )
        lines[entity] = line
    return lines


def _parse_loader_line(path: Path, number: int, text: str) -> tuple[str, LoaderLine]:
    fields = text.split("\t")
    try:
        entity, num_frames, fps = fields[0], int(fields[1]), float(fields[2])
        labels = [int(label) for label in json.loads(fields[3])]
    except (IndexError, ValueError, TypeError, OverflowError) as error:
        raise DataError(
            f"{path}, line {number}: expected entity_id, frames, fps and [labels], separated by tabs, "
            f"found {text[:80]!r}."
        ) from error
    if not (math.isfinite(fps) and 1 <= fps <= 240):
        raise DataError(f"{path}, line {number}: a frame rate of {fps:g} is not credible; expected 1 to 240.")
    return entity, LoaderLine(number, num_frames, fps, tuple(label == 1 for label in labels))
