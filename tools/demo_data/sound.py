"""The sound of a scene: voices in one room, with background noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from tools.demo_data.speech import SAMPLE_RATE


def record(rng: np.random.Generator, voices: Sequence[NDArray[np.float32]], seconds: float) -> NDArray[np.int16]:
    """Mix dry voices (float32 at 16 kHz, each as long as the scene) to what a microphone in the room hears, int16.

    Without voices, only the background noise remains.
    """
    count = round(seconds * SAMPLE_RATE)
    decay, wet = rng.uniform(0.08, 0.45), rng.uniform(0.05, 0.45)
    response = rng.normal(0, 1, int(decay * SAMPLE_RATE)) * np.exp(-6.9 * np.linspace(0, 1, int(decay * SAMPLE_RATE)))
    response /= np.sqrt((response**2).sum())
    dry = (
        np.sum([_levelled(voice) * rng.uniform(0.75, 1.25) for voice in voices], axis=0) if voices else np.zeros(count)
    )
    heard = dry + wet * fftconvolve(dry, response)[:count]
    band = butter(2, [rng.uniform(60, 200), rng.uniform(5000, 7600)], "band", fs=SAMPLE_RATE, output="sos")
    heard = sosfilt(band, heard)
    noise = _noise(rng, count) * 10 ** (-rng.uniform(14, 35) / 20)
    level = rng.uniform(0.03, 0.09)  # of the voices, as a share of full scale
    mixed = level * (heard + noise)
    return np.round(np.clip(mixed, -1, 1) * 32767).astype(np.int16)


def _levelled(voice: NDArray[np.float32]) -> NDArray[np.float64]:
    """Scale a voice to a level of 1 while it speaks."""
    active = voice[np.abs(voice) > 1e-3].astype(np.float64)
    return voice / np.sqrt((active**2).mean()) if len(active) else voice.astype(np.float64)


def _noise(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return noise of level 1 whose spectrum falls with frequency."""
    spectrum = np.fft.rfft(rng.normal(0, 1, count))
    spectrum /= np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), 20) ** rng.uniform(0.3, 1.0)
    noise = np.fft.irfft(spectrum, count)
    shaped: NDArray[np.float64] = noise / noise.std()
    return shaped
