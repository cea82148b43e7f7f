"""Data sets in: one reader per annotation format, all yielding the same :class:`asdbench.types.Track`."""

from __future__ import annotations

from pathlib import Path

from asdbench.errors import DataError
from asdbench.registry import Registry
from asdbench.types import Dataset

DATA_FORMATS = Registry("data format", {"ava": "asdbench.data.ava:open_ava"})
"""Readers by name: ``(root, split, name) -> Dataset``."""


FORMAT_SUMMARIES = {
    "ava": "csv/<split>_orig.csv, clips_videos/, clips_audios/ (AVA as the TalkNet preprocessing leaves it)"
}
"""One line on each built-in format, for ``asdbench ls data``."""


def open_dataset(root: str | Path, split: str = "val", data_format: str = "auto", name: str | None = None) -> Dataset:
    """Open a data set on disk.

    Args:
        root: Folder of the data set.
        split: Which part of it.
        data_format: A name of ``DATA_FORMATS``, or ``auto`` to recognise it.
        name: Short name for tables and folders; derived from folder and split without one.

    Raises:
        DataError: The folder is missing, of no known format, or its annotation is broken.
        UnknownNameError: No such format.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give the folder of a data set.")
    dataset: Dataset = DATA_FORMATS.load(_recognise(folder) if data_format == "auto" else data_format)(
        folder, split, name
    )
    return dataset


def _recognise(folder: Path) -> str:
    if any((folder / "csv").glob("*_orig.csv")):
        return "ava"
    raise DataError(
        f"{folder}: no known data format; expected the AVA layout of the TalkNet preprocessing "
        "(csv/<split>_orig.csv, clips_videos/, clips_audios/)."
    )
