"""From phoneme times and loudness to mouth shapes: visemes, coarticulation, closures that survive it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from tools.demo_data.speech import SAMPLE_RATE, Phoneme

RATE = 200
"""Mouth shapes per second, before they are averaged over the exposure of a frame."""

SHAPES = (
    "jaw", "close", "funnel", "pucker", "press", "roll_lower", "roll_upper", "stretch", "smile", "lower_down",
    "upper_up", "tongue_up", "tongue_out",
)  # fmt: skip

_OPEN_SIGMA, _CLOSE_SIGMA = 0.022, 0.011  # s; smoothing of open shapes, and of closures
_LEAD = 0.015  # s by which the lips are ahead of the sound
_SHORTEST_CLOSURE = 0.09  # s
_GAIN = 1.1
_LOUDNESS_SIGMA = 0.022  # s
_LARGEST_JAW, _LARGEST_ROUNDING = 0.6, 1.0

_VISEMES: dict[str, dict[str, float]] = {
    "A": {"jaw": 0.62, "lower_down": 0.15, "stretch": 0.1},
    "AE": {"jaw": 0.55, "stretch": 0.3, "lower_down": 0.25, "upper_up": 0.15},
    "UH": {"jaw": 0.34, "lower_down": 0.1},
    "EH": {"jaw": 0.4, "stretch": 0.25, "lower_down": 0.25, "upper_up": 0.1},
    "IH": {"jaw": 0.24, "stretch": 0.3, "lower_down": 0.2},
    "IY": {"jaw": 0.14, "stretch": 0.45, "smile": 0.25, "lower_down": 0.25, "upper_up": 0.1},
    "O": {"jaw": 0.45, "funnel": 0.55, "pucker": 0.25},
    "OW": {"jaw": 0.3, "funnel": 0.45, "pucker": 0.5},
    "UW": {"jaw": 0.16, "funnel": 0.3, "pucker": 0.7},
    "ER": {"jaw": 0.22, "funnel": 0.4, "pucker": 0.25, "lower_down": 0.1},
    "P": {"press": 0.45, "roll_lower": 0.3, "roll_upper": 0.25, "close": 0.06},
    "F": {"jaw": 0.1, "roll_lower": 0.7, "upper_up": 0.25},
    "TH": {"jaw": 0.2, "tongue_out": 0.45, "tongue_up": 0.3, "lower_down": 0.15},
    "T": {"jaw": 0.17, "lower_down": 0.2, "tongue_up": 0.9, "stretch": 0.1},
    "L": {"jaw": 0.25, "lower_down": 0.15, "tongue_up": 1.0},
    "S": {"jaw": 0.07, "stretch": 0.3, "lower_down": 0.35, "upper_up": 0.2},
    "SH": {"jaw": 0.1, "funnel": 0.7, "lower_down": 0.25, "upper_up": 0.1},
    "K": {"jaw": 0.25, "lower_down": 0.12},
    "W": {"jaw": 0.1, "funnel": 0.2, "pucker": 0.8},
    "Y": {"jaw": 0.14, "stretch": 0.35},
    "R": {"jaw": 0.18, "funnel": 0.45, "pucker": 0.3},
    "H": {"jaw": 0.27},
}
_VECTORS = {name: np.array([shape.get(key, 0.0) for key in SHAPES]) for name, shape in _VISEMES.items()}

_IPA = {
    "A": "aɑɒäɐ", "AE": "æ", "UH": "ʌəɘɤ", "EH": "ɛeøœ", "IH": "ɪɨᵻʏ", "IY": "iy", "O": "ɔ", "OW": "o", "UW": "uʊɯʉ",
    "ER": "ɚɜɝ", "P": "pbmɓ", "F": "fvɱⱱʋɸβ", "TH": "θð", "T": "tdnɾɗɳʈɖ", "L": "lɫɭʎɬɮ", "S": "szʦʣ",
    "SH": "ʃʒʂʐɕʑʧʤcɟ",
    "K": "kɡgŋxɣqɢχʁħʕɲ", "W": "wʍɥ", "Y": "jʝ", "R": "rɹɻʀɽ", "H": "hɦʔ",
}  # fmt: skip
_BY_CHARACTER = {character: viseme for viseme, characters in _IPA.items() for character in characters}

CLOSURES = {"P": 1.0, "F": 0.85}
"""Visemes whose lips must meet (or touch the teeth), and how completely."""

OPEN = ("A", "AE")
"""Visemes of the open vowels."""


def visemes(ipa: str) -> list[str]:
    """Return the visemes of one phoneme: two or more for diphthongs and clusters, one for an affricate."""
    found = [_BY_CHARACTER[character] for character in ipa if character in _BY_CHARACTER]
    return ["SH"] if found[:2] == ["T", "SH"] else found


def mouth_shapes(
    phonemes: Sequence[Phoneme], voice: NDArray[np.float32], seconds: float, articulation: float
) -> NDArray[np.float64]:
    """Return mouth shapes ``[seconds * RATE + 1, len(SHAPES)]``, weights in about [0, 1].

    Open shapes and closures are two channels with a smoothing of their own, so that vowels run into one another while
    lips still meet on p, b, m. The jaw follows loudness as well as the phonemes.

    Args:
        phonemes: What is said, times in seconds.
        voice: The speaker's dry voice, at 16 kHz.
        seconds: Length.
        articulation: How clearly the person speaks, around 1.
    """
    count = int(seconds * RATE) + 1
    shapes, closing = np.zeros((count, len(SHAPES))), np.zeros((count, len(SHAPES)))
    closed = np.zeros(count)
    for first, stop, viseme, stress in _segments(phonemes, count):
        if viseme not in CLOSURES:
            shapes[first:stop] = _VECTORS[viseme] * stress
            continue
        shapes[first:stop] = 0.3 * _VECTORS[viseme] + 0.3 * _VECTORS["UH"]
        middle = (first + stop) // 2
        half = max((stop - first) // 2, round(_SHORTEST_CLOSURE / 2 * RATE))
        span = slice(max(0, middle - half), middle + half + 1)
        closing[span], closed[span] = _VECTORS[viseme], CLOSURES[viseme]
    jaw = SHAPES.index("jaw")
    opened = gaussian_filter1d(shapes, _OPEN_SIGMA * RATE, axis=0) * _GAIN * articulation
    opened[:, jaw] *= 0.45 + 0.7 * _loudness(voice, count)
    weight = gaussian_filter1d(closed, _CLOSE_SIGMA * RATE)
    held = gaussian_filter1d(closing, _CLOSE_SIGMA * RATE, axis=0) / np.maximum(weight, 0.05)[:, None]
    share = np.clip(1.25 * weight, 0, 1)[:, None]
    return _limited(opened * (1 - share) + held * share)


def frame_shapes(shapes: NDArray[np.float64], frames: int, fps: float) -> NDArray[np.float64]:
    """Average over the middle half of each frame, its exposure: ``[frames, len(SHAPES)]``."""
    starts = ((np.arange(frames) + 0.25) / fps * RATE).astype(int)
    stops = ((np.arange(frames) + 0.75) / fps * RATE).astype(int) + 1
    return np.stack([shapes[start:stop].mean(axis=0) for start, stop in zip(starts, stops, strict=True)])


def _segments(phonemes: Sequence[Phoneme], count: int) -> Iterator[tuple[int, int, str, float]]:
    for phoneme in phonemes:
        names = visemes(phoneme.ipa)
        stress = 1.22 if "ˈ" in phoneme.ipa else 1.08 if "ˌ" in phoneme.ipa else 0.92
        edges = np.linspace(phoneme.start - _LEAD, phoneme.end - _LEAD, len(names) + 1)
        for name, start, end in zip(names, edges, edges[1:], strict=False):
            first = max(0, int(start * RATE))
            if first < count:
                yield first, min(count, max(first + 1, int(end * RATE))), name, stress


def _loudness(voice: NDArray[np.float32], count: int) -> NDArray[np.float64]:
    smooth = gaussian_filter1d(np.abs(voice).astype(np.float64), _LOUDNESS_SIGMA * SAMPLE_RATE)[:: SAMPLE_RATE // RATE]
    smooth = np.pad(smooth, (0, max(0, count - len(smooth))))[:count]
    audible = smooth[smooth > 1e-4]
    return np.clip(smooth / np.percentile(audible, 85), 0, 1.2) if len(audible) else smooth


def _limited(shapes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep jaw and lips within what looks human: further, the mouth becomes a beak."""
    limited = shapes.copy()
    jaw, funnel, pucker = (SHAPES.index(name) for name in ("jaw", "funnel", "pucker"))
    limited[:, jaw] = np.minimum(limited[:, jaw], _LARGEST_JAW)
    rounding = limited[:, funnel] + limited[:, pucker]
    limited[:, [funnel, pucker]] *= np.minimum(1, _LARGEST_ROUNDING / np.maximum(rounding, 1e-9))[:, None]
    return limited
