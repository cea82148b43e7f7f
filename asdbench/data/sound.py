"""Sound file, or the sound of a video -> 16 kHz mono int16, placed on the clock of the video.

Sample n of the clock is time n / 16000 s of the file. A sound file starts at 0. The sound of a video starts where the
file says, which may be later than 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from asdbench.data.container import open_stream, seconds, seek_before
from asdbench.data.media import read_wav
from asdbench.errors import DataError
from asdbench.types import SAMPLE_RATE, Int16Array

SOUND_SUFFIXES = (".flac", ".ogg", ".wav")
"""Ends of names of sound files, all of which libsndfile reads."""

# After a seek, decoders and the resampler need some sound before what they give is right.
_SEEK_EARLIER_S = 1
_WARM_UP = SAMPLE_RATE // 2
_PIECE = 60 * SAMPLE_RATE
# Files round the times of their sound; what differs by more is sound that is missing, or there twice.
_LARGEST_JUMP_S = Fraction(1, 200)


def sound_span(path: Path) -> tuple[int, int]:
    """Return the first sample of the clock at which a file has sound, and the one past the last.

    Raises:
        DataError: The file is missing or not readable, or has no sound.
    """
    length = _plain_length(path)
    if length is not None:
        return 0, length
    with open_stream(path, "audio") as (container, stream):
        start = seconds(stream.start_time, stream) or Fraction(0)
        end = None if stream.duration is None else start + stream.duration * Fraction(stream.time_base)
        if end is None:  # as in Matroska: only the packets tell
            ends = (packet.pts + (packet.duration or 0) for packet in container.demux(stream) if packet.pts is not None)
            end = seconds(max(ends, default=0), stream) or Fraction(0)
    return math.ceil(start * SAMPLE_RATE), math.floor(end * SAMPLE_RATE)


def read_sound(path: Path, start: int, stop: int) -> tuple[int, Int16Array]:
    """Read the samples ``start`` to ``stop`` of the clock.

    Args:
        path: A file with sound. What is 16 kHz and mono comes back bit for bit; the rest is mixed and resampled.
        start: First sample, at least 0.
        stop: One past the last.

    Returns:
        The place of the first sample that is there, and the samples; cut at the sides where the file has no sound.

    Raises:
        DataError: The file is missing, damaged or cut off, or has a gap in its sound.
    """
    length = _plain_length(path)
    if length is None:
        decoded = _decode(path, start, stop, seek=True)
        return decoded if decoded is not None else _decode(path, start, stop, seek=False) or (start, _none())
    stop = max(min(stop, length), start)
    samples = read_wav(path, min(start, length), stop) if stop > start else _none()
    if len(samples) < stop - start:
        raise DataError(f"{path}: cut off after {(start + len(samples)) / SAMPLE_RATE:.3f} s; copy the file again.")
    return start, samples


def sound_pieces(path: Path) -> Iterator[tuple[int, Int16Array]]:
    """Yield the whole sound piece by piece, each with its place on the clock, which may lie before 0.

    One follows the other without a gap.

    Raises:
        DataError: As for `read_sound`.
    """
    length = _plain_length(path)
    if length is None:
        with open_stream(path, "audio") as (container, stream):
            yield from _resampled(path, container.decode(stream), stream)
        return
    for start in range(0, length, _PIECE):
        yield read_sound(path, start, min(start + _PIECE, length))


def _none() -> Int16Array:
    return np.empty(0, dtype=np.int16)


def _plain_length(path: Path) -> int | None:
    """Return the number of samples of a file that needs no resampling; ``None`` for others."""
    import soundfile

    if path.suffix.lower() not in SOUND_SUFFIXES or not path.is_file():
        return None
    try:
        info: Any = soundfile.info(path)
    except (soundfile.LibsndfileError, RuntimeError):
        return None
    return int(info.frames) if (info.samplerate, info.channels) == (SAMPLE_RATE, 1) else None


def _decode(path: Path, start: int, stop: int, *, seek: bool) -> tuple[int, Int16Array] | None:
    """Decode and resample; ``None`` if the seek came out behind ``start``."""
    early = Fraction(start, SAMPLE_RATE) - _SEEK_EARLIER_S
    pieces: list[Int16Array] = []
    first = start
    with open_stream(path, "audio") as (container, stream):
        # Where times are coarser than samples (Matroska), only counting from the start gives the place of a sample.
        seek = seek and early > 0 and stream.time_base * stream.rate <= 1
        if seek and not seek_before(container, stream, early):
            return None
        for place, piece in _resampled(path, container.decode(stream), stream):
            if not pieces:
                if seek and place > start - _WARM_UP:
                    return None
                first = max(start, place)
            pieces.append(piece[max(start - place, 0) : max(stop - place, 0)])
            if place + len(piece) >= stop:
                break
    return first, np.concatenate([_none(), *pieces])


def _resampled(path: Path, frames: Iterator[Any], stream: Any) -> Iterator[tuple[int, Int16Array]]:
    """Yield pieces of 16 kHz mono one after the other, each with its place on the clock."""
    import av

    rate = int(stream.rate)
    step = rate // math.gcd(rate, SAMPLE_RATE)
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    at: int | None = None
    begin = 0
    for place, frame in _checked(path, frames, stream):
        sources = [frame]
        if at is None:
            # Start where a sample of the old rate and one of the new rate coincide, so that where decoding starts
            # does not move what comes out. The silence that fills up to there is cut off again; the filter's first
            # samples still hear it, as at every start, so after a seek those of the warm-up are not used.
            lead = place % step
            at, begin = (place - lead) * SAMPLE_RATE // rate, math.ceil(Fraction(place * SAMPLE_RATE, rate))
            sources = [*_silence(frame, lead), frame]
        for piece in (piece for source in sources for piece in resampler.resample(source)):
            samples = piece.to_ndarray()[0]
            yield max(at, begin), samples[max(begin - at, 0) :]
            at += len(samples)
    if at is not None:
        for piece in resampler.resample(None):
            if piece is not None:  # some versions of PyAV end with None
                yield at, piece.to_ndarray()[0]
                at += piece.samples


def _checked(path: Path, frames: Iterator[Any], stream: Any) -> Iterator[tuple[int, Any]]:
    """Yield frames, each with the place of its first sample by its time, as long as counting samples agrees with it."""
    rate = int(stream.rate)
    expected: int | None = None
    for frame in frames:
        time = seconds(frame.pts, stream)
        if time is None or frame.is_corrupt or frame.sample_rate != rate:
            raise DataError(f"{path}: the sound is damaged, has no times or changes its sample rate; convert the file.")
        place = round(time * rate)
        if expected is not None and abs(place - expected) > _LARGEST_JUMP_S * rate:
            raise DataError(
                f"{path}: the sound jumps from {expected / rate:.3f} s to {place / rate:.3f} s; fill the gap "
                "(ffmpeg -i IN -af aresample=async=1 -ac 1 -ar 16000 audio/NAME.flac)."
            )
        expected = (place if expected is None else expected) + frame.samples
        frame.pts = None
        yield place, frame


def _silence(frame: Any, samples: int) -> list[Any]:
    import av

    if not samples:
        return []
    width = samples * (1 if frame.format.is_planar else len(frame.layout.channels))
    zeros = np.zeros((frame.to_ndarray().shape[0], width), dtype=frame.to_ndarray().dtype)
    silence = av.AudioFrame.from_ndarray(zeros, format=frame.format.name, layout=frame.layout.name)
    silence.sample_rate = frame.sample_rate
    return [silence]
