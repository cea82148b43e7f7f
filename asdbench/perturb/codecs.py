"""Real codecs: the sound encoded at a low rate and decoded again, in memory: mp3, opus (docs/perturbations.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from asdbench.errors import MissingDependencyError
from asdbench.perturb.audio import to_int16
from asdbench.perturb.edits import AudioEdit, Lender
from asdbench.perturb.severity import SeverityOptions
from asdbench.perturb.spectrum import convolve, shaped_noise, speech_gain
from asdbench.perturb.targets import Outcome, Perturbation, PlanContext, Planner
from asdbench.types import SAMPLE_RATE, Int16Array, Media

MP3_KBPS = (64, 32, 24, 16, 8)
"""Bit rate of mp3 by severity, in kbit/s, for mono sound at 16 kHz."""
OPUS_KBPS = (32, 16, 12, 8, 6)
"""Bit rate of Opus by severity."""

# Both codecs hold the sound back by less than 0.1 s; what is appended pushes the last of it out.
_FLUSH = SAMPLE_RATE // 5
_PROBE, _SYLLABLE, _PROBE_LEVEL = 2 * SAMPLE_RATE, SAMPLE_RATE // 4, 3000
_Name = Literal["mp3", "opus"]


@dataclass(frozen=True)
class _Codec:
    encoder: str
    decoder: str
    sample_format: str


_CODECS: dict[str, _Codec] = {
    "mp3": _Codec("libmp3lame", "mp3float", "s16p"),
    "opus": _Codec("libopus", "opus", "s16"),
}


def made_with(name: _Name) -> str:
    """Return the versions of the libraries that encode and decode.

    Raises:
        MissingDependencyError: FFmpeg was built without this encoder or decoder.
    """
    import av

    codec = _CODECS[name]
    for part, create in ((codec.encoder, "w"), (codec.decoder, "r")):
        mode: Any = create
        try:
            av.Codec(part, mode)
        except (av.error.FFmpegError, ValueError) as error:
            raise MissingDependencyError(
                f"{name!r} needs FFmpeg's {part!r}, which the installed PyAV {av.__version__} was built without; "
                "install the wheel from PyPI: pip install --force-reinstall --only-binary av av"
            ) from error
    version = ".".join(map(str, av.library_versions["libavcodec"]))
    return f"av {av.__version__}, libavcodec {version}"


def recode(waveform: Int16Array, name: _Name, kbps: int) -> Int16Array:
    """Encode and decode; the delay of the codec is taken out to the sample.

    Args:
        waveform: ``[N]`` 16 kHz.
        name: ``mp3`` (LAME) or ``opus`` (libopus).
        kbps: Bit rate in kbit/s, constant.

    Returns:
        ``[N]`` what a listener gets.

    Raises:
        MissingDependencyError: FFmpeg was built without this encoder or decoder.
    """
    made_with(name)
    if not len(waveform):
        return waveform.copy()
    delay = _delay(name, kbps)
    decoded = _round_trip(waveform, name, kbps)[delay : delay + len(waveform)]
    return np.concatenate([decoded, np.zeros(len(waveform) - len(decoded), dtype=np.int16)])


@cache
def _delay(name: _Name, kbps: int) -> int:
    """Return by how many samples a round trip delays, found by correlation with noise in syllables.

    Measured and not read: encoders tell of their delay in different ways, FFmpeg takes some of it out again, and at its
    lowest rates Opus works at a lower sample rate, which delays by two samples more.
    """
    syllables = np.sin(np.pi * np.arange(_PROBE) / _SYLLABLE) ** 2
    probe = to_int16(shaped_noise("codec delay", _PROBE, speech_gain) * syllables * _PROBE_LEVEL)
    decoded = _round_trip(probe, name, kbps).astype(np.float64)
    return max(int(np.argmax(convolve(decoded, probe[::-1].astype(np.float64)))) - (len(probe) - 1), 0)


def _round_trip(waveform: Int16Array, name: _Name, kbps: int) -> Int16Array:
    import av

    codec = _CODECS[name]
    encoder: Any = av.CodecContext.create(codec.encoder, "w")
    encoder.sample_rate, encoder.layout, encoder.format = SAMPLE_RATE, "mono", codec.sample_format
    encoder.bit_rate = kbps * 1000
    encoder.options = {"vbr": "off"} if name == "opus" else {}
    encoder.open()
    decoder: Any = av.CodecContext.create(codec.decoder, "r")
    decoder.extradata = encoder.extradata
    resampler: Any = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    padded = np.concatenate([waveform, np.zeros(_FLUSH, dtype=np.int16)])
    pieces: list[NDArray[np.int16]] = []
    for packet in _packets(encoder, padded, codec.sample_format):
        for frame in decoder.decode(packet):
            frame.pts = None
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    pieces += [piece.to_ndarray()[0] for piece in resampler.resample(None) if piece is not None]
    return np.concatenate(pieces)


def _packets(encoder: Any, samples: Int16Array, sample_format: str) -> Iterator[Any]:
    import av

    size = int(encoder.frame_size)
    for start in range(0, len(samples), size):
        block = samples[start : start + size]
        frame = av.AudioFrame.from_ndarray(
            np.pad(block, (0, size - len(block)))[np.newaxis], format=sample_format, layout="mono"
        )
        frame.sample_rate = SAMPLE_RATE
        frame.pts = start
        yield from encoder.encode(frame)
    yield from encoder.encode(None)
    yield None


class CodecEdit(AudioEdit, frozen=True, kw_only=True, tag="codec"):
    """The sound after a codec."""

    codec: _Name
    kbps: int
    made_with: str

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """See `recode`."""
        return recode(original, self.codec, self.kbps)


class Mp3Options(SeverityOptions, frozen=True, forbid_unknown_fields=True):
    """Bit rate in kbit/s; MPEG-2 layer III knows those of the list alone."""

    kbps: Literal[8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160] | None = None


class OpusOptions(SeverityOptions, frozen=True, forbid_unknown_fields=True):
    """Bit rate in kbit/s."""

    kbps: Annotated[int, msgspec.Meta(ge=6, le=256)] | None = None


def plan_mp3(context: PlanContext, options: Mp3Options, me: Perturbation) -> Planner:
    """LAME and back."""
    return _plan("mp3", MP3_KBPS[options.severity - 1] if options.kbps is None else options.kbps, me)


def plan_opus(context: PlanContext, options: OpusOptions, me: Perturbation) -> Planner:
    """Opus and back."""
    return _plan("opus", options.amount(options.kbps, OPUS_KBPS), me)


def _plan(name: _Name, kbps: int, me: Perturbation) -> Planner:
    edit = CodecEdit(version=me.version, codec=name, kbps=kbps, made_with=made_with(name))
    return lambda target: Outcome((edit,))


CODECS = (
    Perturbation(
        "mp3",
        1,
        "encoded with LAME and decoded",
        "track",
        Mp3Options,
        plan_mp3,
        source="LAME through FFmpeg (PyAV)",
        exact=False,
    ),
    Perturbation(
        "opus",
        1,
        "encoded with Opus and decoded",
        "track",
        OpusOptions,
        plan_opus,
        source="RFC 6716, libopus through FFmpeg (PyAV)",
        exact=False,
    ),
)
"""What this module adds to the catalogue."""
