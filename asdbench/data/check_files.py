"""What a video file says of itself: where its pictures and its sound start and end."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from hashlib import blake2b
from pathlib import Path
from typing import Any

from asdbench.data.container import open_stream, seconds
from asdbench.data.sound import sound_span
from asdbench.errors import DataError
from asdbench.types import SAMPLE_RATE

START_S = 0.045
"""From how far apart pictures and sound that start at different times are told: the least that viewers notice, which is
sound early by 45 ms (ITU-R BT.1359)."""

END_S = 0.5
"""From how far apart the ends are told; files often end with some frames of one without the other."""

_CHUNK = 1 << 20


def check_container(video: Path, sound: Path) -> Iterator[tuple[str, str]]:
    """Yield kind and message of what the timestamps of a video and its sound tell."""
    try:
        start, end, declared = _span(video)
    except DataError:
        return  # what cannot be read is told with its faces
    if end < declared - END_S:
        yield "truncated", f"{video}: pictures until {end:.2f} s, while the file promises {declared:.2f} s of them"
        return
    try:
        first, last = (sample / SAMPLE_RATE for sample in sound_span(sound))
    except DataError:
        return
    own = "its sound" if sound == video else str(sound)
    if abs(first - start) > START_S:
        yield "out of sync", f"{video}: pictures start at {start:.3f} s, {own} at {first:.3f} s"
    if abs(last - end) > END_S:
        yield "out of sync", f"{video}: pictures end at {end:.2f} s, {own} at {last:.2f} s"


def _span(video: Path) -> tuple[float, float, float]:
    """Return when pictures start, when they end, and when the file says that they do, in seconds."""
    with open_stream(video, "video") as (container, stream):
        start = seconds(stream.start_time, stream) or Fraction(0)
        declared = None if stream.duration is None else start + stream.duration * Fraction(stream.time_base)
        end = max((_end(packet, stream) for packet in container.demux(stream)), default=Fraction(0))
    return float(start), float(end), float(end if declared is None else declared)


def _end(packet: Any, stream: Any) -> Fraction:
    ticks = packet.pts if packet.pts is not None else packet.dts
    return Fraction(0) if ticks is None else (ticks + (packet.duration or 0)) * Fraction(stream.time_base)


def file_digest(path: Path) -> str | None:
    """Return a hash of a file's content, ``None`` where it cannot be read."""
    if not path.is_file():  # a device or a pipe may have no end
        return None
    digest = blake2b(digest_size=16)
    try:
        with path.open("rb") as file:
            while piece := file.read(_CHUNK):
                digest.update(piece)
    except OSError:
        return None
    return digest.hexdigest()
