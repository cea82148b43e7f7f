"""The Columbia panel discussion: one video, one text file of labels per person.

::

    ROOT/col_labels/<person>.txt    or ROOT/col_labels/fusion/<person>.txt: frame, x, y, width, label; tab-separated
    ROOT/<any name>.mp4             the video, or in ROOT/videos/

Labels are at 29.97 frames per second, on pictures of half the width and height of the video; the height of a box is its
width. They are read at 25 fps as all published evaluations do (TalkNet, ``demoTalkNet.py``): frame f becomes
int(f / 29.97 * 25). Of two labels that fall on one picture the first counts, and none if they differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asdbench.data.crops import CropStyle
from asdbench.data.film_tracks import (
    VIDEO_SUFFIXES,
    Film,
    crop_style,
    cut_fingerprint,
    film_track,
    look_at,
    picture_size,
)
from asdbench.data.fingerprint import fingerprint
from asdbench.data.ids import is_safe
from asdbench.data.video_media import Places
from asdbench.errors import DataError
from asdbench.types import BoolArray, Dataset, Track, TrackKey

FPS = 25
LABEL_FPS = 29.97
LONGEST_S = 60
"""Longest track, as in AVA: a person's labels are cut where rows are missing and after so many seconds."""

_COLUMNS = ("frame", "x", "y", "width", "label")
_LARGEST = 10**8


@dataclass(frozen=True, eq=False)
class Person:
    """The labels of one person at 25 fps.

    Attributes:
        file: Where they are from.
        lines: ``[T]`` int64, the line of each.
        frames: ``[T]`` int64, increasing: pictures at 25 fps.
        boxes: ``[T, 3]`` int64: left, top and width, in pixels of the half-size picture.
        labels: ``[T]`` int8.
        agreed: ``[T]``, False where two labels of the picture differ.
    """

    file: Path
    lines: NDArray[np.int64]
    frames: NDArray[np.int64]
    boxes: NDArray[np.int64]
    labels: NDArray[np.int8]
    agreed: BoolArray


def open_columbia(
    root: Path, split: str = "val", name: str | None = None, *, crop: str = "centre", video: str = ""
) -> Dataset:
    """Read the labels of all persons; media are opened later, track by track.

    Args:
        root: The folder that holds ``col_labels/`` and the video.
        split: Not used: there is one.
        name: Short name for tables and folders; the folder's name without one.
        crop: How faces are cut: ``centre``, which demo code shows its network, or another of `asdbench.data.crops`.
        video: Path of the video, where it does not lie in the folder or is not alone there.

    Raises:
        DataError: A file is missing or broken; the message has file and line.
        UsageError: There is no such way to cut.
    """
    style = crop_style(crop)
    film = _film(root, video)
    files = sorted((root / "col_labels" / "fusion").glob("*.txt")) or sorted((root / "col_labels").glob("*.txt"))
    if not files:
        raise DataError(f"{root / 'col_labels'}: no <person>.txt lies there; unpack the labels of the Columbia data.")
    tracks: list[Track] = []
    notes = ["the tracks are those of the labels, not of a face detector as in published results"]
    double = short = 0
    for file in files:
        person = read_person(file)
        double += int((~person.agreed).sum())
        for piece in _pieces(person.frames):
            short += len(piece) == 1
            if len(piece) > 1:
                tracks.append(_track(person, piece, film, style))
    if double:
        notes.append(f"{double} pictures have two labels that differ and are not scored")
    if short:
        notes.append(f"{short} rows without a neighbour are left out")
    if any(file.stem == "abbas" for file in files):
        notes.append("published averages leave out the person abbas")
    tracks.sort(key=lambda track: track.key)
    return Dataset(
        name=name or root.resolve().name,
        format="columbia",
        protocol="columbia-f1",
        tracks=tuple(tracks),
        fingerprint=fingerprint(tracks, cut_fingerprint(tracks, style)),
        notes=tuple(notes),
    )


def read_person(path: Path) -> Person:
    """Read the labels of one person.

    Raises:
        DataError: The file cannot be read or named, a line does not hold five whole numbers, or one is out of range.
    """
    if not is_safe(path.stem):
        raise DataError(f"{path}: the name cannot name a person.")
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable text file ({error}).") from error
    rows = [(number, *_parse(path, number, text)) for number, text in enumerate(lines, start=1) if text.strip()]
    if not rows:
        raise DataError(f"{path}: no labels; expected lines of {', '.join(_COLUMNS)}.")
    table = np.array(rows, dtype=np.int64)
    frames = np.array([int(frame / LABEL_FPS * FPS) for frame in table[:, 1].tolist()], dtype=np.int64)
    table, frames = (each[np.argsort(table[:, 1], kind="stable")] for each in (table, frames))
    unique, first, which = np.unique(frames, return_index=True, return_inverse=True)
    agreed = np.ones(len(unique), dtype=bool)
    agreed[which[table[:, 5] != table[first[which], 5]]] = False
    kept = table[first]
    return Person(path, kept[:, 0], unique, kept[:, 2:5], kept[:, 5].astype(np.int8), agreed)


def _parse(path: Path, number: int, text: str) -> tuple[int, ...]:
    try:
        values = tuple(int(field) for field in text.strip().split("\t"))
        in_range = len(values) == len(_COLUMNS) and max(map(abs, values)) < _LARGEST
        if in_range and values[0] >= 0 and values[3] > 0 and values[4] in (0, 1):
            return values
    except ValueError:
        pass
    raise DataError(
        f"{path}, line {number}: expected {', '.join(_COLUMNS)} as whole numbers separated by tabs, the label 0 or 1, "
        f"found {text[:80]!r}."
    )


def _film(root: Path, video: str) -> Film:
    """Return the video of the data set, which must be readable: boxes are in its pixels."""
    if video:
        path = root / video if (root / video).is_file() else Path(video)
    else:
        found = sorted(
            path
            for folder in (root, root / "videos")
            for suffix in VIDEO_SUFFIXES
            for path in folder.glob(f"*{suffix}")
        )
        if len(found) != 1:
            raise DataError(
                f"{root}: {len(found)} videos lie there, and the one that was labelled must; name it with video=..."
            )
        path = found[0]
    if not is_safe(path.stem):
        raise DataError(f"{path}: the name cannot name a video; rename it.")
    picture_size(path)
    return look_at(path, path)


def _pieces(frames: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield places of rows without a gap, at most `LONGEST_S` long."""
    for run in np.split(np.arange(len(frames)), np.flatnonzero(np.diff(frames) > 1) + 1):
        yield from np.array_split(run, -(-len(run) // (LONGEST_S * FPS)))


def _track(person: Person, piece: NDArray[np.int64], film: Film, style: CropStyle) -> Track:
    width, height = film.size or picture_size(film.video)
    x, y, side = 2.0 * person.boxes[piece].T
    boxes = np.stack([x / width, y / height, (x + side) / width, (y + side) / height], axis=1)
    frames = person.frames[piece]
    agreed = person.agreed[piece]
    track = film_track(
        film,
        Places(person.file, person.lines[piece].tolist()),
        boxes,
        style,
        key=TrackKey(film.video.stem, f"{person.file.stem}:{frames[0]:06d}"),
        source_id=film.video.stem,
        timestamps_ms=frames * (1000 // FPS),
        labels=person.labels[piece],
        fps=float(FPS),
    )
    return replace(track, person_id=person.file.stem, scored=None if agreed.all() else agreed)
