"""Mel-frequency cepstral coefficients; numpy only.

The MFCC follow python_speech_features 0.6 (the PyPI release), which the official evaluations of TalkNet, Light-ASD and
LR-ASD call. Two of its habits matter and are reproduced here: the FFT size is always 512, so that windows longer than
512 samples (below 19.53 fps) are cut; and window and step are rounded to whole samples, so that off 25 fps the four
rows per video frame drift against the picture.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from asdbench.errors import DataError
from asdbench.features.rows import ROWS_PER_FRAME, require_int16, wrapped
from asdbench.types import SAMPLE_RATE, Float32Array, Int16Array

COEFFICIENTS = 13
"""Numbers in one MFCC row; the first is the log energy."""

_FFT_SIZE = 512
_FILTERS = 26
_LIFTER = 22
_PRE_EMPHASIS = 0.97
_FLOOR = float(np.finfo(np.float64).eps)  # stands for an energy of exactly zero, whose logarithm does not exist

_Float64 = NDArray[np.float64]


def mfcc(waveform: Int16Array, fps: float) -> Float32Array:
    """Compute mel-frequency cepstral coefficients, four rows per video frame.

    13 coefficients from 26 mel filters over 0..8000 Hz, pre-emphasis 0.97, rectangular windows of ``0.025 * 25 / fps``
    seconds every ``0.010 * 25 / fps`` seconds, lifter 22, the first coefficient replaced by the log energy. Computed in
    float64, returned as float32, the precision at which the features enter a network.

    Args:
        waveform: ``[num_samples]`` int16 amplitudes at 16 kHz, not scaled.
        fps: Video frames per second.

    Returns:
        ``[rows, 13]``; the last window is filled up with zeros.

    Raises:
        DataError: The waveform is empty or not one-dimensional, or the frame rate is no usable number.
    """
    window, step = _window_and_step(fps)
    if waveform.ndim != 1 or not len(waveform):
        raise DataError(
            f"MFCC need mono audio with at least one sample, got an array of shape {waveform.shape}; "
            "check the wav of this track."
        )
    power = _power_spectrum(_frames(waveform.astype(np.float64), window, step))
    energy = _without_zeros(power.sum(axis=1))
    bands = np.log(_without_zeros(power @ _mel_filters().T))
    rows = bands @ _liftered_dct().T
    rows[:, 0] = np.log(energy)
    return rows.astype(np.float32)


def mfcc_for_frames(waveform: Int16Array, num_frames: int, fps: float) -> Float32Array:
    """Compute exactly four MFCC rows for each of ``num_frames`` video frames.

    When too few rows come out (the usual case: a clip of T frames holds T - 1 frames of sound), the rows start again
    from the beginning, as often as needed, as with ``numpy.pad(mode="wrap")``; surplus rows are cut.

    Args:
        waveform: ``[num_samples]`` int16 amplitudes at 16 kHz.
        num_frames: Video frames of the track, at least 1.
        fps: Video frames per second.

    Returns:
        ``[4 * num_frames, 13]``.

    Raises:
        DataError: As for `mfcc`, or a track without frames, or samples that are no int16.
    """
    require_int16(waveform)
    return wrapped(mfcc(waveform, fps), num_frames)


def samples_for_frames(num_frames: int, fps: float) -> int:
    """Return how many samples all MFCC rows of ``num_frames`` video frames reach over, counted from the first frame.

    With more, `mfcc_for_frames` gives the same; with fewer, the last rows meet zeros, or the first rows again.

    Raises:
        DataError: The frame rate is no usable number.
    """
    window, step = _window_and_step(fps)
    return (ROWS_PER_FRAME * num_frames - 1) * step + window


def _window_and_step(fps: float) -> tuple[int, int]:
    if not (math.isfinite(fps) and fps > 0):
        raise DataError(f"the frame rate must be a positive number, got {fps}; check the annotation of this track.")
    window = _round_half_up(0.025 * 25 / fps * SAMPLE_RATE)
    step = _round_half_up(0.010 * 25 / fps * SAMPLE_RATE)
    if step < 1:
        raise DataError(f"a frame rate of {fps} leaves less than one audio sample per MFCC row; check the annotation.")
    return window, step


def _round_half_up(number: float) -> int:
    # Decimal takes the float at its exact value, so 133.49999999999997 does not become 134 by adding 0.5 first.
    return int(Decimal(float(number)).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _frames(signal: _Float64, window: int, step: int) -> _Float64:
    """Cut ``[num_samples]`` into overlapping windows ``[rows, window]`` after pre-emphasis."""
    emphasised = np.append(signal[:1], signal[1:] - _PRE_EMPHASIS * signal[:-1])
    rows = 1 + max(0, math.ceil((len(signal) - window) / step))
    padded = np.zeros((rows - 1) * step + window)
    padded[: len(signal)] = emphasised
    return np.lib.stride_tricks.sliding_window_view(padded, window)[::step]


def _power_spectrum(frames: _Float64) -> _Float64:
    spectrum = np.fft.rfft(frames, _FFT_SIZE)  # cuts or zero-fills every window to 512 samples
    power: _Float64 = (spectrum.real**2 + spectrum.imag**2) / _FFT_SIZE
    return power


def _without_zeros(values: _Float64) -> _Float64:
    return np.where(values == 0, _FLOOR, values)


@lru_cache(maxsize=1)
def _mel_filters() -> _Float64:
    """Triangular filters ``[26, 257]``, equally spaced in mel, corners on whole FFT bins."""
    highest = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    corners_hz = 700 * (10 ** (np.linspace(0, highest, _FILTERS + 2) / 2595) - 1)
    corners = np.floor((_FFT_SIZE + 1) * corners_hz / SAMPLE_RATE)
    left, centre, right = (corners[i : i + _FILTERS, None] for i in range(3))
    bins = np.arange(_FFT_SIZE // 2 + 1)
    rising = (bins - left) / (centre - left)
    falling = (right - bins) / (right - centre)
    return np.where((bins >= left) & (bins < centre), rising, np.where((bins >= centre) & (bins < right), falling, 0.0))


@lru_cache(maxsize=1)
def _liftered_dct() -> _Float64:
    """Orthonormal DCT-II ``[13, 26]`` with the cepstral lifter multiplied in."""
    order = np.arange(COEFFICIENTS)[:, None]
    matrix = np.sqrt(2 / _FILTERS) * np.cos(np.pi * order * (2 * np.arange(_FILTERS) + 1) / (2 * _FILTERS))
    matrix[0] /= np.sqrt(2)
    lifter = 1 + _LIFTER / 2 * np.sin(np.pi * order / _LIFTER)
    liftered: _Float64 = lifter * matrix
    return liftered
