"""Problems of the tables themselves, found even where the reader refuses them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from asdbench.data.ava_csv import BOX, LoaderLine, read_loader
from asdbench.data.ava_official import annotation_files
from asdbench.data.check_problems import Problem, kind_of
from asdbench.data.layout import ORIG_COLUMNS
from asdbench.data.tables import Table, read_table, shown
from asdbench.errors import DataError
from asdbench.types import BoolArray, Track

_LABELS = ("SPEAKING_AUDIBLE", "NOT_SPEAKING", "SPEAKING_NOT_AUDIBLE")
_NEEDED = ("video_id", "frame_timestamp", "label", "entity_id")
_MAX_SECONDS = 1e7
# As the readers: detectors leave the picture a little; what is further out was probably counted in pixels.
_LOWEST, _HIGHEST = -1, 2


def check_tables(root: Path, split: str) -> list[Problem]:
    """Return what is wrong with the rows of AVA-like tables of a folder; nothing where there is no such table.

    Args:
        root: Folder of a data set.
        split: Part of it.
    """
    problems: list[Problem] = []
    for path in _annotation(root, split):
        try:
            problems += _rows(read_table(path, _NEEDED, without_header=ORIG_COLUMNS))
        except DataError as error:
            problems.append(Problem("unreadable", "", "", str(error)))
    return problems


def check_loader(root: Path, split: str, tracks: Sequence[Track]) -> list[Problem]:
    """Return the tracks whose labels in the loader file differ from those of the annotation.

    Args:
        root: Folder of a data set.
        split: Part of it.
        tracks: All tracks.
    """
    path = root / "csv" / f"{split}_loader.csv"
    if not path.is_file():
        return []
    try:
        lines = read_loader(path)
    except DataError as error:
        return [Problem(kind_of(str(error)), "", "", str(error))]
    problems: list[Problem] = []
    for track in tracks:
        found = [line for line in lines.get(track.entity_id, ()) if line.num_frames == len(track)]
        differing = [_differing(line, track) for line in found]
        fewest = min(differing, default=0)
        if fewest:
            line = found[differing.index(fewest)]
            message = f"{path}, line {line.number}: {fewest} of {len(track)} labels differ from the text labels"
            problems.append(Problem("contradicting label", *track.key, message, fewest))
    return problems


def _differing(line: LoaderLine, track: Track) -> int:
    return int((np.array(line.speaking, dtype=bool) != (track.labels == 1)).sum()) if line.speaking else len(track)


def _annotation(root: Path, split: str) -> list[Path]:
    if (root / "labels.csv").is_file():
        return [root / "labels.csv"]
    try:
        return annotation_files(root, split)
    except DataError:
        return []


def _rows(table: Table) -> Iterator[Problem]:
    yield from _found(table, ~table.frame["label"].isin(_LABELS).to_numpy(), "label", "unknown label")
    seconds = table.numbers("frame_timestamp")
    timed = (seconds >= 0) & (seconds < _MAX_SECONDS)
    yield from _found(table, ~timed, "frame_timestamp", "out of range")
    if set(BOX) <= set(table.frame.columns):
        sides = [table.numbers(column) for column in BOX]
        given = np.logical_or.reduce([(table.frame[column] != "").to_numpy() for column in BOX])
        for column, values in zip(BOX, sides, strict=True):
            yield from _found(table, given & ~((values >= _LOWEST) & (values <= _HIGHEST)), column, "out of range")
        for low, high in ((0, 2), (1, 3)):
            turned = sides[low] >= sides[high]
            yield from _found(table, turned, BOX[high], "out of range", f" is not larger than {BOX[low]}")
    milliseconds = np.where(timed, np.rint(np.where(timed, seconds, 0) * 1000), -1).astype(np.int64)
    keys = table.frame[["video_id", "entity_id"]].assign(time=milliseconds)
    repeated = keys.duplicated().to_numpy() & timed
    yield from _found(table, repeated, "frame_timestamp", "duplicate row", " stands there for this face already")


def _found(table: Table, bad: BoolArray, column: str, kind: str, what: str = "") -> Iterator[Problem]:
    """Yield one problem for all rows of a track that are bad in the same way."""
    if not bad.any():
        return
    frame = table.frame.loc[bad, ["video_id", "entity_id", column]]
    for (video, entity), rows in frame.groupby(["video_id", "entity_id"], sort=True):
        first = int(rows.index[0])
        message = f"{table.path}, line {table.line(first)}: the {column} {shown(rows[column].iloc[0])}{what}"
        yield Problem(kind, str(video), str(entity), message, len(rows))
