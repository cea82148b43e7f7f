"""Columbia's labels, and the tracks of a face detector with their scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asdbench.data.tables import is_frame, read_table
from asdbench.errors import DataError
from asdbench.protocols.columbia_f1 import AVERAGED, PersonLabels, ScoredTrack, read_person_labels
from asdbench.protocols.sniff import is_csv

_PLACES = ("col_labels/fusion", "col_labels", ".")
_COLUMNS = ("track", "frame_25", "center_x", "center_y", "half_size", "score")


def is_columbia(path: Path) -> bool:
    """Tell whether a folder holds the labels of the Columbia data."""
    return any((path / place / f"{name}.txt").is_file() for place in _PLACES for name in AVERAGED)


def read_people(path: Path) -> dict[str, PersonLabels]:
    """Read the labels of everybody.

    Args:
        path: ``col_labels/``, or the folder above.

    Raises:
        DataError: A file is broken; see ``read_person_labels``.
    """
    folder = next(
        path / place for place in _PLACES if any((path / place / f"{name}.txt").is_file() for name in AVERAGED)
    )
    return {file.stem: read_person_labels(file) for file in sorted(folder.glob("*.txt"))}


def read_tracks(path: Path) -> list[ScoredTrack]:
    """Read a csv file of scored tracks: a row per face and frame at 25 fps, in pixels of the whole picture.

    Args:
        path: With ``track``, ``frame_25``, ``center_x``, ``center_y``, ``half_size`` and ``score``, which may be empty
            at the end of a track.

    Raises:
        DataError: The file cannot be read, lacks a column, or a number is none.
    """
    if not is_csv(path):
        raise DataError(f"{path}: expected a csv file of scored tracks with the columns {', '.join(_COLUMNS)}.")
    table = read_table(path, _COLUMNS)
    numbers = {name: table.numbers(name) for name in _COLUMNS[1:]}
    for name in _COLUMNS[1:5]:
        table.refuse(~np.isfinite(numbers[name]), name, "is not a finite number")
    table.refuse(~is_frame(numbers["frame_25"]), "frame_25", "is no whole number from 0")
    table.refuse(
        table.frame.assign(frame_25=numbers["frame_25"]).duplicated(["track", "frame_25"]).to_numpy(),
        "frame_25", "stands there twice for its track",
    )  # fmt: skip
    table.refuse(
        ~np.isfinite(numbers["score"]) & (table.frame["score"] != "").to_numpy(), "score", "is not a finite number"
    )
    tracks = []
    for of_track in table.frame.groupby("track", sort=False).indices.values():
        found = np.asarray(of_track)
        places = found[np.argsort(numbers["frame_25"][found], kind="stable")]
        rows = {name: values[places] for name, values in numbers.items()}
        scores = rows["score"][np.isfinite(rows["score"])]
        if np.isnan(rows["score"][: len(scores)]).any():
            raise DataError(f"{path}, line {table.line(int(places[0]))}: only the last scores of a track may be empty.")
        centre = np.stack([rows["center_x"], rows["center_y"]], axis=1)
        tracks.append(ScoredTrack(rows["frame_25"].astype(np.int64), centre, rows["half_size"], scores))
    if not any(len(track.scores) for track in tracks):
        raise DataError(f"{path}: no track has a score.")
    return tracks
