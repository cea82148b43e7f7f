"""Data sets in: one reader per annotation format, all yielding the same :class:`asdbench.types.Track`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np

from asdbench.config import DEMO_DATA as DEMO_DATA
from asdbench.config import DEMO_TRAINING_DATA as DEMO_TRAINING_DATA
from asdbench.data.formats import DATA_FORMATS as DATA_FORMATS
from asdbench.data.formats import recognise
from asdbench.errors import AsdbenchError, DataError, UsageError
from asdbench.resources import resource_folder
from asdbench.types import Dataset

SHIPPED_DATA = (DEMO_DATA, DEMO_TRAINING_DATA)
"""Names of the data that come with asdbench."""


def shipped_data(name: str = DEMO_DATA) -> Path:
    """Return the folder of data that come with asdbench, whatever lies in the current folder.

    Args:
        name: One of `SHIPPED_DATA`.

    Raises:
        UsageError: The installation is incomplete.
    """
    return resource_folder(f"baselines/demo/{name}")


def dataset_folder(root: str | Path) -> Path:
    """Return the folder that a user means by a path or by a name of `SHIPPED_DATA`; a folder of that name comes first.

    Raises:
        DataError: There is no such folder.
    """
    folder = Path(root)
    if folder.is_dir():
        return folder
    if str(root) in SHIPPED_DATA:
        return shipped_data(str(root))
    raise DataError(
        f"{folder}: no such folder; give the folder of a data set, or {' or '.join(SHIPPED_DATA)} for data that come "
        "with asdbench."
    )


def shared_videos(first: Dataset, second: Dataset) -> list[str]:
    """Return the videos, by id, that two data sets both hold, sorted: what is learned on one is known on the other."""
    return sorted({track.video_id for track in first.tracks} & {track.video_id for track in second.tracks})


def open_dataset(
    root: str | Path,
    split: str = "val",
    data_format: str = "auto",
    name: str | None = None,
    options: Mapping[str, str] | None = None,
) -> Dataset:
    """Open a data set on disk.

    Args:
        root: Folder of the data set, or ``demo-val`` or ``demo-train`` for data that come with asdbench.
        split: Which part of it, where a folder holds several.
        data_format: A name of `asdbench.data.formats.FORMATS`, or ``auto`` to recognise it.
        name: Short name for tables and folders; derived from folder and split without one.
        options: Choices that the format offers, by name (docs/data_formats.md).

    Raises:
        DataError: The folder is missing, of no known format, or its annotation is broken.
        UnknownNameError: No such format.
        UsageError: The format offers no such option, or not with this value.
    """
    folder = dataset_folder(root)
    chosen = recognise(folder) if data_format == "auto" else data_format
    reader = DATA_FORMATS.load(chosen)
    try:
        dataset: Dataset = reader(folder, split, name, **_checked_options(chosen, reader, options or {}))
        _check(dataset)
    except AsdbenchError:
        raise
    except Exception as error:  # a user's reader may fail in any way; the message must say whose it was
        raise UsageError(f"the data format {chosen!r} failed on {folder}: {type(error).__name__}: {error}") from error
    return dataset


def _checked_options(data_format: str, reader: Callable[..., Dataset], options: Mapping[str, str]) -> Mapping[str, str]:
    """Return the options if the reader takes them: its keyword-only parameters."""
    parameters = inspect.signature(reader).parameters.values() if options else ()
    offered = [each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]
    unknown = sorted(set(options) - set(offered))
    if unknown:
        offers = f"it offers {', '.join(offered)}" if offered else "it offers none"
        raise UsageError(f"the data format {data_format!r} has no option {unknown[0]!r}; {offers}.")
    return options


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
        beside = (track.dubbed, track.scored, track.boxes, track.face_in_crop)
        if any(each is not None and len(each) != len(times) for each in beside):
            raise UsageError(f"{dataset.name}: masks or boxes of the track {track.key} do not have one row per frame.")
