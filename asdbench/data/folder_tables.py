"""The tables of the folder format: ``labels.csv``, ``tracks.csv`` and ``dataset.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from asdbench.data.ava_csv import Annotation, annotate
from asdbench.data.ids import is_safe
from asdbench.data.tables import Table, read_table
from asdbench.errors import DataError, UsageError
from asdbench.resources import read_toml
from asdbench.types import BoolArray, TrackKey

BOX = ("entity_box_x1", "entity_box_y1", "entity_box_x2", "entity_box_y2")
# The columns of the official AVA files, which have no header, in their order.
_COLUMNS = ("video_id", "frame_timestamp", *BOX, "label", "entity_id")
_FACTS = ("source_id", "person_id", "sentence_id", "kind")
_KNOWN = ("video_id", "entity_id", *_FACTS)


@dataclass(frozen=True, eq=False)
class Labels:
    """The rows of one face track in ``labels.csv``.

    Attributes:
        annotation: Keys, times and labels.
        boxes: ``[T, 4]`` float64: x1, y1, x2, y2 as shares of the picture.
        inaudible: ``[T]``, True where the label is SPEAKING_NOT_AUDIBLE.
        lines: The line of the file on which each row stands.
    """

    annotation: Annotation
    boxes: NDArray[np.float64]
    inaudible: BoolArray
    lines: tuple[int, ...]

    @property
    def key(self) -> TrackKey:
        """The pair (video_id, entity_id)."""
        return TrackKey(self.annotation.video_id, self.annotation.entity_id)


@dataclass(frozen=True)
class Facts:
    """One row of ``tracks.csv``; what is empty there is ``None``. ``line`` counts from 1."""

    line: int
    source_id: str | None
    person_id: str | None
    sentence_id: str | None
    kind: str | None


class Description(msgspec.Struct, frozen=True):
    """What ``dataset.toml`` says; other keys are ignored."""

    name: str | None = None
    version: str | int | None = None
    notes: tuple[str, ...] = ()


def read_labels(path: Path) -> tuple[Labels, ...]:
    """Read ``labels.csv``.

    Returns:
        One item per face track, sorted by (video_id, entity_id).

    Raises:
        DataError: As for the annotation of the AVA layout, or a box is not one.
    """
    table = read_table(path, _COLUMNS, without_header=_COLUMNS)
    annotation = annotate(table)
    boxes = _boxes(table)
    inaudible = (table.frame["label"] == "SPEAKING_NOT_AUDIBLE").to_numpy(dtype=bool)
    return tuple(
        Labels(each, boxes[each.rows], inaudible[each.rows], tuple(table.line(row) for row in each.rows.tolist()))
        for each in annotation
    )


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


def read_facts(path: Path, known: Mapping[TrackKey, object]) -> dict[TrackKey, Facts]:
    """Read ``tracks.csv``.

    Args:
        path: The file.
        known: The tracks of ``labels.csv``.

    Raises:
        DataError: A row has no track in ``labels.csv``, or stands there twice, or a column nearly has a known name.
    """
    frame = (table := read_table(path, ("video_id", "entity_id"))).frame
    for column in map(str, frame.columns):
        if (name := column.strip().casefold()) in _KNOWN and column != name:
            raise DataError(f"{path}, line 1: the column {column!r} would be ignored; call it {name!r}.")
    columns = {name: frame[name].tolist() if name in frame.columns else [""] * len(frame) for name in _FACTS}
    facts: dict[TrackKey, Facts] = {}
    for row, key in enumerate(map(TrackKey, frame["video_id"], frame["entity_id"])):
        line = table.line(row)
        if key not in known:
            raise DataError(
                f"{path}, line {line}: the track {key.entity_id!r} of video {key.video_id!r} has no row in labels.csv; "
                "remove the line, or correct the ids."
            )
        if key in facts:
            raise DataError(f"{path}, line {line}: the same track as on line {facts[key].line}; remove one of them.")
        facts[key] = Facts(line, *(columns[name][row].strip() or None for name in _FACTS))
    return facts


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
