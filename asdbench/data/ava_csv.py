"""The csv files of AVA-ActiveSpeaker and of the data sets that took over its columns: annotation and loader file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asdbench.data.layout import COUNTED, FACE, ORIG_COLUMNS, VOICED
from asdbench.data.tables import Lines, Table, read_table
from asdbench.errors import DataError
from asdbench.types import BoolArray, TrackKey

FRAME_RATES = (1, 240)
"""Lowest and highest frame rate that is believed."""

BOX = ORIG_COLUMNS[2:6]

_CREDIBLE = f"{FRAME_RATES[0]} to {FRAME_RATES[1]}"
_REQUIRED = ("video_id", "frame_timestamp", "label", "entity_id")
_LABELS = {"SPEAKING_AUDIBLE": 1, "NOT_SPEAKING": 0, "SPEAKING_NOT_AUDIBLE": 0}
_INAUDIBLE = "SPEAKING_NOT_AUDIBLE"


@dataclass(frozen=True, eq=False)
class Annotation:
    """The rows of one face track.

    Attributes:
        video_id: The video.
        entity_id: The face track.
        timestamps_ms: ``[T]`` int64, increasing.
        labels: ``[T]`` int8 in {0, 1}.
        inaudible: ``[T]``, True where the label is SPEAKING_NOT_AUDIBLE.
        rows: ``[T]`` int64, where each row stands in its table, from 0.
        lines: The lines of that table.
        boxes: ``[T, 4]`` float64: x1, y1, x2, y2 as shares of the picture; ``None`` where there are none to be used.
        has_boxes: Whether there are values where boxes should be.
        scored: ``[T]``, False where the column ``counted`` is 0; ``None`` where all rows count.
        face_in_crop: ``[T, 4]`` float64, shares of the crop; ``None`` where the crop is the face.
        voiced: ``[T]``, the column ``voiced``; ``None`` without one.
    """

    video_id: str
    entity_id: str
    timestamps_ms: NDArray[np.int64]
    labels: NDArray[np.int8]
    inaudible: BoolArray
    rows: NDArray[np.int64]
    lines: Lines
    boxes: NDArray[np.float64] | None = None
    scored: BoolArray | None = None
    face_in_crop: NDArray[np.float64] | None = None
    has_boxes: bool = False
    voiced: BoolArray | None = None

    @property
    def key(self) -> TrackKey:
        """The pair (video_id, entity_id)."""
        return TrackKey(self.video_id, self.entity_id)

    def part(self, kept: NDArray[np.int64]) -> Annotation:
        """Return some of the rows, by their places in the track."""
        columns = ("timestamps_ms", "labels", "inaudible", "rows", "boxes", "scored", "face_in_crop", "voiced")
        values = {name: getattr(self, name) for name in columns}
        return replace(self, **{name: each[kept] for name, each in values.items() if each is not None})

    def line(self, row: int) -> int:
        """Return the line of the file on which a row of the track stands."""
        return int(self.lines.numbers[self.rows[row]])


@dataclass(frozen=True)
class LoaderLine:
    """One line of the loader file; ``number`` counts from 1."""

    number: int
    num_frames: int
    fps: float
    speaking: tuple[bool, ...]


def read_annotation(path: Path) -> tuple[Annotation, ...]:
    """Read a file with the columns of AVA: ``<split>_orig.csv`` with a header, or one of the official files without.

    Boxes that are no shares of the picture leave their track without boxes.

    Returns:
        One annotation per face track, sorted by (video_id, entity_id).

    Raises:
        DataError: A column is missing, a time is not a number, a label is unknown, an id cannot name a file, two rows
            have the same key, or an optional column holds what it cannot.
    """
    table = read_table(path, _REQUIRED, without_header=ORIG_COLUMNS)
    boxes = _columns(table, BOX)
    return annotate(table, None if boxes is None else np.where(_credible(boxes)[:, None], boxes, np.nan))


def annotate(table: Table, boxes: NDArray[np.float64] | None = None) -> tuple[Annotation, ...]:
    """Group the rows of an annotation table by face track; see :func:`read_annotation`.

    Args:
        table: The table.
        boxes: ``[rows, 4]`` shares of the picture, NaN where there is no box.
    """
    times = table.milliseconds("frame_timestamp")
    text = table.frame["label"].map(_LABELS)
    table.refuse(text.isna().to_numpy(), "label", f"is none of {', '.join(_LABELS)}")
    labels = text.to_numpy().astype(np.int8)
    inaudible = (table.frame["label"] == _INAUDIBLE).to_numpy(dtype=bool)
    table.refuse_unsafe("video_id", "entity_id")
    counted, voiced, faces = _truth(table, COUNTED), _truth(table, VOICED), _faces(table)
    written = (table.frame[BOX[0]] != "").to_numpy() if BOX[0] in table.frame.columns else np.zeros(len(times), bool)
    return tuple(
        Annotation(
            video,
            entity,
            times[rows],
            labels[rows],
            inaudible[rows],
            rows,
            table.lines,
            None if boxes is None or np.isnan(boxes[rows]).any() else boxes[rows],
            None if counted is None or counted[rows].all() else counted[rows],
            None if faces is None or (faces[rows] == (0, 0, 1, 1)).all() else faces[rows],
            bool(written[rows].any()),
            None if voiced is None else voiced[rows],
        )
        for video, entity, rows in table.tracks(times)
    )


def _columns(table: Table, names: Iterable[str]) -> NDArray[np.float64] | None:
    names = list(names)
    if not set(names) <= set(table.frame.columns):
        return None
    return np.stack([table.numbers(name) for name in names], axis=1)


def _credible(boxes: NDArray[np.float64]) -> BoolArray:
    x1, y1, x2, y2 = boxes.T
    # Detectors leave the picture a little; what is further out was probably counted in pixels.
    credible: BoolArray = ((boxes >= -1) & (boxes <= 2)).all(axis=1) & (x1 < x2) & (y1 < y2)
    return credible


def _truth(table: Table, column: str) -> BoolArray | None:
    if column not in table.frame.columns:
        return None
    values = table.numbers(column)
    table.refuse(~np.isin(values, (0, 1)), column, "is neither 0 nor 1")
    true: BoolArray = values == 1
    return true


def _faces(table: Table) -> NDArray[np.float64] | None:
    faces = _columns(table, FACE)
    if faces is None:
        return None
    for column, values in zip(FACE, faces.T, strict=True):
        # A face may be larger than a crop of its middle; what is further out was probably counted in pixels.
        table.refuse(~((values >= -2) & (values <= 3)), column, "is not a share of the crop, from -2 to 3")
    for low, high in ((0, 2), (1, 3)):
        table.refuse(faces[:, low] >= faces[:, high], FACE[high], f"is not larger than {FACE[low]}")
    return faces


def measure_rates(annotation: Iterable[Annotation]) -> dict[str, float]:
    """Measure the frame rate of every video from the time steps of all its tracks; none where there is no step.

    Args:
        annotation: All tracks.

    Raises:
        DataError: A rate is not credible.
    """
    steps: dict[str, list[NDArray[np.int64]]] = {}
    files: dict[str, Path] = {}
    for rows in annotation:
        steps.setdefault(rows.video_id, []).append(np.diff(rows.timestamps_ms))
        files[rows.video_id] = rows.lines.path
    rates = {}
    for video, found in steps.items():
        every = np.concatenate(found)
        if len(every):
            # The mean over gapless steps averages out timestamps rounded to 10 ms.
            rates[video] = round(1000 / float(every[every <= 1.5 * np.median(every)].mean()), 2)
            if not FRAME_RATES[0] <= rates[video] <= FRAME_RATES[1]:
                raise DataError(
                    f"{files[video]}: the rows of a face of the video {video!r} are {np.median(every):g} ms apart, and "
                    f"a frame rate of {rates[video]:g} is not credible; expected times in seconds and {_CREDIBLE} fps."
                )
    return rates


def read_loader(path: Path) -> dict[str, tuple[LoaderLine, ...]]:
    """Read ``<split>_loader.csv``.

    Returns:
        Entity id to its lines: several where ids repeat across videos, which the file does not name.

    Raises:
        DataError: A line cannot be read.
    """
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable text file ({error}).") from error
    lines: dict[str, tuple[LoaderLine, ...]] = {}
    for number, text in enumerate(content.split("\n"), start=1):
        if text.strip():
            entity, line = _parse_loader_line(path, number, text.rstrip("\r"))
            lines[entity] = (*lines.get(entity, ()), line)
    return lines


def _parse_loader_line(path: Path, number: int, text: str) -> tuple[str, LoaderLine]:
    fields = text.split("\t")
    try:
        entity, num_frames, fps = fields[0], int(fields[1]), float(fields[2])
        labels = [int(label) for label in json.loads(fields[3])]
    except (IndexError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise DataError(
            f"{path}, line {number}: expected entity_id, frames, fps and [labels], separated by tabs, "
            f"found {text[:80]!r}."
        ) from error
    if not FRAME_RATES[0] <= fps <= FRAME_RATES[1]:
        raise DataError(f"{path}, line {number}: a frame rate of {fps:g} is not credible; expected {_CREDIBLE}.")
    return entity, LoaderLine(number, num_frames, fps, tuple(label == 1 for label in labels))


def find_line(path: Path, lines: dict[str, tuple[LoaderLine, ...]], rows: Annotation, videos: int) -> LoaderLine:
    """Return the loader line of a track.

    Args:
        path: The loader file, for messages.
        lines: What `read_loader` gave.
        rows: The track.
        videos: In how many videos the entity id occurs.

    Raises:
        DataError: There is none, one too many, none of the right length, or several that differ in their frame rate.
    """
    found = lines.get(rows.entity_id, ())
    if not found:
        raise DataError(
            f"{path}: no line for the entity {rows.entity_id!r} of {rows.lines.path.name}; "
            "write both files again, or remove the loader file."
        )
    if len(found) > videos:
        raise DataError(
            f"{path}, line {found[1].number}: the entity {rows.entity_id!r} stands on line {found[0].number} too; "
            "remove one."
        )
    fitting = [line for line in found if line.num_frames == len(rows.timestamps_ms)]
    if not fitting:
        raise DataError(
            f"{path}, line {found[0].number}: {found[0].num_frames} frames for the entity {rows.entity_id!r}, "
            f"which has {len(rows.timestamps_ms)} rows in {rows.lines.path}; write both files again."
        )
    speaking = tuple((rows.labels == 1).tolist())
    best = [line for line in fitting if line.speaking == speaking] or fitting
    if len({line.fps for line in best}) > 1:
        raise DataError(
            f"{path}, line {best[1].number}: the entity {rows.entity_id!r} stands on line {best[0].number} too, with "
            "another frame rate, and the file does not say of which video; remove the loader file."
        )
    return best[0]
