"""Log-mel spectrogram in the style of VGGish, as LoCoNet and its descendants compute it; numpy only.

What sets it apart: amplitudes are the raw whole numbers of the wav, never scaled to +-1; windows shrink and grow with
the frame rate of the video, so that four rows fall to each frame; the spectrum is a magnitude, not a power. Window and
step are rounded to whole samples, so that off 25 fps the rows drift against the picture.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from asdbench.errors import DataError
from asdbench.features.rows import require_int16, wrapped
from asdbench.types import SAMPLE_RATE, Float32Array, Int16Array

MEL_BANDS = 64
"""Numbers in one row."""

_LOWEST_HZ, _HIGHEST_HZ = 125.0, 7500.0
_LOG_OFFSET = 0.01

_Float64 = NDArray[np.float64]


def vggish_log_mel(waveform: Int16Array, fps: float) -> Float32Array:
    """Compute a log-mel spectrogram, four rows per video frame.

    Periodic Hann windows of ``0.025 * 25 / fps`` seconds every ``0.010 * 25 / fps`` seconds, without padding at either
    end; FFT of the next power of two; magnitudes weighted with 64 triangles, equally spaced from 125 to 7500 Hz on the
    HTK mel scale; ``log(mel + 0.01)``. Computed in float64, returned as float32, the precision at which the features
    enter a network.

    Args:
        waveform: ``[num_samples]`` int16 amplitudes at 16 kHz, not scaled. One that is shorter than a window, where
            LoCoNet's own code fails, is filled up with zeros, as LASER's does.
        fps: Video frames per second.

    Returns:
        ``[rows, 64]``.

    Raises:
        DataError: The waveform is empty or not one-dimensional, or the frame rate is no usable number.

    Source:
        Hershey et al., "CNN Architectures for Large-Scale Audio Classification", ICASSP 2017; official data loader of
        LoCoNet (https://github.com/SJTUwxz/LoCoNet_ASD).
    """
    window, step = _window_and_step(fps)
    if waveform.ndim != 1 or not len(waveform):
        raise DataError(
            f"a log-mel spectrogram needs mono audio with at least one sample, got an array of shape {waveform.shape}; "
            "check the wav of this track."
        )
    signal = np.zeros(max(len(waveform), window))
    signal[: len(waveform)] = waveform
    frames = np.lib.stride_tricks.sliding_window_view(signal, window)[::step]
    fft_size = 1 << (window - 1).bit_length()
    magnitude = np.abs(np.fft.rfft(frames * _periodic_hann(window), fft_size))
    return np.log(magnitude @ _mel_filters(fft_size).T + _LOG_OFFSET).astype(np.float32)


def vggish_log_mel_for_frames(waveform: Int16Array, num_frames: int, fps: float) -> Float32Array:
    """Compute exactly four log-mel rows for each of ``num_frames`` video frames.

    When too few rows come out (the usual case), the rows start again from the beginning, as often as needed, as with
    ``numpy.pad(mode="wrap")``; surplus rows are cut.

    Args:
        waveform: ``[num_samples]`` int16 amplitudes at 16 kHz.
        num_frames: Video frames of the track, at least 1.
        fps: Video frames per second.

    Returns:
        ``[4 * num_frames, 64]``.

    Raises:
        DataError: As for `vggish_log_mel`, or a track without frames, or samples that are no int16.
    """
    require_int16(waveform)
    return wrapped(vggish_log_mel(waveform, fps), num_frames)


def _window_and_step(fps: float) -> tuple[int, int]:
    if not (math.isfinite(fps) and fps > 0):
        raise DataError(f"the frame rate must be a positive number, got {fps}; check the annotation of this track.")
    # Python's own rounding (halves to even), unlike the MFCC's.
    window, step = round(SAMPLE_RATE * (0.025 * 25 / fps)), round(SAMPLE_RATE * (0.010 * 25 / fps))
    if step < 1:
        raise DataError(f"a frame rate of {fps} leaves less than one sample per log-mel row; check the annotation.")
    return window, step


def _periodic_hann(window: int) -> _Float64:
    hann: _Float64 = 0.5 - 0.5 * np.cos(2 * np.pi / window * np.arange(window))
    return hann


def _mel(hertz: _Float64) -> _Float64:
    mel: _Float64 = 1127 * np.log(1 + hertz / 700)
    return mel


@lru_cache(maxsize=8)
def _mel_filters(fft_size: int) -> _Float64:
    """Triangles ``[64, fft_size / 2 + 1]`` that are straight on the mel scale, not in Hz, each 1 at its peak."""
    bins = _mel(np.linspace(0, SAMPLE_RATE / 2, fft_size // 2 + 1))
    low, high = _mel(np.array([_LOWEST_HZ, _HIGHEST_HZ]))
    corners = np.linspace(low, high, MEL_BANDS + 2)
    left, centre, right = (corners[i : i + MEL_BANDS, None] for i in range(3))
    # The constant part of the sound (bin 0) lies below the lowest corner and gets no weight.
    triangles: _Float64 = np.maximum(0, np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre)))
    return triangles
