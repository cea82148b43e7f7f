"""The two csv files of the community AVA layout: the annotation and the loader file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asdbench.data.tables import Table, read_table
from asdbench.errors import DataError

FRAME_RATES = (1, 240)
"""Lowest and highest frame rate that is believed."""

_CREDIBLE = f"{FRAME_RATES[0]} to {FRAME_RATES[1]}"
_REQUIRED = ("video_id", "frame_timestamp", "label", "entity_id")
_LABELS = {"SPEAKING_AUDIBLE": 1, "NOT_SPEAKING": 0, "SPEAKING_NOT_AUDIBLE": 0}


@dataclass(frozen=True, eq=False)
class Annotation:
    """The rows of one face track.

    Attributes:
        video_id: The video.
        entity_id: The face track.
        timestamps_ms: ``[T]`` int64, increasing.
        labels: ``[T]`` int8 in {0, 1}.
        rows: ``[T]`` int64, where each row stands in its table, from 0.
    """

    video_id: str
    entity_id: str
    timestamps_ms: NDArray[np.int64]
    labels: NDArray[np.int8]
    rows: NDArray[np.int64]


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
    return annotate(read_table(path, _REQUIRED))


def annotate(table: Table) -> tuple[Annotation, ...]:
    """Group the rows of an annotation table by face track; see :func:`read_annotation`."""
    times = table.milliseconds("frame_timestamp")
    text = table.frame["label"].map(_LABELS)
    table.refuse(text.isna().to_numpy(), "label", f"is none of {', '.join(_LABELS)}")
    labels = text.to_numpy().astype(np.int8)
    table.refuse_unsafe("video_id", "entity_id")
    return tuple(
        Annotation(video, entity, times[rows], labels[rows], rows) for video, entity, rows in table.tracks(times)
    )


def measure_rates(annotation: Iterable[Annotation], path: Path) -> dict[str, float]:
    """Measure the frame rate of every video from the time steps of all its tracks; none where there is no step.

    Args:
        annotation: All tracks.
        path: The file they are from, for messages.

    Raises:
        DataError: A rate is not credible.
    """
    steps: dict[str, list[NDArray[np.int64]]] = {}
    for rows in annotation:
        steps.setdefault(rows.video_id, []).append(np.diff(rows.timestamps_ms))
    rates = {}
    for video, found in steps.items():
        every = np.concatenate(found)
        if len(every):
            # The mean over gapless steps averages out timestamps rounded to 10 ms.
            rates[video] = round(1000 / float(every[every <= 1.5 * np.median(every)].mean()), 2)
            if not FRAME_RATES[0] <= rates[video] <= FRAME_RATES[1]:
                raise DataError(
                    f"{path}: the rows of a face of the video {video!r} are {np.median(every):g} ms apart, and a frame "
                    f"rate of {rates[video]:g} is not credible; expected times in seconds and {_CREDIBLE} fps."
                )
    return rates


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
    if not FRAME_RATES[0] <= fps <= FRAME_RATES[1]:
        raise DataError(f"{path}, line {number}: a frame rate of {fps:g} is not credible; expected {_CREDIBLE}.")
    return entity, LoaderLine(number, num_frames, fps, tuple(label == 1 for label in labels))
