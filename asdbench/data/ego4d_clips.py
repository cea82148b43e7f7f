"""The clips of Ego4D: where a download leaves them, and what their headers say, without decoding anything."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from asdbench.data.container import open_stream, seconds
from asdbench.data.ids import find_child
from asdbench.data.media import file_stamp
from asdbench.data.sound import sound_span
from asdbench.errors import DataError
from asdbench.types import SAMPLE_RATE, Int16Array, UInt8Array

FRAME_RATE = 30
"""Frames per second of every clip."""

_FOLDERS = ("clips", "av_clips", "videos", "v2/clips", "v2/av_clips", "v1/clips", "v1/av_clips", ".")
"""Where clips lie: ``v2/clips`` by Ego4D's own download, ``videos`` in the TalkNet baseline."""

# From 29.97 frames per second to 30, frame numbers are off by nine at the end of a clip.
_RATE_TOLERANCE = Fraction(1, 2000)


@dataclass(frozen=True)
class Header:
    """What the header of a clip says.

    Attributes:
        size: Width and height of its pictures.
        start_ms: When frame 0 is shown.
        sound: First sample of its sound on the clock of `asdbench.data.sound`, and the one past the last; ``None``
            without sound.
    """

    size: tuple[int, int]
    start_ms: int
    sound: tuple[int, int] | None


@dataclass(frozen=True)
class UnusableClip:
    """Stands for the media of a track whose clip cannot be used, so that scoring it says why."""

    video: Path
    reason: str

    def audio(self) -> Int16Array:
        """Raise ``DataError``."""
        raise DataError(self.reason)

    def audio_window(self, start: int, stop: int) -> Int16Array:
        """Raise ``DataError``."""
        raise DataError(self.reason)

    def faces(self) -> list[UInt8Array]:
        """Raise ``DataError``."""
        raise DataError(self.reason)

    def stamp(self) -> str:
        """Return the size and the time of change of the clip, or "missing"."""
        return file_stamp(self.video)


def find_clip(root: Path, clip_uid: str) -> Path:
    """Return the path of a clip; where there is none, one at which it may be put."""
    found = (find_child(root / folder, f"{clip_uid}.mp4") for folder in _FOLDERS)
    return next((path for path in found if path.is_file()), root / _FOLDERS[0] / f"{clip_uid}.mp4")


def read_header(path: Path) -> Header:
    """Read the header of a clip, in about a millisecond.

    Raises:
        DataError: The clip is missing or damaged, or frame n is not shown n / 30 s after its first.
    """
    with open_stream(path, "video", quick=True) as (container, stream):
        rate = stream.average_rate or stream.guessed_rate
        if not rate or abs(Fraction(rate) / FRAME_RATE - 1) > _RATE_TOLERANCE:
            raise DataError(
                f"{path}: {float(rate or 0):.6g} frames per second; the frame numbers of Ego4D are those of the "
                f"official clips, which have {FRAME_RATE}: download it again, and do not convert it."
            )
        start = seconds(stream.start_time, stream) or Fraction(0)
        if start < 0 or not (stream.width and stream.height):
            raise DataError(f"{path}: the header gives no size or start of the pictures; download the clip again.")
        return Header((stream.width, stream.height), round(start * 1000), _sound(path, container.streams.best("audio")))


def _sound(path: Path, stream: Any) -> tuple[int, int] | None:
    if stream is None or stream.time_base is None:
        return None
    if stream.duration is None:  # as in fragmented files: only the packets tell
        return sound_span(path)
    first = seconds(stream.start_time, stream) or Fraction(0)
    last = first + stream.duration * Fraction(stream.time_base)
    return math.ceil(first * SAMPLE_RATE), math.floor(last * SAMPLE_RATE)
