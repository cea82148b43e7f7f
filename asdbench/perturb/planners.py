"""How each perturbation decides what to do to a target: from annotation alone, never from media.

See docs/method.md, sections 2 to 4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from asdbench.perturb.choose import Chooser
from asdbench.perturb.donors import DonorPool, speech_candidates, track_candidates
from asdbench.perturb.edits import Donor, Edit, LipMaskEdit, MisalignEdit, MismatchEdit, RespliceEdit, SilenceEdit
from asdbench.perturb.visual import LIP_FRACTION
from asdbench.types import AUDIO_TOLERANCE_MS, MIN_RUN_MS, SAMPLE_RATE, Track

Scope = Literal["run", "track"]

_SHIFT_STEP_MS = 10.0
_NO_DONOR = "no donors of another source that are long enough"


@dataclass(frozen=True)
class Target:
    """What one edit changes: a speaking run of a track, or (``run == -1``) the whole track.

    ``first`` and ``stop`` are frames, ``start_sample`` and ``end_sample`` samples, both half-open.
    """

    track: Track
    target_id: str
    run: int
    first: int
    stop: int
    start_sample: int
    end_sample: int


@dataclass(frozen=True)
class Outcome:
    """What becomes of a target: an edit, or the reason why there can be none.

    Attributes:
        edit: The resolved edit.
        reason: Why the target is ineligible.
        ignored: Half-open range of frames whose audio the edit has to invent.
        shift_ms: Signed delay of the audio, where the edit is one.
    """

    edit: Edit | None = None
    reason: str | None = None
    ignored: tuple[int, int] = (0, 0)
    shift_ms: float | None = None


Planner = Callable[[Target], Outcome]


class PlanContext:
    """The whole data set and the seed, with the donor pools that planners share."""

    def __init__(self, tracks: Sequence[Track], seed: int) -> None:
        self.tracks = tracks
        self.seed = seed

    def chooser(self, name: str) -> Chooser:
        """Return the choices of a perturbation at its current version."""
        return Chooser(self.seed, f"{name}@{PERTURBATIONS[name].version}")

    @cached_property
    def speech_donors(self) -> DonorPool:
        """Speaking runs as ``mismatch`` ranks them."""
        return DonorPool(speech_candidates(self.tracks), self.chooser("mismatch"))

    @cached_property
    def track_donors(self) -> DonorPool:
        """Whole tracks as ``mismatch`` ranks them."""
        return DonorPool(track_candidates(self.tracks), self.chooser("mismatch"))


class MismatchOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``scope = "track"`` replaces the whole track by a window of another track, speech or not, at its own level."""

    scope: Scope = "run"


def plan_mismatch(context: PlanContext, options: MismatchOptions) -> Planner:
    """Another recording's audio."""
    return _track_mismatch(context) if options.scope == "track" else _run_mismatch(context)


def _run_mismatch(context: PlanContext) -> Planner:
    def planner(target: Target) -> Outcome:
        length = target.end_sample - target.start_sample
        donors = context.speech_donors.fill(target.target_id, target.track, length)
        if donors is None:
            return Outcome(reason=_NO_DONOR)
        version = PERTURBATIONS["mismatch"].version
        return Outcome(MismatchEdit(version=version, start=target.start_sample, stop=target.end_sample, donors=donors))

    return planner


def _track_mismatch(context: PlanContext) -> Planner:
    chooser = context.chooser("mismatch")

    def planner(target: Target) -> Outcome:
        # A little more than the annotation asks for, in case the wav is longer than it.
        length = target.end_sample + AUDIO_TOLERANCE_MS * SAMPLE_RATE // 1000
        donors = context.track_donors.fill(target.target_id, target.track, length)
        if donors is None:
            return Outcome(reason=_NO_DONOR)
        first = donors[0]
        room = max(first.stop - first.start - length, 0)
        start = first.start + int(chooser.fraction(target.target_id, "window") * (room + 1))
        window = Donor(first.video_id, first.entity_id, start, first.stop)
        version = PERTURBATIONS["mismatch"].version
        return Outcome(MismatchEdit(version=version, stop=length, donors=(window, *donors[1:]), match_level=False))

    return planner


class MisalignOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Range of the size of the shift, in ms."""

    min_ms: Annotated[float, msgspec.Meta(gt=0)] = 165.0
    max_ms: Annotated[float, msgspec.Meta(le=60_000)] = 1000.0

    def __post_init__(self) -> None:
        if self.min_ms > self.max_ms:
            raise ValueError(f"min_ms = {self.min_ms:g} is larger than max_ms = {self.max_ms:g}")


def plan_misalign(context: PlanContext, options: MisalignOptions) -> Planner:
    """The own audio, late or early; the sign gives way before the size of the shift does."""
    chooser = context.chooser("misalign")
    version = PERTURBATIONS["misalign"].version

    def planner(target: Target) -> Outcome:
        preferred = 1 if chooser.fraction(target.target_id, "sign") < 0.5 else -1
        largest = options.min_ms + (options.max_ms - options.min_ms) * chooser.fraction(target.target_id, "size")
        for size in _sizes(largest, options.min_ms):
            for sign in (preferred, -preferred):
                shift = sign * round(size * SAMPLE_RATE / 1000)
                ignored = _frames_without_audio(target, shift)
                if _keeps_enough(target, ignored):
                    edit = MisalignEdit(version=version, start=target.start_sample, stop=target.end_sample, shift=shift)
                    return Outcome(edit, ignored=ignored, shift_ms=shift * 1000 / SAMPLE_RATE)
        return Outcome(
            reason=f"no shift of at least {options.min_ms:g} ms leaves half of the run and 0.4 s of real audio"
        )

    return planner


def _sizes(largest: float, smallest: float) -> Iterator[float]:
    """Yield ever smaller sizes of shift in ms, the last one the smallest."""
    yield from np.arange(largest, smallest, -_SHIFT_STEP_MS).tolist()
    yield smallest


def _frames_without_audio(target: Target, shift: int) -> tuple[int, int]:
    """Return the half-open range of frames whose shifted window leaves the source audio."""
    track = target.track
    before, after = track.audio_margin
    period = SAMPLE_RATE / track.fps
    times = track.timestamps_ms[target.first : target.stop] - track.timestamps_ms[0]
    starts = times * (SAMPLE_RATE / 1000) - shift
    # Half a sample of slack: timestamps are rounded to milliseconds.
    lost = (starts < -before - 0.5) | (starts + period > track.num_samples + after + period / 2)
    frames = target.first + np.flatnonzero(lost)
    # They lie at one end of the run, since the window leaves the audio at one end.
    return (int(frames[0]), int(frames[-1]) + 1) if len(frames) else (target.first, target.first)


def _keeps_enough(target: Target, ignored: tuple[int, int]) -> bool:
    total = target.stop - target.first
    kept = total - (ignored[1] - ignored[0])
    return 2 * kept >= total and kept * 1000 / target.track.fps >= MIN_RUN_MS - 1


class NoOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No options."""


def plan_resplice(context: PlanContext, options: NoOptions) -> Planner:
    """The own audio over the background of mismatch's first donor."""
    version = PERTURBATIONS["resplice"].version

    def planner(target: Target) -> Outcome:
        length = target.end_sample - target.start_sample
        donors = context.speech_donors.fill(target.target_id, target.track, length)
        if donors is None:
            return Outcome(reason=_NO_DONOR)
        edit = RespliceEdit(version=version, start=target.start_sample, stop=target.end_sample, donors=donors)
        return Outcome(edit)

    return planner


def plan_silence(context: PlanContext, options: NoOptions) -> Planner:
    """Zeros over the whole track."""
    return lambda target: Outcome(SilenceEdit(version=PERTURBATIONS["silence"].version))


class LipMaskOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Share of the face box that is masked, from the bottom."""

    fraction: Annotated[float, msgspec.Meta(gt=0, le=1)] = LIP_FRACTION


def plan_lip_mask(context: PlanContext, options: LipMaskOptions) -> Planner:
    """The bottom of every face black."""
    version = PERTURBATIONS["lip_mask"].version
    return lambda target: Outcome(LipMaskEdit(version=version, fraction=options.fraction))


@dataclass(frozen=True)
class Perturbation:
    """A named, versioned way to change tracks; a change of what it does bumps the version."""

    name: str
    version: int
    summary: str
    scope: Scope
    options: type[msgspec.Struct]
    plan: Callable[[PlanContext, Any], Planner]


PERTURBATIONS = {
    perturbation.name: perturbation
    for perturbation in (
        Perturbation(
            "mismatch", 1, "another recording's speech in place of the own", "run", MismatchOptions, plan_mismatch
        ),
        Perturbation(
            "misalign", 1, "the own audio, 165 to 1000 ms late or early", "run", MisalignOptions, plan_misalign
        ),
        Perturbation("resplice", 1, "the own audio cut out and put back (control)", "run", NoOptions, plan_resplice),
        Perturbation("silence", 1, "digital silence over the whole track", "track", NoOptions, plan_silence),
        Perturbation("lip_mask", 1, "the bottom 30 % of the face black", "track", LipMaskOptions, plan_lip_mask),
    )
}
"""All perturbations by name."""
