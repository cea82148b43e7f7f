"""Data sets in: one reader per annotation format, all yielding the same :class:`asdbench.types.Track`."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from asdbench.config import DEMO_DATA as DEMO_DATA
from asdbench.errors import AsdbenchError, DataError, UsageError
from asdbench.registry import Registry
from asdbench.resources import resource_folder
from asdbench.types import Dataset

DATA_FORMATS = Registry(
    "data format", {"ava": "asdbench.data.ava:open_ava", "folder": "asdbench.data.folder:open_folder"}
)
"""Readers by name: ``(root, split, name) -> Dataset``."""


FORMAT_SUMMARIES = {
    "ava": "csv/<split>_orig.csv, clips_videos/, clips_audios/ (AVA as the TalkNet preprocessing leaves it)",
    "folder": "labels.csv, videos/, optional audio/ and tracks.csv (your own videos, see docs/data_folder.md)",
}
"""One line on each built-in format, for ``asdbench ls data``."""


def shipped_data() -> Path:
    """Return the folder of the data that come with asdbench, whatever lies in the current folder.

    Raises:
        UsageError: The installation is incomplete.
    """
    return resource_folder(f"baselines/demo/{DEMO_DATA}")


def dataset_folder(root: str | Path) -> Path:
    """Return the folder that a user means by a path, or by ``demo-val``; what exists on disk wins over the name.

    Raises:
        DataError: There is no such folder.
    """
    folder = Path(root)
    if folder.is_dir():
        return folder
    if str(root) == DEMO_DATA:
        return shipped_data()
    raise DataError(
        f"{folder}: no such folder; give the folder of a data set, or {DEMO_DATA} for the data that come with asdbench."
    )


def open_dataset(root: str | Path, split: str = "val", data_format: str = "auto", name: str | None = None) -> Dataset:
    """Open a data set on disk.

    Args:
        root: Folder of the data set, or ``demo-val`` for the data that come with asdbench.
        split: Which part of it, where a folder holds several.
        data_format: A name of ``DATA_FORMATS``, or ``auto`` to recognise it.
        name: Short name for tables and folders; derived from folder and split without one.

    Raises:
        DataError: The folder is missing, of no known format, or its annotation is broken.
        UnknownNameError: No such format.
    """
    folder = dataset_folder(root)
    chosen = _recognise(folder) if data_format == "auto" else data_format
    reader = DATA_FORMATS.load(chosen)
    try:
        dataset: Dataset = reader(folder, split, name)
        _check(dataset)
    except AsdbenchError:
        raise
    except Exception as error:  # a user's reader may fail in any way; the message must say whose it was
        raise UsageError(f"the data format {chosen!r} failed on {folder}: {type(error).__name__}: {error}") from error
    return dataset


def _check(dataset: Dataset) -> None:
    """Refuse what would silently give wrong numbers, whoever wrote the reader."""
    keys = [track.key for track in dataset.tracks]
    if not keys:
        raise DataError(f"{dataset.name}: the data set holds no track.")
    if any(first >= second for first, second in pairwise(keys)):
        raise DataError(f"{dataset.name}: tracks must be sorted by (video_id, entity_id), each there once.")
    wanted = ("audio", "audio_window", "faces", "stamp")
    absent = [name for name in wanted if not callable(getattr(dataset.tracks[0].media, name, None))]
    if absent:
        raise UsageError(f"{dataset.name}: its media have no {', '.join(absent)}(); see asdbench.types.Media.")
    for track in dataset.tracks:
        times, labels = track.timestamps_ms, track.labels
        if not (len(times) == len(labels) > 0 and (np.diff(times) > 0).all() and np.isin(labels, (0, 1)).all()):
            raise DataError(
                f"{dataset.name}: the track {track.entity_id!r} of video {track.video_id!r} must have one label in "
                "{0, 1} per timestamp, and timestamps that increase."
            )


def _recognise(folder: Path) -> str:
    if any((folder / "csv").glob("*_orig.csv")):
        return "ava"
    if (folder / "labels.csv").is_file():
        return "folder"
    raise DataError(
        f"{folder}: no known data format; expected the AVA layout of the TalkNet preprocessing "
        "(csv/<split>_orig.csv, clips_videos/, clips_audios/), or labels.csv and videos/."
    )
