"""Noise of a given spectrum, and filters without delay: pure functions.

What is computed with Fourier transforms may differ in the last bit from one version of numpy to the next, so edits that
use this module name the version (`made_with`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from asdbench.perturb.stream import normal
from asdbench.types import SAMPLE_RATE

_Float = NDArray[np.float64]

LTASS_HZ = (
    63,
    80,
    100,
    125,
    160,
    200,
    250,
    315,
    400,
    500,
    630,
    800,
    1000,
    1250,
    1600,
    2000,
    2500,
    3150,
    4000,
    5000,
    6300,
    8000,
)
"""Centres of the third-octave bands of `LTASS_DB`."""
LTASS_DB = (
    38.6,
    43.5,
    54.4,
    57.7,
    56.8,
    60.2,
    60.3,
    59.0,
    62.1,
    62.1,
    60.5,
    56.8,
    53.7,
    53.0,
    52.0,
    48.7,
    48.1,
    46.8,
    45.6,
    44.5,
    44.3,
    43.7,
)
"""Long-term average speech spectrum of men and women over twelve languages, dB per third octave: Byrne et al. 1994,
"An international comparison of long-term average speech spectra", J. Acoust. Soc. Am. 96(4), 2108-2120, table II."""

PINK_FROM_HZ = 20.0
"""Below this pink noise has the density that it has here."""


def made_with() -> str:
    """Return the version of the library that Fourier transforms are computed with."""
    return f"numpy {np.__version__}"


def pink_gain(hertz: _Float) -> _Float:
    """Return the amplitude of pink noise at frequencies: power falls as 1 / frequency, 3 dB per octave."""
    gain: _Float = 1 / np.sqrt(np.maximum(hertz, PINK_FROM_HZ))
    return gain


def speech_gain(hertz: _Float) -> _Float:
    """Return the amplitude of speech-shaped noise at frequencies, from the bands of `LTASS_DB`.

    A band's level is spread evenly over its width. Between the centres the decibels are interpolated over the logarithm
    of the frequency; beyond the outer centres they stay.
    """
    centres = np.array(LTASS_HZ, dtype=np.float64)
    widths = centres * (2 ** (1 / 6) - 2 ** (-1 / 6))
    density = np.array(LTASS_DB) - 10 * np.log10(widths)
    decibel = np.interp(np.log(np.maximum(hertz, centres[0])), np.log(centres), density)
    gain: _Float = 10 ** (decibel / 20)
    return gain


def shaped_noise(seed: str, count: int, gain: Callable[[_Float], _Float]) -> _Float:
    """Return ``[count]`` Gaussian noise of a given spectrum; it depends on the text ``seed`` alone, and on ``count``.

    Args:
        seed: Any text.
        count: Number of samples at 16 kHz.
        gain: Amplitude at frequencies in Hz, 0 to 8000; its scale means nothing, the result has a power near 1.
    """
    # A power of two, of which the last samples are cut off, so that the noise is not periodic within the track.
    size = 1 << max(count - 1, 1).bit_length()
    hertz: _Float = np.fft.rfftfreq(size, 1 / SAMPLE_RATE).astype(np.float64)
    amplitudes = gain(hertz)
    amplitudes[0] = 0.0
    amplitudes /= np.sqrt((amplitudes**2).mean())
    noise: _Float = np.fft.irfft(np.fft.rfft(normal(seed, size)) * amplitudes, size)[:count]
    return noise


def convolve(samples: NDArray[np.float64] | NDArray[np.int16], response: _Float) -> _Float:
    """Return the linear convolution ``[len(samples) + len(response) - 1]``: nothing wraps around."""
    total = len(samples) + len(response) - 1
    if len(samples) == 0:
        return np.zeros(max(total, 0))
    size = 1 << max(total - 1, 1).bit_length()
    product = np.fft.rfft(samples.astype(np.float64), size) * np.fft.rfft(response, size)
    result: _Float = np.fft.irfft(product, size)[:total]
    return result
