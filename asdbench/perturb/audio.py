"""Perturbations of sound: pure functions from 16 kHz int16 audio to int16 audio of the same length.

Spans are half-open ranges of samples. Results are rounded and clipped to int16, so that what is scored on the fly,
kept in a store or written to disk is the same. Definitions: docs/method.md, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asdbench.errors import UsageError
from asdbench.types import SAMPLE_RATE, Int16Array

EDGE_FADE = SAMPLE_RATE * 5 // 1000
"""Crossfade where a replaced span meets what surrounds it: 5 ms."""
JOIN_FADE = SAMPLE_RATE * 20 // 1000
"""Crossfade where two donors, or two turns of a loop, meet: 20 ms."""
NOISE_WINDOW = SAMPLE_RATE * 300 // 1000
"""Length of the background noise taken from a track: 0.3 s."""

_LEVEL_FRAME = SAMPLE_RATE * 20 // 1000
_LEVEL_RANGE_DB = 25.0
_MAX_GAIN_DB = 30.0
_NOISE_HOP = SAMPLE_RATE * 10 // 1000

_Float = NDArray[np.float64]
Samples = Int16Array | _Float


def silence(waveform: Int16Array) -> Int16Array:
    """Return zeros of the same length."""
    return np.zeros_like(waveform)


def mismatch(
    waveform: Int16Array, start: int, stop: int, donors: Sequence[Int16Array], *, match_level: bool = True
) -> Int16Array:
    """Replace a span by somebody else's audio.

    Args:
        waveform: ``[N]`` the track's audio.
        start: First sample of the span.
        stop: One past its last sample.
        donors: Segments ``[M]`` of other recordings, joined by 20 ms crossfades in this order and cut to the span.
        match_level: Scale the donors to the active-speech level of what they replace.

    Raises:
        UsageError: The span lies outside the waveform, or the donors are together shorter than the span.
    """
    own = checked_span(waveform, start, stop)
    joined = join(donors)
    if len(joined) < len(own):
        raise UsageError(
            f"the donors hold {len(joined)} samples after joining, the span {len(own)}; give another donor."
        )
    replacement = joined[: len(own)]
    return splice(waveform, start, replacement * (level_gain(own, replacement) if match_level else 1.0))


def misalign(
    waveform: Int16Array,
    start: int,
    stop: int,
    shift: int,
    *,
    before: Int16Array | None = None,
    after: Int16Array | None = None,
) -> Int16Array:
    """Replace a span by the audio from another moment of the same recording.

    What the shifted window finds neither in the track nor in ``before`` and ``after`` becomes the track's own noise
    floor, never silence and never the other end of the track.

    Args:
        waveform: ``[N]`` the track's audio.
        start: First sample of the span.
        stop: One past its last sample.
        shift: In samples; positive means that the audio comes late.
        before: ``[B]`` source audio that ends where the track starts.
        after: ``[A]`` source audio that starts where the track ends.

    Raises:
        UsageError: The span lies outside the waveform.
    """
    checked_span(waveform, start, stop)
    head = waveform[:0] if before is None else before
    source = np.concatenate([head, waveform, waveform[:0] if after is None else after])
    first, last = start - shift + len(head), stop - shift + len(head)
    real = source[max(first, 0) : max(last, 0)]
    if len(real) < stop - start:
        floor = to_int16(noise_bed(waveform, stop - start))
        real = splice(floor, min(max(-first, 0), stop - start - len(real)), real)
    return splice(waveform, start, real)


def resplice(
    waveform: Int16Array, start: int, stop: int, donor_track: Int16Array, donors: Sequence[Int16Array]
) -> Int16Array:
    """Cut a span out, lay it over another track's background noise, and put it back: the control of ``mismatch``.

    Args:
        waveform: ``[N]`` the track's audio.
        start: First sample of the span.
        stop: One past its last sample.
        donor_track: ``[M]`` whole audio of the donor's track, whose quietest 0.3 s gives the background.
        donors: What ``mismatch`` would have put there; sets the gain of the background.

    Raises:
        UsageError: The span lies outside the waveform.
    """
    own = checked_span(waveform, start, stop)
    background = noise_bed(donor_track, len(own)) * level_gain(own, join(donors)[: len(own)])
    return splice(waveform, start, own + background)


def splice(waveform: Int16Array, start: int, replacement: Samples) -> Int16Array:
    """Put ``replacement`` into the waveform from ``start`` on, with 5 ms crossfades inside both its ends.

    An end that coincides with an end of the waveform needs no crossfade and gets none.
    """
    stop = start + len(replacement)
    own = checked_span(waveform, start, stop)
    fade = min(EDGE_FADE, len(own) // 2)
    weight = np.ones(len(own))
    if start > 0:
        weight[:fade] = _ramp(fade)
    if stop < len(waveform):
        weight[len(own) - fade :] = _ramp(fade)[::-1]
    result = waveform.copy()
    result[start:stop] = to_int16(weight * replacement + (1 - weight) * own)
    return result


def join(parts: Sequence[Samples], fade: int = JOIN_FADE) -> _Float:
    """Join segments in order, each pair overlapping in a crossfade of at most ``fade`` samples."""
    result: _Float = np.zeros(0)
    for part in parts:
        overlap = min(fade, len(result), len(part))
        up = _ramp(overlap)
        middle = result[len(result) - overlap :] * up[::-1] + part[:overlap] * up
        result = np.concatenate([result[: len(result) - overlap], middle, part[overlap:]])
    return result


def noise_bed(waveform: Int16Array, length: int) -> _Float:
    """Return ``length`` samples of a track's background: its quietest 0.3 s, looped with 20 ms crossfades.

    Digital silence is passed over, since it would betray the splice; a waveform that holds nothing else gives zeros.
    """
    quietest = _quietest(waveform.astype(np.float64))
    if len(quietest) == 0:
        return np.zeros(length)
    fade = min(JOIN_FADE, len(quietest) // 2)
    turns = length // (len(quietest) - fade) + 2
    return join([quietest] * turns, fade)[:length]


def _quietest(waveform: _Float) -> _Float:
    heard = _without_digital_silence(waveform)
    if len(heard) <= NOISE_WINDOW:
        return heard
    energy = np.concatenate([[0.0], np.cumsum(heard**2)])
    starts = np.arange(0, len(heard) - NOISE_WINDOW + 1, _NOISE_HOP)
    best = starts[int(np.argmin(energy[starts + NOISE_WINDOW] - energy[starts]))]
    return heard[best : best + NOISE_WINDOW]


def _without_digital_silence(waveform: _Float) -> _Float:
    """Drop every 10 ms that hold nothing but zeros."""
    silent = np.array([not block.any() for block in np.split(waveform, range(_NOISE_HOP, len(waveform), _NOISE_HOP))])
    heard: _Float = waveform[~np.repeat(silent, _NOISE_HOP)[: len(waveform)]]
    return heard


def active_level(segment: Samples) -> float:
    """Return the active-speech level: RMS over the 20 ms frames within 25 dB of the loudest one.

    A simplification of ITU-T P.56 that ignores pauses, so that a pause in one of two voices does not make it louder.
    """
    samples = segment.astype(np.float64)
    size = min(_LEVEL_FRAME, len(samples))
    if size == 0:
        return 0.0
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    powers = (frames**2).mean(axis=1)
    active = powers[powers >= powers.max() * 10 ** (-_LEVEL_RANGE_DB / 10)]
    return float(np.sqrt(active.mean()))


def level_gain(target: Samples, segment: Samples) -> float:
    """Return the factor that gives ``segment`` the active-speech level of ``target``, within +-30 dB.

    1 where either is digital silence and has no level to match.
    """
    wanted, found = active_level(target), active_level(segment)
    if wanted == 0 or found == 0:
        return 1.0
    limit = 10 ** (_MAX_GAIN_DB / 20)
    return min(max(wanted / found, 1 / limit), limit)


def to_int16(samples: Samples) -> Int16Array:
    """Round to the nearest integer and clip to the range of int16."""
    rounded: Int16Array = np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
    return rounded


def _ramp(length: int) -> _Float:
    return (np.arange(length) + 0.5) / max(length, 1)


def checked_span(waveform: Int16Array, start: int, stop: int) -> Int16Array:
    """Return a span of a waveform.

    Raises:
        UsageError: It lies outside, or the samples are no int16.
    """
    if waveform.dtype != np.int16:
        raise UsageError(f"sound is int16 at 16 kHz, not {waveform.dtype}; floats from -1 to 1 are something else.")
    if not 0 <= start <= stop <= len(waveform):
        raise UsageError(f"the span {start} to {stop} does not lie within the {len(waveform)} samples of the waveform.")
    return waveform[start:stop]
