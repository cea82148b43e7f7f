"""The samples of ASW and their scores: its json files, or csv files with the same columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asdbench.data.asw_json import FPS, read_samples
from asdbench.data.tables import Table, read_table
from asdbench.errors import DataError
from asdbench.protocols.ava_rows import SPEAKING_AUDIBLE, AvaRows
from asdbench.protocols.row_files import RowFile
from asdbench.protocols.sniff import columns, head, is_csv
from asdbench.types import BoolArray

_KEYS = ("video_id", "track", "time")


def is_asw(path: Path) -> bool:
    """Tell whether a path holds samples of ASW: json files, their folder, or a csv file with ``track`` and ``eval``."""
    if path.is_dir():
        return (path / "json").is_dir() or any(is_asw(file) for file in sorted(path.glob("*.json"))[:1])
    if path.suffix == ".json":
        first = head(path)
        return b'"eval"' in first and b'"bbox"' in first
    return {"track", "eval"} <= columns(path)


def read_asw(path: Path) -> RowFile:
    """Read samples with their labels; ``counted`` is their field ``eval``.

    Args:
        path: A json file of a video, a folder of them, the folder above ``json/``, or a csv file with ``video_id``,
            ``track``, ``time``, ``label`` and ``eval``.

    Raises:
        DataError: A file is broken; the message says where.
    """
    if is_csv(path):
        table = read_table(path, (*_KEYS, "label", "eval"))
        flags = []
        for name in ("label", "eval"):
            values = table.numbers(name)
            table.refuse(~np.isin(values, (0, 1)), name, "is neither 0 nor 1")
            flags.append(values == 1)
        return _file(path, table, flags[0].astype(np.int8), flags[1], None)
    folder = path / "json" if (path / "json").is_dir() else path
    videos: list[str] = []
    tracks: list[str] = []
    frames, labels, evaluated = [], [], []
    for file in sorted(folder.glob("*.json")) if folder.is_dir() else [path]:
        for samples in read_samples(file):
            videos += [file.stem] * len(samples.frames)
            tracks += [samples.track] * len(samples.frames)
            frames.append(samples.frames)
            labels.append(samples.labels)
            evaluated.append(samples.scored)
    if not videos:
        raise DataError(f"{path}: no samples; expected ASW's json files, one per video.")
    rows = _rows(path, np.array(videos), np.array(tracks), np.concatenate(frames) / FPS, np.concatenate(labels), None)
    return RowFile(rows, np.concatenate(evaluated), {video: video for video in rows.videos})


def has_asw_keys(path: Path) -> bool:
    """Tell whether a csv file names samples by ``video_id``, ``track`` and ``time``."""
    return set(_KEYS) <= columns(path)


def read_asw_scores(path: Path) -> RowFile:
    """Read a csv file with ``video_id``, ``track``, ``time`` and ``score``.

    Raises:
        DataError: It cannot be read or lacks a column. Scores are checked where they are joined.
    """
    table = read_table(path, (*_KEYS, "score"))
    label = np.full(len(table.frame), SPEAKING_AUDIBLE, np.int8)
    return _file(path, table, label, np.ones(len(label), np.bool_), table.numbers("score"))


def _file(
    path: Path, table: Table, label: NDArray[np.int8], counted: BoolArray, score: NDArray[np.float64] | None
) -> RowFile:
    seconds = table.milliseconds("time") / 1000
    video, track = (table.frame[name].to_numpy(np.str_) for name in _KEYS[:2])
    rows = _rows(path, video, track, seconds, label, score)
    return RowFile(rows, counted, {name: name for name in rows.videos})


def _rows(
    path: Path, video: NDArray[np.str_], track: NDArray[np.str_], seconds: NDArray[np.float64],
    label: NDArray[np.int8], score: NDArray[np.float64] | None,
) -> AvaRows:  # fmt: skip
    (videos, of_video), (tracks, of_track) = (np.unique(names, return_inverse=True) for names in (video, track))
    return AvaRows(
        str(path), tuple(map(str, videos)), tuple(map(str, tracks)), of_video.reshape(-1).astype(np.int32),
        of_track.reshape(-1).astype(np.int32), seconds, (), label, score,
    )  # fmt: skip
