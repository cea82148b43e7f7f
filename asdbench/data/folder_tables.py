"""The tables of the folder format, ``labels.csv``, ``tracks.csv`` and ``dataset.toml``; AVA's layout has the second."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from asdbench.data.ava_csv import BOX, FRAME_RATES, Annotation, annotate
from asdbench.data.ids import is_safe
from asdbench.data.layout import TRACK_COLUMNS
from asdbench.data.tables import Table, read_table
from asdbench.errors import DataError, UsageError
from asdbench.resources import read_toml
from asdbench.types import BoolArray, TrackKey

# The columns of the official AVA files, which have no header, in their order.
_COLUMNS = ("video_id", "frame_timestamp", *BOX, "label", "entity_id")
DUBBED = "dubbed"
FACTS = TRACK_COLUMNS[2:9]
"""What is known about the tracks of a user's own data; prepared data tell their frame rates and margins, too."""

_MAX_SIDE = 1 << 20
_MAX_SAMPLES = 1 << 40


@dataclass(frozen=True)
class Facts:
    """One row of ``tracks.csv``; what is empty there is ``None``. ``line`` counts from 1."""

    line: int = 0
    source_id: str | None = None
    person_id: str | None = None
    sentence_id: str | None = None
    kind: str | None = None
    categories: tuple[str, ...] = ()
    frame_size: tuple[int, int] | None = None
    fps: float | None = None
    audio_margin: tuple[int, int] | None = None


class Description(msgspec.Struct, frozen=True):
    """What ``dataset.toml`` says; other keys are ignored."""

    name: str | None = None
    version: str | int | None = None
    notes: tuple[str, ...] = ()


def read_labels(path: Path) -> tuple[Annotation, ...]:
    """Read ``labels.csv``.

    Returns:
        One item per face track, sorted by (video_id, entity_id), each with boxes.

    Raises:
        DataError: As for the annotation of the AVA layout, or a box is not one.
    """
    table = read_table(path, _COLUMNS, without_header=_COLUMNS)
    return annotate(table, _boxes(table))


def _boxes(table: Table) -> NDArray[np.float64]:
    boxes = np.stack([table.numbers(column) for column in BOX], axis=1)
    for column, values in zip(BOX, boxes.T, strict=True):
        # Detectors leave the picture a little; what is further out was probably counted in pixels.
        table.refuse(~((values >= -1) & (values <= 2)), column, "is not a share of the picture, from 0 to 1")
    for low, high in ((0, 2), (1, 3)):
        inverted = boxes[:, low] >= boxes[:, high]
        table.refuse(inverted, BOX[high], f"is not larger than {BOX[low]}; the box is empty or turned round")
        table.refuse(boxes[:, high] <= 0, BOX[high], "puts the whole box outside the picture")
        table.refuse(boxes[:, low] >= 1, BOX[low], "puts the whole box outside the picture")
    return boxes


def read_facts(
    path: Path, known: Mapping[TrackKey, object], labels: str = "labels.csv", wanted: Sequence[str] = FACTS
) -> dict[TrackKey, Facts]:
    """Read ``tracks.csv``.

    Args:
        path: The file.
        known: The tracks of ``labels.csv``.
        labels: Name of the file that holds those, for messages.
        wanted: The columns that are read, where they are there; others are ignored.

    Raises:
        DataError: A row has no track in ``labels.csv``, or stands there twice, a column nearly has a known name, or a
            number is none.
    """
    frame = (table := read_table(path, ("video_id", "entity_id"))).frame
    for column in map(str, frame.columns):
        if (name := column.strip().casefold()) in ("video_id", "entity_id", *wanted) and column != name:
            raise DataError(f"{path}, line 1: the column {column!r} would be ignored; call it {name!r}.")
    columns = {name: frame[name].tolist() for name in wanted if name in frame.columns}
    facts: dict[TrackKey, Facts] = {}
    for row, key in enumerate(map(TrackKey, frame["video_id"], frame["entity_id"])):
        line = table.line(row)
        if key not in known:
            raise DataError(
                f"{path}, line {line}: the track {key.entity_id!r} of video {key.video_id!r} has no row in {labels}; "
                "remove the line, or correct the ids."
            )
        if key in facts:
            raise DataError(f"{path}, line {line}: the same track as on line {facts[key].line}; remove one of them.")
        facts[key] = _facts(f"{path}, line {line}", line, {name: columns[name][row].strip() for name in columns})
    return facts


