"""The perturbations of synchrony in ``unsync``: mismatch, misalign, and their control, resplice.

See docs/method.md, section 3. The arithmetic is in `asdbench.perturb.audio`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

import msgspec
import numpy as np

from asdbench.perturb import audio as sound
from asdbench.perturb.edits import AudioEdit, Donor, Lender
from asdbench.perturb.targets import (
    NO_DONOR,
    Outcome,
    Perturbation,
    PlanContext,
    Planner,
    Scope,
    Target,
    run_targets,
    unfit,
)
from asdbench.types import AUDIO_TOLERANCE_MS, MIN_RUN_MS, SAMPLE_RATE, Int16Array, Media, Track

_SHIFT_STEP_MS = 10.0


class MismatchEdit(AudioEdit, frozen=True, kw_only=True, tag="mismatch"):
    """Another recording's audio in place of the span."""

    donors: tuple[Donor, ...]
    match_level: bool = True

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """See ``asdbench.perturb.mismatch``."""
        segments = [donor.segment(lender) for donor in self.donors]
        return sound.mismatch(original, *self.span(original), segments, match_level=self.match_level)


class MisalignEdit(AudioEdit, frozen=True, kw_only=True, tag="misalign"):
    """The recording's own audio, ``shift`` samples late (early if negative)."""

    shift: int

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """See ``asdbench.perturb.misalign``."""
        start, stop = self.span(original)
        first, last, end = start - self.shift, stop - self.shift, len(original)
        before = media.audio_window(first, 0) if first < 0 else None
        after = media.audio_window(end, last) if last > end else None
        return sound.misalign(original, start, stop, self.shift, before=before, after=after)


class RespliceEdit(AudioEdit, frozen=True, kw_only=True, tag="resplice"):
    """The span's own audio over the background of the first donor that mismatch would have used."""

    donors: tuple[Donor, ...]

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """See ``asdbench.perturb.resplice``."""
        segments = [donor.segment(lender) for donor in self.donors]
        return sound.resplice(original, *self.span(original), lender.audio(self.donors[0].key), segments)


class MismatchOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``scope = "track"`` replaces the whole track by a window of another track, speech or not, at its own level."""

    scope: Scope = "run"


def plan_mismatch(context: PlanContext, options: MismatchOptions, me: Perturbation) -> Planner:
    """Another recording's audio."""
    return _track_mismatch(context, me) if options.scope == "track" else _run_mismatch(context, me)


def _run_mismatch(context: PlanContext, me: Perturbation) -> Planner:
    def planner(target: Target) -> Outcome:
        length = target.end_sample - target.start_sample
        donors = context.speech_donors.fill(target.target_id, target.track, length)
        if donors is None:
            return Outcome(reason=NO_DONOR)
        edit = MismatchEdit(version=me.version, start=target.start_sample, stop=target.end_sample, donors=donors)
        return Outcome((edit,))

    return planner


def _track_mismatch(context: PlanContext, me: Perturbation) -> Planner:
    chooser = context.chooser(me)

    def planner(target: Target) -> Outcome:
        # A little more than the annotation asks for, in case the wav is longer than it.
        length = target.end_sample + AUDIO_TOLERANCE_MS * SAMPLE_RATE // 1000
        donors = context.track_donors.fill(target.target_id, target.track, length)
        if donors is None:
            return Outcome(reason=NO_DONOR)
        first = donors[0]
        room = max(first.stop - first.start - length, 0)
        start = first.start + int(chooser.fraction(target.target_id, "window") * (room + 1))
        window = Donor(first.video_id, first.entity_id, start, first.stop)
        return Outcome(
            (MismatchEdit(version=me.version, stop=length, donors=(window, *donors[1:]), match_level=False),)
        )

    return planner


class MisalignOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Range of the size of the shift, in ms; a size that rounds to no sample would change labels and no sound."""

    min_ms: Annotated[float, msgspec.Meta(ge=1)] = 165.0
    max_ms: Annotated[float, msgspec.Meta(le=60_000)] = 1000.0

    def __post_init__(self) -> None:
        if self.min_ms > self.max_ms:
            raise ValueError(f"min_ms = {self.min_ms:g} is larger than max_ms = {self.max_ms:g}")


def plan_misalign(context: PlanContext, options: MisalignOptions, me: Perturbation) -> Planner:
    """The own audio, late or early; the sign gives way before the size of the shift does."""
    chooser = context.chooser(me)

    def planner(target: Target) -> Outcome:
        preferred = 1 if chooser.fraction(target.target_id, "sign") < 0.5 else -1
        largest = options.min_ms + (options.max_ms - options.min_ms) * chooser.fraction(target.target_id, "size")
        for size in _sizes(largest, options.min_ms):
            for sign in (preferred, -preferred):
                shift = sign * round(size * SAMPLE_RATE / 1000)
                ignored = frames_without_audio(target, shift)
                if _keeps_enough(target, ignored):
                    edit = MisalignEdit(
                        version=me.version, start=target.start_sample, stop=target.end_sample, shift=shift
                    )
                    return Outcome((edit,), ignored=ignored, shift_ms=shift * 1000 / SAMPLE_RATE)
        return Outcome(
            reason=f"no shift of at least {options.min_ms:g} ms leaves half of the run and 0.4 s of real audio"
        )

    return planner


def _sizes(largest: float, smallest: float) -> Iterator[float]:
    """Yield ever smaller sizes of shift in ms, the last one the smallest."""
    yield from np.arange(largest, smallest, -_SHIFT_STEP_MS).tolist()
    yield smallest


def frames_without_audio(target: Target, shift: int) -> tuple[int, int]:
    """Return the half-open range of frames of a target whose window, shifted by samples, leaves the source audio."""
    track = target.track
    before, after = track.audio_margin
    period = SAMPLE_RATE / track.fps
    times = track.timestamps_ms[target.first : target.stop] - track.timestamps_ms[0]
    starts = times * (SAMPLE_RATE / 1000) - shift
    # Half a sample of slack: timestamps are rounded to milliseconds.
    lost = (starts < -before - 0.5) | (starts + period > track.num_samples + after + period / 2)
    frames = target.first + np.flatnonzero(lost)
    # They lie at one end of the target, since the window leaves the audio at one end.
    return (int(frames[0]), int(frames[-1]) + 1) if len(frames) else (target.first, target.first)


def _keeps_enough(target: Target, ignored: tuple[int, int]) -> bool:
    total = target.stop - target.first
    kept = total - (ignored[1] - ignored[0])
    return 2 * kept >= total and kept * 1000 / target.track.fps >= MIN_RUN_MS - 1


class RespliceOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With ``decoy``, stretches without speech are cut out and put back too, so that no cut tells where speech is."""

    decoy: bool = False


def respliced(track: Track, options: RespliceOptions) -> tuple[Target, ...]:
    """Return the speaking runs; with ``decoy`` also the stretches between them."""
    runs = run_targets(track, track.speaking_runs)
    if not options.decoy:
        return runs
    silent = replace(track, labels=(track.labels != 1).astype(np.int8)).speaking_runs
    quiet = (replace(each, target_id=f"{each.target_id}|quiet", run=-1) for each in run_targets(track, silent))
    return tuple(sorted((*runs, *quiet), key=lambda target: target.first))


def plan_resplice(context: PlanContext, options: RespliceOptions, me: Perturbation) -> Planner:
    """The own audio over the background of mismatch's first donor."""

    def planner(target: Target) -> Outcome:
        reason = unfit(target)
        if reason is not None:
            return Outcome(reason=reason)
        length = target.end_sample - target.start_sample
        donors = context.speech_donors.fill(target.target_id, target.track, length)
        if donors is None:
            return Outcome(reason=NO_DONOR)
        edit = RespliceEdit(version=me.version, start=target.start_sample, stop=target.end_sample, donors=donors)
        return Outcome((edit,))

    return planner


SYNCHRONY = (
    Perturbation("mismatch", 1, "another recording's speech instead of the own", "run", MismatchOptions, plan_mismatch),
    Perturbation("misalign", 1, "the own audio, 165 to 1000 ms late or early", "run", MisalignOptions, plan_misalign),
    Perturbation(
        "resplice",
        1,
        "the own audio cut out and put back (control)",
        "run",
        RespliceOptions,
        plan_resplice,
        respliced,
        source="docs/method.md, section 3",
    ),
)
"""What this module adds to the catalogue."""
