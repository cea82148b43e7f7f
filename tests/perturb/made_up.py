"""Tracks with sound that is in memory, for tests of perturbations of sound."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdbench.perturb import plan
from asdbench.perturb.audio import to_int16
from asdbench.perturb.edits import edit_audio, split_media
from asdbench.perturb.plan import ConditionPlan
from asdbench.types import Condition, Int16Array, LabelPolicy, Suite, Track, UInt8Array
from tests.lenders import LendingTracks

SEED = 20261120


@dataclass(frozen=True, eq=False)
class Sound:
    """A track's sound within a longer recording."""

    film: Int16Array
    start: int
    stop: int

    def audio(self) -> Int16Array:
        return self.film[self.start : self.stop]

    def audio_window(self, start: int, stop: int) -> Int16Array:
        return self.film[max(start + self.start, 0) : max(stop + self.start, 0)]

    def faces(self) -> list[UInt8Array]:
        raise NotImplementedError

    def stamp(self) -> str:
        return ""


def speech(length: int, seed: int = 0, level: float = 3000) -> Int16Array:
    """Syllables of low noise over a quiet background, with a pause every two seconds, never digital silence."""
    rng = np.random.default_rng(seed)
    rough = np.convolve(rng.normal(0, 1, length + 31), np.hanning(32), "valid")[:length]
    seconds = np.arange(length) / 16_000
    syllables = np.sin(seconds * np.pi * 3.7 + seed) ** 2 * (np.sin(seconds * np.pi) > -0.8)
    samples = to_int16(rough * syllables * level / 3 + rng.normal(0, 12, length))
    samples[samples == 0] = 1
    return samples


def made_track(
    name: str,
    runs: Iterable[tuple[int, int]] = (),
    frames: int = 75,
    *,
    source: str | None = None,
    sound: Int16Array | None = None,
    margin: int = 0,
    gap_after: int | None = None,
    short_by: int = 0,
) -> Track:
    """A track at 25 frames/s, whose sound is made up unless it is given."""
    labels = np.zeros(frames, dtype=np.int8)
    for first, stop in runs:
        labels[first:stop] = 1
    times = np.arange(frames, dtype=np.int64) * 40
    if gap_after is not None:
        times[gap_after:] += 1000
    samples = int(times[-1]) * 16
    film = speech(samples + 2 * margin, sum(name.encode())) if sound is None else sound
    return Track(
        video_id=name,
        entity_id=f"{name}:1",
        source_id=source or name,
        timestamps_ms=times,
        labels=labels,
        fps=25.0,
        num_samples=samples,
        media=Sound(film, margin, len(film) - margin - short_by),
        audio_margin=(margin, margin),
    )


def crowd(count: int = 6, frames: int = 75) -> list[Track]:
    """Tracks of different sources, each with speech nearly throughout."""
    return [made_track(f"v{number}", [(0, frames - 15), (frames - 13, frames)], frames) for number in range(count)]


def planned(
    tracks: Sequence[Track],
    perturbation: str,
    options: Mapping[str, Any] | None = None,
    *,
    proportion: float = 1.0,
    labels: LabelPolicy = "keep",
    seed: int = SEED,
) -> ConditionPlan:
    """Plan one condition and return it."""
    condition = Condition("it", perturbation, proportion, labels, options=options or {})
    return plan(tracks, Suite("test", 1, seed, "", (Condition("clean"), condition), ""))["it"]


def heard(tracks: Sequence[Track], track: Track, condition: ConditionPlan) -> Int16Array:
    """The sound of a track under a condition."""
    edits, _ = split_media(condition.edits(track.key))
    return edit_audio(track.media.audio(), edits, track.media, LendingTracks(tracks))


def reasons(condition: ConditionPlan) -> list[str | None]:
    """Why targets are ineligible, in the order of targets."""
    return [d.outcome.reason for key in sorted(condition.decisions) for d in condition.decisions[key]]
