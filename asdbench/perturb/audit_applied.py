"""One track as it is and as a condition leaves it, and what is measured on it; shared by the checks of the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from asdbench.perturb.plan import Decision
from asdbench.types import Float32Array, Int16Array, Track, UInt8Array


@dataclass(frozen=True)
class Measure:
    """One number that was measured, and between which others it must lie.

    ``exceptions`` is the share of measurements that may lie outside, where the data themselves can be the reason.
    """

    check: str
    unit: str
    value: float
    low: float
    high: float
    exceptions: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether it does."""
        return self.low <= self.value <= self.high


@dataclass(frozen=True)
class Applied:
    """One track as it is and as a condition leaves it.

    Attributes:
        track: The track.
        decisions: What the plan says was changed in it.
        audio: ``[N]`` its own sound.
        faces: ``T`` own crops.
        new_audio: The sound under the condition.
        new_faces: The crops under the condition.
    """

    track: Track
    decisions: tuple[Decision, ...]
    audio: Int16Array
    faces: Sequence[UInt8Array]
    new_audio: Int16Array
    new_faces: Sequence[UInt8Array]

    @cached_property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The changed ranges of samples; a wav may end a frame before its annotation."""
        end = len(self.audio)
        return tuple(
            # A whole track is changed to the end of its wav, which may also lie behind its annotation.
            (min(t.start_sample, end), end if (t.first, t.stop) == (0, len(self.track)) else min(t.end_sample, end))
            for t in (decision.target for decision in self.decisions)
        )

    @cached_property
    def within(self) -> Float32Array:
        """``[T, 4]`` the face box in each crop."""
        whole = np.tile(np.array([0, 0, 1, 1], np.float32), (len(self.faces), 1))
        return whole if self.track.face_in_crop is None else self.track.face_in_crop

    @cached_property
    def source(self) -> tuple[Int16Array, int]:
        """The recording around the track as far as it is known, and where in it the track starts."""
        before, after = self.track.audio_margin
        head = self.track.media.audio_window(-before, 0) if before else self.audio[:0]
        tail = self.track.media.audio_window(len(self.audio), len(self.audio) + after) if after else self.audio[:0]
        return np.concatenate([head, self.audio, tail]), len(head)


Check = Callable[[Applied, Any], Iterator[Measure]]
"""What is measured of one track, given the options of the condition."""
