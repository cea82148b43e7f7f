"""What the cue check hears in the sound of a track: statistics that a splice, a loop or a filled gap may betray.

They are blind to where the speaking runs are. The ends of a run are what the lips show, so a classifier that knew them
would find shifted speech by its timing, which is the synchrony that models are tested for, and no cue of the splice.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from asdbench.perturb.audit_measures import best_period
from asdbench.types import SAMPLE_RATE, Int16Array

_WINDOW, _HOP = SAMPLE_RATE // 40, SAMPLE_RATE // 100
_FFT = 512
_BANDS = 12
_FLOOR = 1.0
_BLOCK = 5  # frames before and after a moment, between which spectra may break
_THINNED = 4  # for repetition every fourth sample, averaged, tells as much
_PERIOD = SAMPLE_RATE // 10 // _THINNED
_REPEATED = 2 * SAMPLE_RATE // _THINNED
_QUANTILES = (0.1, 0.5, 0.9)
_Float = NDArray[np.float64]


def features(audio: Int16Array) -> dict[str, float]:
    """Return what tells one track's sound from another's.

    Args:
        audio: ``[N]`` the sound of a track, at least 25 ms.

    Returns:
        Name to a finite number: quantiles of log-mel energies; how far the noise floor moves; the sharpest clicks,
        onsets, offsets and breaks of the spectrum; digital silence, clipping, repetition.
    """
    samples = audio.astype(np.float64)
    mel = _log_mel(samples)
    found = {
        f"mel {band} at {share}": float(value)
        for share in _QUANTILES
        for band, value in enumerate(np.quantile(mel, share, axis=0))
    }
    found |= _floors(mel) | _edges(samples, mel)
    found["digital silence"] = float(np.mean(samples == 0))
    found["clipped"] = float(np.mean(np.abs(samples) >= 32767))
    found["repetition"] = _repetition(samples)
    return found


def _log_mel(samples: _Float) -> _Float:
    """Return the log energy ``[frames, 12]`` in bands of equal width on the mel scale, 25 ms every 10 ms."""
    padded = np.pad(samples, (0, max(_WINDOW - len(samples), 0)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP] * np.hamming(_WINDOW)
    power = np.abs(np.fft.rfft(frames, _FFT)) ** 2 / _FFT
    logs: _Float = np.log(power @ _filters() + _FLOOR)
    return logs


@lru_cache(1)
def _filters() -> _Float:
    low_mel, high_mel = (2595 * float(np.log10(1 + hertz / 700)) for hertz in (60.0, 7600.0))
    mels = np.linspace(low_mel, high_mel, _BANDS + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    bins = np.arange(_FFT // 2 + 1)[:, None] * SAMPLE_RATE / _FFT
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    triangles: _Float = np.maximum(np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)), 0)
    return triangles


def _floors(mel: _Float) -> dict[str, float]:
    """How the quietest sound differs between parts of the track: a splice brings the noise of another room."""
    parts = [part for part in np.array_split(mel, 6) if len(part)]
    floors = np.array([np.quantile(part, 0.1, axis=0) for part in parts])
    spread = floors.max(axis=0) - floors.min(axis=0)
    return {"floor moves": float(spread.mean()), "floor moves most": float(spread.max())}


def _edges(samples: _Float, mel: _Float) -> dict[str, float]:
    bends = np.abs(np.diff(samples, 2))
    blocks = bends[: len(bends) // _HOP * _HOP].reshape(-1, _HOP)
    clicks = np.log(blocks.max(axis=1) + 1) - np.log(np.median(blocks, axis=1) + 1) if len(blocks) else np.zeros(1)
    level = mel.mean(axis=1)
    steps = level[2:] - level[:-2] if len(level) > 2 else np.zeros(1)
    return {
        "sharpest click": float(clicks.max()),
        "clicks": float(np.quantile(clicks, 0.98)),
        "sharpest onset": float(steps.max()),
        "sharpest offset": float(-steps.min()),
        **_breaks(mel),
    }


def _breaks(mel: _Float) -> dict[str, float]:
    """How far the mean spectrum of 50 ms is from that of the 50 ms before."""
    if len(mel) < 2 * _BLOCK:
        return {"largest break": 0.0, "breaks": 0.0}
    sums = np.concatenate([np.zeros((1, _BANDS)), np.cumsum(mel, axis=0)])
    means = (sums[_BLOCK:] - sums[:-_BLOCK]) / _BLOCK
    sizes = np.sqrt(np.mean((means[_BLOCK:] - means[:-_BLOCK]) ** 2, axis=1))
    return {"largest break": float(sizes.max()), "breaks": float(np.quantile(sizes, 0.95))}


def _repetition(samples: _Float) -> float:
    """The largest correlation of any 2 s with themselves 0.1 s or more later; near 1 where sound is looped."""
    thin = samples[: len(samples) // _THINNED * _THINNED].reshape(-1, _THINNED).mean(axis=1)
    pieces = (thin[start : start + _REPEATED] for start in range(0, len(thin), _REPEATED // 2))
    found = (best_period(piece, _PERIOD) for piece in pieces)
    return max((each[1] for each in found if each is not None), default=0.0)
