"""Log-mel spectrograms as Whisper sees them; numpy only.

They follow Whisper's own front end (Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision",
2022), which OpenAI's code and ``transformers`` share: 100 rows per second, and the loudest value of what is passed in
decides which values are cut off at the bottom.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from asdbench.errors import DataError
from asdbench.types import SAMPLE_RATE, Float32Array, Int16Array

HOP = 160
"""Samples per row."""

_WINDOW = 400
_FLOOR = 1e-10
_RANGE = 8.0  # decades (of power) below the loudest value that are kept
_LINEAR_HZ, _LINEAR_MEL, _OCTAVES = (
    1000.0,
    15.0,
    27 / np.log(6.4),
)  # Slaney's scale: linear up to 1 kHz, then a logarithm

_Float64 = NDArray[np.float64]


def whisper_log_mel(waveform: Int16Array, mels: int, samples: int | None = None) -> Float32Array:
    """Compute Whisper's log-mel spectrogram.

    Windows of 400 samples (Hann) every 160, centred with reflection at both ends, the last one dropped; power, ``mels``
    triangular filters on Slaney's scale over 0..8000 Hz, ``log10`` of at least 1e-10, at least the maximum - 8, then
    ``(x + 4) / 4``. Computed in float64, returned as float32.

    Args:
        waveform: ``[num_samples]`` int16 amplitudes at 16 kHz.
        mels: Number of filters; 80 or 128 in every published Whisper.
        samples: Length to which the waveform is filled up with zeros, where it is shorter.

    Returns:
        ``[mels, rows]`` with one row for each full 160 samples.

    Raises:
        DataError: The waveform is not one-dimensional, or shorter than one row.
    """
    if waveform.ndim != 1 or not len(waveform) or max(len(waveform), samples or 0) < HOP:
        raise DataError(
            f"a log-mel spectrogram needs mono audio of at least {HOP} samples, got an array of shape "
            f"{waveform.shape}; check the wav of this track."
        )
    sound = np.zeros(max(len(waveform), samples or 0))
    sound[: len(waveform)] = waveform / 32768.0
    power = _power_spectrum(np.pad(sound, _WINDOW // 2, mode="reflect"))
    bands = np.log10(np.maximum(_mel_filters(mels) @ power.T, _FLOOR))
    bands = np.maximum(bands, bands.max() - _RANGE)
    scaled: Float32Array = ((bands + 4) / 4).astype(np.float32)
    return scaled


def _power_spectrum(padded: _Float64) -> _Float64:
    """Return ``[rows, 201]``; the window is periodic, as Whisper's is."""
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::HOP][:-1]
    spectrum = np.fft.rfft(windows * hann)
    power: _Float64 = spectrum.real**2 + spectrum.imag**2
    return power


@lru_cache(maxsize=4)
def _mel_filters(mels: int) -> _Float64:
    """Triangular filters ``[mels, 201]`` of equal area, equally spaced on Slaney's scale."""
    corners = _hz(np.linspace(0, float(_mel(np.array(SAMPLE_RATE / 2))), mels + 2))
    bins = np.linspace(0, SAMPLE_RATE / 2, _WINDOW // 2 + 1)
    left, centre, right = (corners[i : i + mels, None] for i in range(3))
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    filters: _Float64 = np.maximum(0, np.minimum(rising, falling)) * 2 / (right - left)
    return filters


def _mel(hz: _Float64) -> _Float64:
    above = _LINEAR_MEL + _OCTAVES * np.log(np.maximum(hz, _LINEAR_HZ) / _LINEAR_HZ)
    return np.where(hz < _LINEAR_HZ, hz * _LINEAR_MEL / _LINEAR_HZ, above)


def _hz(mel: _Float64) -> _Float64:
    above = _LINEAR_HZ * np.exp((np.maximum(mel, _LINEAR_MEL) - _LINEAR_MEL) / _OCTAVES)
    return np.where(mel < _LINEAR_MEL, mel * _LINEAR_HZ / _LINEAR_MEL, above)
