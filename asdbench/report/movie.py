"""Short films of faces with sound, H.264 and AAC in mp4, which every browser and player takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from asdbench.atomic import replacing
from asdbench.errors import MissingDependencyError
from asdbench.types import SAMPLE_RATE, Int16Array, UInt8Array

_SAMPLES_PER_PACKET = 1024


def write_movie(
    path: Path,
    pictures: Iterable[UInt8Array],
    size: tuple[int, int],
    rate: float,
    sounds: Mapping[str, Int16Array],
    *,
    times_ms: Sequence[int] | None = None,
    comment: str = "",
) -> None:
    """Write a film.

    Args:
        path: The file, whole or not there.
        pictures: Gray ``[height, width]``, uint8.
        size: Their width and height, both even.
        rate: Pictures per second.
        sounds: Title to samples at 16 kHz; players take the first track of sound unless told otherwise.
        times_ms: When each picture is shown, increasing from 0; at an even rate by default.
        comment: Kept in the file.

    Raises:
        MissingDependencyError: This build of PyAV cannot encode H.264.
        ResourceError: The file cannot be written.
    """
    import av

    _require_encoder()
    exact = Fraction(rate).limit_denominator(1001)
    tick = 1 / exact if times_ms is None else Fraction(1, 1000)
    with replacing(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        if comment:
            container.metadata["comment"] = comment
        stream: Any = container.add_stream("libx264", rate=exact, options={"crf": "18"})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        if times_ms is not None:
            stream.codec_context.time_base = tick
        streams = [_sound_stream(container, title) for title in sounds]
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = index if times_ms is None else int(times_ms[index]), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for sound, samples in zip(streams, sounds.values(), strict=True):
            _mux_sound(container, sound, samples)


def fitted(face: UInt8Array, side: int, *, smooth: bool = False) -> UInt8Array:
    """Return a crop as a square of a given size.

    Args:
        face: ``[height, width]``.
        side: Of the square.
        smooth: Whether a smaller crop is interpolated, or each of its pixels is seen.
    """
    import cv2

    enlarging = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    method = enlarging if face.shape[0] < side else cv2.INTER_AREA
    return np.asarray(cv2.resize(face, (side, side), interpolation=method), dtype=np.uint8)


def _require_encoder() -> None:
    import av

    try:
        av.Codec("libx264", "w")
    except av.error.FFmpegError as error:
        raise MissingDependencyError(
            "this build of PyAV has no H.264 encoder (libx264); install the wheel: pip install av"
        ) from error


def _sound_stream(container: Any, title: str) -> Any:
    stream = container.add_stream("aac", rate=SAMPLE_RATE)
    stream.bit_rate = 96_000
    stream.layout = "mono"
    stream.metadata["title"] = title
    return stream


def _mux_sound(container: Any, stream: Any, samples: Int16Array) -> None:
    import av

    # A track of one frame has no sound; encoders want some.
    heard = samples if len(samples) else np.zeros(1, np.int16)
    frame = av.AudioFrame.from_ndarray(heard[np.newaxis], format="s16", layout="mono")
    frame.sample_rate, frame.pts = SAMPLE_RATE, 0
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=SAMPLE_RATE, frame_size=_SAMPLES_PER_PACKET)
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(piece))
    container.mux(stream.encode(None))
