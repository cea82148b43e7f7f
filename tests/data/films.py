"""Writes small real video files whose pictures say which they are, and whose sound is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 48, 64
LOSSLESS = {"crf": "0"}


def numbered(number: int) -> NDArray[np.uint8]:
    """Return luma of one level that tells the number of the frame."""
    return np.full((HEIGHT, WIDTH), 16 + 2 * number, dtype=np.uint8)


def number_of(crop: NDArray[np.uint8]) -> int:
    """Return the number of the frame that a gray crop comes from."""
    assert int(crop.max()) - int(crop.min()) <= 1, "the film must be almost lossless"
    return round(float(crop.mean()) * 219 / 255 / 2)


@dataclass(frozen=True, eq=False)
class Sound:
    """The sound of a film: ``[channels, samples]`` int16 or one channel, and where it starts, in samples."""

    samples: NDArray[np.int16]
    rate: int = 16_000
    codec: str = "pcm_s16le"
    start: int = 0
    gap: tuple[int, int] | None = None
    """After how many samples how many are missing."""


@dataclass(frozen=True, eq=False)
class Film:
    """A film to be written.

    Attributes:
        frames: How many pictures.
        rate: Pictures per second.
        ticks: When each is shown, in periods of ``rate``; 0, 1, 2, ... without.
        luma: Number of the picture to luma ``[height, width]``.
        sound: Its sound.
        format: Pixel format.
        full_range: Whether the file says that luma uses 0..255.
        options: Of the encoder; ``LOSSLESS`` for every level to come back (no B-frames).
        muxer: Options of the file.
    """

    frames: int = 50
    rate: Fraction = Fraction(25)
    ticks: Sequence[int] | None = None
    luma: Callable[[int], NDArray[np.uint8]] = numbered
    sound: Sound | None = None
    format: str = "yuv420p"
    codec: str = "libx264"
    full_range: bool = False
    options: dict[str, str] = field(default_factory=dict)
    muxer: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        """Write the film; the suffix says which kind of file it becomes."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w", options=self.muxer) as container:
            stream: Any = container.add_stream(self.codec, rate=self.rate) if self.frames else None
            sound: Any = _add_sound(container, self.sound) if self.sound else None
            if self.frames:
                self._open(stream)
                for number in range(self.frames):
                    container.mux(stream.encode(self._frame(number)))
                container.mux(stream.encode())
            if self.sound:
                _write_sound(container, sound, self.sound)
        return path

    def _open(self, stream: Any) -> None:
        stream.height, stream.width = self.luma(0).shape
        stream.pix_fmt = self.format
        stream.codec_context.time_base = 1 / self.rate
        if self.full_range:
            stream.codec_context.color_range = 2
        if self.codec == "libx264":
            stream.options = {"preset": "veryfast", "crf": "2", "g": "12", "bf": "2", **self.options}

    def _frame(self, number: int) -> Any:
        luma = self.luma(number)
        if self.format == "yuv420p":
            chroma = np.full((luma.shape[0] // 2, luma.shape[1]), 128, dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(np.concatenate([luma, chroma]), format="yuv420p")
        elif self.format == "yuv444p":
            frame = av.VideoFrame.from_ndarray(np.stack([luma, *[np.full_like(luma, 128)] * 2]), format="yuv444p")
        else:
            frame = av.VideoFrame.from_ndarray(np.stack([luma] * 3, axis=-1), format="rgb24").reformat(
                format=self.format
            )
        if self.full_range:
            frame.color_range = 2
        frame.pts = number if self.ticks is None else self.ticks[number]
        frame.time_base = 1 / self.rate
        return frame


def _add_sound(container: Any, sound: Sound) -> Any:
    stream = container.add_stream(sound.codec, rate=sound.rate)
    stream.layout = "mono" if np.ndim(sound.samples) == 1 else "stereo"
    stream.codec_context.time_base = Fraction(1, sound.rate)
    return stream


def _write_sound(container: Any, stream: Any, sound: Sound) -> None:
    samples = np.atleast_2d(sound.samples)
    size = 1024
    resampler = av.AudioResampler(format=stream.codec_context.format, layout=stream.layout.name, rate=sound.rate)
    for start in range(0, samples.shape[1], size):
        piece = np.ascontiguousarray(samples[:, start : start + size])
        frame = av.AudioFrame.from_ndarray(piece, format="s16p", layout=stream.layout.name)
        frame.sample_rate, frame.time_base = sound.rate, Fraction(1, sound.rate)
        jump = sound.gap[1] if sound.gap and start >= sound.gap[0] else 0
        for converted in resampler.resample(frame):
            converted.pts = sound.start + start + jump
            converted.time_base = Fraction(1, sound.rate)
            container.mux(stream.encode(converted))
    container.mux(stream.encode())
