"""What the audit measures on sound and faces: plain arrays in, numbers out, knowing nothing of how they were changed.

Each is computed in another way than the change itself, so that no mistake is made twice (docs/method.md, section 5).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from asdbench.perturb.audio import Samples, active_level
from asdbench.types import SAMPLE_RATE, BoolArray, Int16Array, UInt8Array

_LONGEST = SAMPLE_RATE
_SHORTEST = SAMPLE_RATE // 20

Range = tuple[int, int]


def loudest_part(samples: Int16Array, longest: int = _LONGEST) -> Range | None:
    """Return the range of at most ``longest`` samples with the most energy; ``None`` if that is silence or 50 ms."""
    length = min(longest, len(samples))
    if length < _SHORTEST:
        return None
    energy = np.concatenate([[0], np.cumsum(samples.astype(np.int64) ** 2)])
    sums = energy[length:] - energy[:-length]
    start = int(sums.argmax())
    return (start, start + length) if sums[start] > 0 else None


_TIE = 1e-3
"""Correlations closer than this are the same: a steady tone fits at every period."""


def measured_lag(
    changed: Int16Array, source: Int16Array, place: int, reach: int, expected: int | None = None
) -> tuple[int, float] | None:
    """Return how late a piece of sound comes, and how well it fits there, by normalised cross-correlation.

    Args:
        changed: ``[M]`` the piece.
        source: ``[K]`` the sound that it may come from.
        place: Where in ``source`` the piece would lie if it came neither late nor early.
        reach: Largest lag that is tried, in samples.
        expected: Lag that is taken where no other fits better than it.

    Returns:
        Lag in samples, positive if late, and the correlation there, in [-1, 1]; ``None`` where the piece is silent or
        no lag within reach leaves it within the source.
    """
    first, last = max(place - reach, 0), min(place + reach + len(changed), len(source))
    window = source[first:last].astype(np.float64)
    piece = changed.astype(np.float64)
    own = float(piece @ piece)
    if own == 0 or len(window) < len(piece):
        return None
    size = 1 << (len(window) + len(piece) - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(window, size) * np.conj(np.fft.rfft(piece, size)), size)
    dots = product[: len(window) - len(piece) + 1]
    energy = np.concatenate([[0.0], np.cumsum(window**2)])
    there = energy[len(piece) :] - energy[: len(window) - len(piece) + 1]
    fit = dots / np.sqrt(np.maximum(there, 1.0) * own)
    best = int(fit.argmax())
    told = None if expected is None else place - expected - first
    if told is not None and 0 <= told < len(fit) and fit[told] > fit[best] - _TIE:
        best = told
    return place - (first + best), float(fit[best])


def correlation(one: Int16Array, other: Int16Array) -> float | None:
    """Return the normalised correlation of two equally long pieces, ``None`` where one is silent."""
    a, b = one.astype(np.float64), other.astype(np.float64)
    energy = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / energy if energy > 0 else None


def kept_share(changed: Int16Array, own: Int16Array) -> float | None:
    """Return the factor with which ``own`` is contained in ``changed``: its least-squares gain, ``None`` if silent."""
    a, b = own.astype(np.float64), changed.astype(np.float64)
    energy = float(a @ a)
    return float(a @ b) / energy if energy > 0 else None


def level_difference_db(changed: Int16Array, own: Int16Array) -> float | None:
    """Return by how many dB the active level of one piece exceeds that of the other, ``None`` if one is silent."""
    now, before = active_level(changed), active_level(own)
    return float(20 * np.log10(now / before)) if now > 0 and before > 0 else None


def clipped_share(samples: Int16Array) -> float:
    """Return the share of samples at either end of int16."""
    return float(np.mean((samples >= 32767) | (samples <= -32768))) if len(samples) else 0.0


def best_period(samples: Samples, shortest: int) -> tuple[int, float] | None:
    """Return the period in samples at which a piece repeats itself best, and its correlation with itself there."""
    values = samples.astype(np.float64)
    count = len(values)
    if count < 2 * shortest or not values.any():
        return None
    size = 1 << (2 * count - 1).bit_length()
    spectrum = np.fft.rfft(values, size)
    dots = np.fft.irfft(spectrum * np.conj(spectrum), size)[:count]
    energy = np.concatenate([[0.0], np.cumsum(values**2)])
    lags = np.arange(shortest, count // 2 + 1)
    both = np.sqrt(np.maximum(energy[count - lags], 1.0) * np.maximum(energy[count] - energy[lags], 1.0))
    fit = dots[lags] / both
    best = int(fit.argmax())
    return int(lags[best]), float(fit[best])


def pixel_range(size: int, start: float, stop: float) -> slice:
    """Return the pixels that lie wholly within a relative range, the sharpest that a mask must cover."""
    return slice(max(int(np.ceil(size * start - 1e-6)), 0), max(int(np.floor(size * stop + 1e-6)), 0))


def black_share(face: UInt8Array, box: Sequence[float]) -> float:
    """Return the share of a box, given as shares of the crop, whose pixels are 0."""
    rows, columns = _within(face, box)
    region = face[rows, columns]
    return float(np.mean(region == 0)) if region.size else 1.0


def changed_outside(before: UInt8Array, after: UInt8Array, box: Sequence[float], slack: int = 1) -> int:
    """Return how many pixels differ farther than ``slack`` pixels outside a box."""
    height, width = before.shape
    inside: BoolArray = np.zeros((height, width), np.bool_)
    left, top, right, bottom = box
    inside[
        max(int(np.floor(height * top)) - slack, 0) : max(int(np.ceil(height * bottom)) + slack, 0),
        max(int(np.floor(width * left)) - slack, 0) : max(int(np.ceil(width * right)) + slack, 0),
    ] = True
    return int(np.count_nonzero((before != after) & ~inside))


def _within(face: UInt8Array, box: Sequence[float]) -> tuple[slice, slice]:
    height, width = face.shape
    left, top, right, bottom = box
    return pixel_range(height, top, bottom), pixel_range(width, left, right)


def mean_difference(before: Sequence[UInt8Array], after: Sequence[UInt8Array]) -> float:
    """Return the root of the mean squared difference of crops of the same shapes, in gray levels."""
    squares = [float(np.mean((a.astype(np.float64) - b) ** 2)) for a, b in zip(before, after, strict=True)]
    return float(np.sqrt(np.mean(squares))) if squares else 0.0


def sharpness(faces: Sequence[UInt8Array]) -> float:
    """Return the mean squared second difference of crops: how much fine detail they have."""
    found: list[float] = []
    for face in faces:
        values: NDArray[np.float64] = face.astype(np.float64)
        down, across = np.diff(values, 2, axis=0), np.diff(values, 2, axis=1)
        found.append(float(np.mean(down**2) if down.size else 0.0) + float(np.mean(across**2) if across.size else 0.0))
    return float(np.mean(found)) if found else 0.0
