"""What is wrong with the sound of a track, beside its labels and beside its film."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from asdbench.types import AUDIO_TOLERANCE_MS, SAMPLE_RATE, Int16Array, Track

FAINT_DB = -60.0
"""Level of speech, in dB of full scale, below which a recording holds little but the noise of 16 bits."""

_ALIKE = 0.5  # correlation from which two sounds are taken for the same
_LOUD_ENOUGH = 30.0  # standard deviation below which a sound is not worth comparing


def check_sound(track: Track, samples: Int16Array, place: str) -> Iterator[tuple[str, str]]:
    """Yield kind and message of each problem.

    Args:
        track: The track.
        samples: Its sound.
        place: What messages begin with.
    """
    more = (len(samples) - track.num_samples) * 1000 / SAMPLE_RATE
    if more < -1000 / track.fps or more > AUDIO_TOLERANCE_MS:
        yield "audio length", f"{place}: {abs(more):.0f} ms {'more' if more > 0 else 'less'} than its labels span"
    silent = False
    for run in track.speaking_runs:
        heard = samples[run.start_sample : run.end_sample]
        where = f"{place}: labelled as speech from {run.start_ms / 1000:.2f} to {run.end_ms / 1000:.2f} s"
        if not run.long_enough or not len(heard):
            continue
        if not heard.any():
            silent = True
            yield "silent speech", f"{where}, digital silence there"
        elif (level := _level(heard)) < FAINT_DB:
            yield "faint speech", f"{where}, at {level:.0f} dB of full scale"
    if not samples.any() and not silent:
        yield "silent", f"{place}: digital silence throughout"


def _level(samples: Int16Array) -> float:
    return 10 * float(np.log10(np.mean((samples / 32768.0) ** 2)))


def compare_sounds(own: Int16Array, other: Int16Array) -> str | None:
    """Return what to say of two sounds that should be the same, ``None`` if they are, or too faint to tell.

    A recording that was encoded anew still correlates; one that was cut at another time, or is another, does not.
    """
    count = min(len(own), len(other))
    first, second = own[:count].astype(np.float64), other[:count].astype(np.float64)
    if not count or np.array_equal(first, second) or min(first.std(), second.std()) < _LOUD_ENOUGH:
        return None
    return None if float(np.corrcoef(first, second)[0, 1]) >= _ALIKE else _lag(first, second)


def _lag(own: NDArray[np.float64], other: NDArray[np.float64]) -> str:
    """Say by how much the one is later than the other, where a shift of at most a second explains the difference."""
    size, most = 2 * len(own), min(SAMPLE_RATE, len(own) - 1)
    product = np.fft.irfft(np.fft.rfft(own, size) * np.conj(np.fft.rfft(other, size)), size)
    lags = np.arange(-most, most + 1)
    best = int(lags[np.argmax(product[lags])])
    if product[best] < _ALIKE * np.linalg.norm(own) * np.linalg.norm(other):
        return ""
    return f", but {abs(best) * 1000 / SAMPLE_RATE:.0f} ms {'later' if best > 0 else 'earlier'}"
