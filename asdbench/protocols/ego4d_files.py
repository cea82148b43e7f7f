"""Ego4D's boxes from files: the annotation, and a csv of boxes; scores of published code: `ego4d_detections.py`.

- ``av_<split>.json``, the annotation as it is published;
- a csv file with the columns clip, frame, x1, y1, x2, y2, track or person, and speaking (labels) or score.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asdbench.data.ego4d_clips import FRAME_RATE
from asdbench.data.ego4d_json import read_clips
from asdbench.data.ego4d_tracks import face_rows, official_boxes
from asdbench.data.tables import is_frame, read_table
from asdbench.errors import DataError
from asdbench.protocols.ava_rows import AvaRows
from asdbench.protocols.ego4d_map50 import FaceBoxes
from asdbench.protocols.sniff import head
from asdbench.types import BoolArray

_CLIP = ("clip_uid", "clip", "clip_index", "video_id")
_FACE = ("track_id", "person_id", "track", "pid")
_DIGITS = 6
SIDES = ("x1", "y1", "x2", "y2")
"""Left, top, right and bottom of a box, as columns and fields are called."""


@dataclass(frozen=True, eq=False)
class Boxes:
    """Faces of many clips.

    Attributes:
        name: The file, for messages.
        clips: Ids of clips; ``clip`` are places in it.
        clip: ``[N]`` int64.
        frame: ``[N]`` int64.
        sides: ``[N, 4]`` left, top, right, bottom in pixels.
        face: ``[N]`` text, the track or person.
        speaking: ``[N]``, of labels.
        score: ``[N]`` float64, of scores.
        sources: Clip to the video it is cut from.
        numbers: Numbers of the clips in the official file names, where the files give them.
        outside: How many boxes were left out because no clip has their frame.
    """

    name: str
    clips: tuple[str, ...]
    clip: NDArray[np.int64]
    frame: NDArray[np.int64]
    sides: NDArray[np.float64]
    face: NDArray[np.object_]
    speaking: BoolArray | None = None
    score: NDArray[np.float64] | None = None
    sources: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)
    outside: int = 0

    def __len__(self) -> int:
        """Return the number of boxes."""
        return len(self.frame)

    def faces(self, numbers: Mapping[str, int], kept: BoolArray | None = None) -> FaceBoxes:
        """Return (some of) the boxes for ``map50``, clips by their numbers."""
        mask = np.ones(len(self), dtype=np.bool_) if kept is None else kept
        of_clip = np.array([numbers[clip] for clip in self.clips], dtype=np.int64)
        return FaceBoxes(of_clip[self.clip[mask]], self.frame[mask], self.sides[mask])

    def keys(self) -> list[tuple[str, int, str]]:
        """Return clip, frame and face of every box."""
        clips = [self.clips[number] for number in self.clip.tolist()]
        return list(zip(clips, self.frame.tolist(), self.face.tolist(), strict=True))


def is_number(clip: str) -> bool:
    """Tell whether a clip is called by a number, as in the official file names."""
    return clip.isascii() and clip.isdecimal() and len(clip) <= _DIGITS


def is_annotation(path: Path) -> bool:
    """Tell whether a json file looks like the annotation; it may be gigabytes."""
    return path.suffix == ".json" and b'"videos"' in head(path)


@dataclass(frozen=True, eq=False)
class Annotated:
    """What the annotation holds.

    Attributes:
        boxes: Every box of the benchmark's ground truth.
        rows: The rows of the tracks that can be scored: what the reader of the format ``ego4d`` makes of the same file,
            a clip being the video.
        row_boxes: The boxes of these rows, in the same order.
    """

    boxes: Boxes
    rows: AvaRows
    row_boxes: Boxes


def read_annotation(path: Path) -> Annotated:
    """Read ``av_<split>.json``.

    Raises:
        DataError: The file is broken; see `asdbench.data.ego4d_json.read_clips`.
    """
    boxes, rows = Collected(), Collected()
    sources: dict[str, str] = {}
    for source, clip in read_clips(path):
        sources[clip.clip_uid] = source
        for face in official_boxes(clip):
            boxes.add(clip.clip_uid, face.frames, face.boxes, face.name, face.labels)
        for face in face_rows(clip, "official", None, Counter()):
            rows.add(clip.clip_uid, face.frames, face.boxes, f"{clip.clip_uid}:{face.name}", face.labels)
    if not len(rows.frames):
        raise DataError(f"{path}: no face track; the annotation of the test clips is not public.")
    clips = tuple(sources)
    found = boxes.boxes(str(path), clips, sources)
    tracks = rows.boxes(str(path), clips, sources)
    names, entity = np.unique(tracks.face.astype(np.str_), return_inverse=True)
    milliseconds = (tracks.frame * 2000 + FRAME_RATE) // (2 * FRAME_RATE)
    labels = np.zeros(0, np.int8) if tracks.speaking is None else tracks.speaking.astype(np.int8)
    keyed = AvaRows(
        str(path), clips, tuple(map(str, names)), tracks.clip.astype(np.int32),
        entity.reshape(-1).astype(np.int32), milliseconds / 1000, (), labels,
    )  # fmt: skip
    return Annotated(found, keyed, tracks)


def read_boxes(path: Path, *, labels: bool) -> Boxes:
    """Read a csv file of boxes.

    Raises:
        DataError: It cannot be read, lacks a column, or a value is none.
    """
    table = read_table(path, (*SIDES, "frame", "speaking" if labels else "score"))
    names = table.frame.columns
    clip, face = (next((name for name in known if name in names), None) for known in (_CLIP, _FACE))
    if clip is None or face is None:
        missing = " or ".join(_CLIP if clip is None else _FACE)
        raise DataError(f"{path}, line 1: no column {missing}; found {', '.join(names)[:200]}.")
    frame = table.numbers("frame")
    table.refuse(~is_frame(frame), "frame", "is no whole number from 0")
    sides = np.stack([table.numbers(side) for side in SIDES], axis=1)
    table.refuse(~np.isfinite(sides.sum(axis=1)), "x1", "belongs to a box that is not made of numbers")
    speaking = table.numbers("speaking") if labels else None
    if speaking is not None:
        table.refuse(~np.isin(speaking, (0, 1)), "speaking", "is neither 0 nor 1")
    score = None if labels else table.numbers("score")
    if score is not None:
        table.refuse(~np.isfinite(score), "score", "is not a finite number")
    texts = table.frame[clip].to_numpy(object)
    clips = tuple(dict.fromkeys(texts))
    place = {text: number for number, text in enumerate(clips)}
    of_row = np.array([place[text] for text in texts], dtype=np.int64)
    numbers = {text: int(text) for text in clips} if all(map(is_number, clips)) else {}
    if len(set(numbers.values())) < len(numbers):  # 7 and 07 are two clips
        numbers = {}
    return Boxes(
        str(path), clips, of_row, frame.astype(np.int64), sides, table.frame[face].to_numpy(object),
        None if speaking is None else speaking == 1, score, {}, numbers,
    )  # fmt: skip


class Collected:
    """Boxes of many tracks, put together at the end."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, NDArray[np.float64], Iterable[str]]] = []
        self.frames: list[NDArray[np.int64]] = []
        self.labels: list[NDArray[np.int8]] = []
        self.scores: list[NDArray[np.float64]] = []

    def add(
        self, clip: str, frames: NDArray[np.int64], sides: NDArray[np.float64], face: str | Sequence[str],
        labels: NDArray[np.int8] | None = None, scores: NDArray[np.float64] | None = None,
    ) -> None:  # fmt: skip
        """Add boxes of a clip."""
        self.parts.append((clip, sides, [face] * len(frames) if isinstance(face, str) else face))
        self.frames.append(frames)
        self.labels += [] if labels is None else [labels]
        self.scores += [] if scores is None else [scores]

    def boxes(
        self, name: str, clips: tuple[str, ...], sources: Mapping[str, str], numbers: Mapping[str, int] | None = None
    ) -> Boxes:
        """Return all boxes."""
        place = {clip: number for number, clip in enumerate(clips)}
        of_row = [np.full(len(sides), place[clip], dtype=np.int64) for clip, sides, _ in self.parts]
        empty = np.zeros((0, 4))
        return Boxes(
            name, clips, np.concatenate([np.zeros(0, np.int64), *of_row]),
            np.concatenate([np.zeros(0, np.int64), *self.frames]),
            np.concatenate([empty, *(sides for _, sides, _ in self.parts)]),
            np.array([face for _, _, faces in self.parts for face in faces], dtype=object),
            np.concatenate(self.labels) == 1 if self.labels else None,
            np.concatenate(self.scores) if self.scores else None,
            sources, numbers or {},
        )  # fmt: skip
