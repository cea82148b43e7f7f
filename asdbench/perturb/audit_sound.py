"""What the audit measures of each perturbation of sound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from asdbench.perturb import audit_measures as measures
from asdbench.perturb.audio import EDGE_FADE, active_level
from asdbench.perturb.audit_applied import Applied, Check, Measure
from asdbench.perturb.channel import CUTOFF_HZ
from asdbench.perturb.published import LONGEST_REPEAT
from asdbench.perturb.timing import FAR
from asdbench.types import SAMPLE_RATE, Int16Array

DIFFERENCE = "difference of the sound"
"""A measure that must not fall as severity rises."""

_REACH = round(1.3 * SAMPLE_RATE)
_PER_MS = SAMPLE_RATE / 1000
_NEAR = SAMPLE_RATE // 1000
_ALIKE = 0.8
_COPY = 0.95
_DB = 1.0
_ODD = 1 / 3
"""Share of the tracks whose own sound may make a measure meaningless; a fault shows on all of them."""


def _silent(applied: Applied, options: Any) -> Iterator[Measure]:
    for span in applied.spans:
        yield Measure("energy left", "RMS", _rms(applied.new_audio[slice(*span)]), 0, 0)


def _rms(piece: Int16Array) -> float:
    return float(np.sqrt(np.mean(piece.astype(np.float64) ** 2))) if len(piece) else 0.0


def _shifted(applied: Applied, options: Any) -> Iterator[Measure]:
    """The lag at which the changed sound fits its own recording best, against the plan's and the suite's."""
    source, head = applied.source
    yield from _lags(applied, options, source, head)


def _led_by_silence(applied: Applied, options: Any) -> Iterator[Measure]:
    """LASER's: zeros first, then the track's own sound; what was recorded before the track is not heard."""
    silence = round(options.seconds * SAMPLE_RATE)
    yield Measure("energy in the leading silence", "RMS", _rms(applied.new_audio[:silence]), 0, 0)
    yield from _lags(applied, options, applied.audio, 0)


def _lags(applied: Applied, options: Any, source: Int16Array, head: int) -> Iterator[Measure]:
    for decision, span in zip(applied.decisions, applied.spans, strict=True):
        planned = decision.outcome.shift_ms
        if planned is None:
            yield Measure("shift missing from the plan", "targets", 1, 0, 0)
            continue
        shift = round(planned * _PER_MS)
        # Only where the delayed window finds sound of its own; the rest is filled.
        part = _audible(applied.new_audio, max(span[0], shift - head), min(span[1], len(source) - head + shift))
        if part is None:
            continue
        start, stop = part
        reach = max(_REACH, abs(shift) + SAMPLE_RATE // 5)
        found = measures.measured_lag(applied.new_audio[start:stop], source, head + start, reach, shift)
        if found is not None:
            yield Measure("shift error", "samples", found[0] - shift, -1, 1)
            yield from _shift_size(found[0], options)


def _audible(audio: Int16Array, first: int, last: int) -> tuple[int, int] | None:
    """Return the loudest part of a span, up to 1 s, without the crossfades at its ends."""
    first, last = first + EDGE_FADE, last - EDGE_FADE
    part = measures.loudest_part(audio[first:last]) if first < last else None
    return None if part is None else (first + part[0], first + part[1])


def _shift_size(lag: int, options: Any) -> Iterator[Measure]:
    """What the options say of the shift, whatever the plan made of them."""
    low, high, exact = (getattr(options, name, None) for name in ("min_ms", "max_ms", "ms"))
    if exact is None and hasattr(options, "seconds"):
        exact = 1000 * options.seconds
    found = lag / _PER_MS
    if exact is not None:
        yield Measure("shift", "ms", found, exact - 0.1, exact + 0.1)
    elif low is not None and high is not None:
        yield Measure("size of the shift", "ms", abs(found), low - 0.1, high + 0.1)


def _foreign(applied: Applied, options: Any) -> Iterator[Measure]:
    """Nothing of the own voice is left within 0.1 s of its place."""
    for span in applied.spans:
        part = _audible(applied.new_audio, *span)
        if part is not None:
            found = measures.measured_lag(applied.new_audio[slice(*part)], applied.audio, part[0], SAMPLE_RATE // 10)
            if found is not None:
                # Two videos may hold the same sound although the data set calls them different sources.
                yield Measure("likeness to the own sound", "correlation", found[1], -1, _ALIKE, _ODD)


def _same_level(applied: Applied, options: Any) -> Iterator[Measure]:
    if getattr(options, "scope", "run") == "track":
        return
    for start, stop in applied.spans:
        new = applied.new_audio[start:stop]
        found = measures.level_difference_db(new, applied.audio[start:stop])
        if found is not None and measures.clipped_share(new) == 0:
            # Gains are limited to 30 dB, so a donor that is nearly silent stays quieter.
            yield Measure("level above the own", "dB", found, -_DB, _DB, _ODD)


def _own_kept(applied: Applied, options: Any) -> Iterator[Measure]:
    for first, last in applied.spans:
        span = slice(first + EDGE_FADE, max(last - EDGE_FADE, first + EDGE_FADE))
        kept = measures.kept_share(applied.new_audio[span], applied.audio[span])
        if kept is not None:
            yield Measure("own sound kept", "gain", kept, 0.8, 1.2, _ODD)


def _backwards(applied: Applied, options: Any) -> Iterator[Measure]:
    for start, stop in applied.spans:
        own, new = applied.audio[start:stop][::-1], applied.new_audio[start:stop]
        yield from _like("likeness to the own sound backwards", own[EDGE_FADE:-EDGE_FADE], new[EDGE_FADE:-EDGE_FADE])


def _like(check: str, one: Int16Array, other: Int16Array) -> Iterator[Measure]:
    found = measures.correlation(one, other)
    if found is not None:
        yield Measure(check, "correlation", found, _COPY, 1.0001)


def _halves(applied: Applied, options: Any) -> Iterator[Measure]:
    for start, stop in applied.spans:
        middle = (stop - start) // 2
        size = middle - 2 * EDGE_FADE
        if size > EDGE_FADE:
            # The later half begins a crossfade early, to leave room for the one in the middle.
            later = applied.audio[start + middle : start + middle + size]
            yield from _like("later half first", later, applied.new_audio[start + EDGE_FADE :][:size])


def _rotated(applied: Applied, options: Any) -> Iterator[Measure]:
    for start, stop in applied.spans:
        own, new = (each[start:stop].astype(np.float64) for each in (applied.audio, applied.new_audio))
        if own.any() and new.any():
            fit = np.fft.irfft(np.fft.rfft(new) * np.conj(np.fft.rfft(own)), len(own))
            half = (stop - start) // 2
            error = int(fit.argmax()) - half if fit[half] < fit.max() * 0.999 else 0
            yield Measure("rotation beyond half", "samples", error, -1, 1)


def _tiled(applied: Applied, options: Any) -> Iterator[Measure]:
    for start, stop in applied.spans:
        new = applied.new_audio[start:stop]
        # Measured on the wav, which may end before the annotation from which the plan took the length.
        length = min(-(-(stop - start) // 3), LONGEST_REPEAT)
        found = measures.best_period(new, max(length - _NEAR, 1)) if len(new) > 2 * _NEAR else None
        if found is not None:
            yield Measure("repeats itself", "correlation", found[1], _COPY, 1.0001)


def _looped(applied: Applied, options: Any) -> Iterator[Measure]:
    for span in applied.spans:
        new = applied.new_audio[slice(*span)]
        found = measures.best_period(new[EDGE_FADE:-EDGE_FADE], SAMPLE_RATE // 10)
        if found is not None:
            yield Measure("repeats itself", "correlation", found[1], 0.7, 1.0001, _ODD)
        part = _audible(applied.new_audio, *span)
        near = None if part is None else measures.measured_lag(
            applied.new_audio[slice(*part)][: SAMPLE_RATE // 5], applied.audio, part[0], FAR - _NEAR
        )  # fmt: skip
        if near is not None:
            yield Measure("likeness to the own sound", "correlation", near[1], -1, 0.99, _ODD)


def _noisy(applied: Applied, options: Any) -> Iterator[Measure]:
    """The ratio of levels of the own sound and of what was added to it."""
    asked = options.ratio
    added = applied.new_audio.astype(np.float64) - applied.audio
    own, other = active_level(applied.audio), active_level(added)
    if own > 0:
        found = 20 * np.log10(own / other) if other > 0 else np.inf
        # Clipped peaks take energy away from what was added; noise of a few steps is lost in rounding.
        clipped = measures.clipped_share(applied.new_audio) > 0
        rounding = 6.0 if clipped or other < 4 else 0.0
        yield Measure("SNR above the asked", "dB", float(found) - asked, -_DB, _DB + rounding, _ODD)


def _in_place(applied: Applied, options: Any) -> Iterator[Measure]:
    """A room, a filter or a codec must not delay the sound.

    Vowels fit nearly as well a period later, and an echo of a long one even better, so a little better elsewhere is
    nothing; sound that came late would fit its own place hardly at all.
    """
    part = _audible(applied.new_audio, *applied.spans[0])
    if part is None:
        return
    piece = applied.new_audio[slice(*part)]
    found = measures.measured_lag(piece, applied.audio, part[0], SAMPLE_RATE // 4)
    here = measures.measured_lag(piece, applied.audio, part[0], _NEAR)
    if found is not None and here is not None:
        yield Measure("fits better elsewhere by", "correlation", found[1] - here[1], -np.inf, 0.2)


def _less_peaked(applied: Applied, options: Any) -> Iterator[Measure]:
    def crest(audio: Int16Array) -> float | None:
        level = active_level(audio)
        return float(20 * np.log10(np.abs(audio.astype(np.int64)).max() / level)) if level > 0 else None

    before, after = crest(applied.audio), crest(applied.new_audio)
    if before is not None and after is not None:
        yield Measure("crest factor above the own", "dB", after - before, -np.inf, 0.1, _ODD)


def _cut_off(applied: Applied, options: Any) -> Iterator[Measure]:
    cutoff = options.amount(options.cutoff_hz, CUTOFF_HZ)

    def above(audio: Int16Array) -> float:
        spectrum = np.abs(np.fft.rfft(audio.astype(np.float64))) ** 2
        return float(spectrum[int((cutoff + 100) * len(audio) / SAMPLE_RATE) + 1 :].sum() / max(len(audio), 1) ** 2)

    before, after = above(applied.audio), above(applied.new_audio)
    if before > 10:  # far above what rounding to int16 adds
        found = 10 * np.log10(max(after, 1e-6) / before)
        yield Measure("energy above the cutoff", "dB", float(found), -np.inf, -15, _ODD)


def _differs(applied: Applied, options: Any) -> Iterator[Measure]:
    level = _rms(applied.audio)
    if level > 0:
        added = applied.new_audio.astype(np.float64) - applied.audio
        share = float(np.sqrt(np.mean(added**2))) / level
        yield Measure(DIFFERENCE, "of its RMS", share, 1e-4, np.inf)


SOUND: Mapping[str, tuple[Check, ...]] = {
    "mismatch": (_foreign, _same_level),
    "misalign": (_shifted,),
    "resplice": (_own_kept,),
    "shift": (_shifted,),
    "reverse": (_backwards,),
    "swap_halves": (_halves,),
    "repeat": (_looped,),
    "synctalknet_shift": (_rotated,),
    "synctalknet_flip": (_backwards,),
    "synctalknet_repeat": (_tiled,),
    "synctalknet_silence": (_silent,),
    "synctalknet_swap": (_foreign,),
    "laser_shift": (_led_by_silence,),
    "replace_audio": (_foreign,),
    "silence": (_silent,),
    **dict.fromkeys(
        ("babble", "offscreen_speech", "white_noise", "pink_noise", "speech_noise", "noise_folder"), (_noisy, _differs)
    ),
    "reverb": (_in_place, _differs),
    "clipping": (_in_place, _less_peaked, _differs),
    "low_pass": (_in_place, _cut_off, _differs),
    "mp3": (_in_place, _differs),
    "opus": (_in_place, _differs),
}
"""Perturbations of sound, with what is measured of each."""