def _facts(where: str, line: int, values: Mapping[str, str]) -> Facts:
    categories = tuple(sorted({each.strip() for each in values.get("categories", "").split("|")} - {""}))
    fps = _number(where, "fps", values, *FRAME_RATES)
    return Facts(
        line,
        values.get("source_id") or None,
        values.get("person_id") or None,
        values.get("sentence_id") or None,
        values.get("kind") or None,
        categories=categories,
        frame_size=_pair(where, ("frame_width", "frame_height"), values, 1, _MAX_SIDE),
        fps=fps,
        audio_margin=_pair(where, ("audio_before", "audio_after"), values, 0, _MAX_SAMPLES),
    )


def _pair(where: str, names: tuple[str, str], values: Mapping[str, str], low: int, high: int) -> tuple[int, int] | None:
    numbers = [_number(where, name, values, low, high) for name in names]
    first, second = (None if each is None else int(each) for each in numbers)
    if (first is None) != (second is None):
        raise DataError(f"{where}: only one of {' and '.join(names)}; give both, or neither.")
    return None if first is None or second is None else (first, second)


def _number(where: str, name: str, values: Mapping[str, str], low: int, high: int) -> float | None:
    if not values.get(name):
        return None
    try:
        number = float(values[name])
    except ValueError:
        number = math.nan
    if not low <= number <= high or (name != "fps" and number != int(number)):
        raise DataError(f"{where}: the {name} {values[name]!r} is not a number from {low} to {high}.")
    return number


def sources_of(path: Path, facts: Mapping[TrackKey, Facts]) -> dict[str, str]:
    """Return the source of every video that is given one.

    Args:
        path: The file that the facts are from, for messages.
        facts: What is known about tracks.

    Raises:
        DataError: Tracks of one video have different sources.
    """
    sources: dict[str, tuple[str, int]] = {}
    for key, each in facts.items():
        if each.source_id is None:
            continue
        source, line = sources.setdefault(key.video_id, (each.source_id, each.line))
        if source != each.source_id:
            raise DataError(
                f"{path}, line {each.line}: the source_id {each.source_id!r} for the video {key.video_id!r}, which has "
                f"{source!r} on line {line}; a video comes from one recording."
            )
    return {video: source for video, (source, _) in sources.items()}


def is_dubbed(facts: Facts) -> bool:
    """Whether a track is of the kind that has another's voice."""
    return (facts.kind or "").casefold() == DUBBED


def dubbed_of(path: Path, facts: Facts, rows: Annotation) -> BoolArray | None:
    """Return where the lips of a dubbed track move; ``None`` for an ordinary one.

    Args:
        path: The file that the facts are from, for messages.
        facts: Of the track.
        rows: Of the track.

    Raises:
        DataError: A dubbed track speaks audibly, or nowhere moves its lips.
    """
    if not is_dubbed(facts):
        return None
    speaking = np.flatnonzero(rows.labels)
    if len(speaking):
        raise DataError(
            f"{rows.lines.path}, line {rows.line(int(speaking[0]))}: SPEAKING_AUDIBLE in a track that is {DUBBED} "
            f"({path.name}, line {facts.line}); where its lips move, it is SPEAKING_NOT_AUDIBLE."
        )
    if not rows.inaudible.any():
        raise DataError(
            f"{path}, line {facts.line}: the track {rows.entity_id!r} of video {rows.video_id!r} is {DUBBED}, but no "
            f"row of it in {rows.lines.path.name} is SPEAKING_NOT_AUDIBLE; label the rows where its lips move so, or "
            "give it another kind."
        )
    return rows.inaudible


def read_description(path: Path) -> Description:
    """Read ``dataset.toml``; without one, nothing is said.

    Raises:
        DataError: It is no TOML, a value has the wrong type, or the name cannot name a folder.
    """
    if not path.exists():
        return Description()
    try:
        description = msgspec.convert(read_toml(path, "description of a data set"), Description)
    except UsageError as error:
        raise DataError(str(error)) from error
    except msgspec.ValidationError as error:
        raise DataError(f"{path}: {error}; it may hold name, version and notes (a list of texts).") from error
    if description.name is not None and not is_safe(description.name):
        raise DataError(f"{path}: the name {description.name!r} cannot name a folder; choose a short one without /.")
    return description
