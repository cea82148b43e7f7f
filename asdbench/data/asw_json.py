"""The json files of ASW: one per video, track name to samples."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from asdbench.data.ids import is_safe
from asdbench.errors import DataError
from asdbench.types import BoolArray

FPS = 25
"""Pictures per second of ASW's videos, as its conversion writes them."""

_MAX_SECONDS = 1e6


class _Sample(msgspec.Struct, frozen=True):
    time: float
    bbox: tuple[float, float, float, float]
    label: Literal[0, 1]
    eval: Literal[0, 1]


@dataclass(frozen=True, eq=False)
class Samples:
    """The samples of one track.

    Attributes:
        track: Name of the track.
        frames: ``[S]`` int64, increasing: pictures at 25 fps.
        boxes: ``[S, 4]`` float64: x1, y1, x2, y2 as shares of the picture; they may leave it.
        labels: ``[S]`` int8, 1 where the face is seen and heard to speak.
        scored: ``[S]``, whether ``eval`` is 1.
        numbers: ``[S]`` int64, places of the samples in the track, from 1.
    """

    track: str
    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]
    labels: NDArray[np.int8]
    scored: BoolArray
    numbers: NDArray[np.int64]

    def part(self, kept: BoolArray) -> Samples:
        """Return some of the samples."""
        return Samples(
            self.track,
            self.frames[kept],
            self.boxes[kept],
            self.labels[kept],
            self.scored[kept],
            self.numbers[kept],
        )


def read_samples(path: Path) -> Iterator[Samples]:
    """Yield the tracks of one video that have samples, in the order of their names.

    Raises:
        DataError: The file cannot be read, or a track or sample is not as expected; with file, track and sample.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_once)
        tracks = msgspec.convert(content, dict[str, list[_Sample]])
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError, msgspec.ValidationError) as error:
        raise DataError(
            f"{path}: {error}; expected track names, each with a list of samples that have time, bbox, label and eval."
        ) from error
    for name in sorted(tracks):
        if not is_safe(name):
            raise DataError(f"{path}: the track {name[:80]!r} cannot name a file.")
        if tracks[name]:
            yield _check(path, name, tracks[name])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"{twice[:80]!r} stands there twice")
    return found


def _check(path: Path, name: str, samples: list[_Sample]) -> Samples:
    times = np.array([each.time for each in samples], dtype=np.float64)
    boxes = np.array([each.bbox for each in samples], dtype=np.float64)
    # Times are written with float noise, which truncation would move to the picture before.
    frames = np.where((times >= 0) & (times < _MAX_SECONDS), np.rint(times * FPS), -1).astype(np.int64)
    problems = (
        (frames < 0, "has no time in seconds"),
        (np.diff(frames, prepend=-1) <= 0, "is not later than the one before; samples must be in order of time"),
        (~((boxes >= -2) & (boxes <= 3)).all(axis=1), "has a box that is no share of the picture, near 0 to 1"),
        ((boxes[:, 0] >= boxes[:, 2]) | (boxes[:, 1] >= boxes[:, 3]), "has a box that is empty or turned round"),
    )
    for bad, problem in problems:
        if bad.any():
            raise DataError(f"{path}, track {name!r}, sample {int(np.argmax(bad)) + 1}: it {problem}.")
    labels = np.array([each.label for each in samples], dtype=np.int8)
    scored = np.array([each.eval == 1 for each in samples], dtype=bool)
    return Samples(name, frames, boxes, labels, scored, np.arange(1, len(samples) + 1))
