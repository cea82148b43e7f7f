"""Perturbations that put a run's or a track's own sound at another time: shift, reverse, swap_halves, repeat.

See docs/perturbations.md. The published forms of other papers are in `asdbench.perturb.published`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from asdbench.errors import UsageError
from asdbench.perturb.audio import EDGE_FADE, checked_span, join, splice
from asdbench.perturb.edits import AudioEdit, Lender
from asdbench.perturb.synchrony import MisalignEdit, frames_without_audio
from asdbench.perturb.targets import NoOptions, Outcome, Perturbation, PlanContext, Planner, Scope, Target
from asdbench.types import AUDIO_TOLERANCE_MS, SAMPLE_RATE, Int16Array, Media

FAR = SAMPLE_RATE * 165 // 1000
"""From here on sound counts as out of time (docs/method.md, section 3, misalign): 165 ms."""
LONGEST_LOOP = SAMPLE_RATE * 800 // 1000
"""Longest stretch that is looped: 0.8 s, as in SyncTalkNet's audioRepeat."""

_SHORTEST_LOOP = 2 * FAR + EDGE_FADE
_SHORT_WAV = AUDIO_TOLERANCE_MS * SAMPLE_RATE // 1000


def reverse(waveform: Int16Array, start: int, stop: int) -> Int16Array:
    """Play a span backwards, with the 5 ms crossfades of `asdbench.perturb.audio.splice` at its ends.

    Args:
        waveform: ``[N]`` the track's audio.
        start: First sample of the span.
        stop: One past its last sample.

    Raises:
        UsageError: The span lies outside the waveform.
    """
    return splice(waveform, start, checked_span(waveform, start, stop)[::-1])


def swap_halves(waveform: Int16Array, start: int, stop: int) -> Int16Array:
    """Exchange the two halves of a span; 5 ms crossfades at its ends and where the halves meet.

    The later half starts 5 ms early, so that the crossfade in the middle takes no time away.

    Args:
        waveform: ``[N]`` the track's audio.
        start: First sample of the span.
        stop: One past its last sample.

    Raises:
        UsageError: The span lies outside the waveform.
    """
    own = checked_span(waveform, start, stop)
    middle = len(own) // 2
    fade = min(EDGE_FADE, middle)
    return splice(waveform, start, join([own[middle - fade :], own[:middle]], fade))


def repeat(waveform: Int16Array, start: int, stop: int, first: int, last: int) -> Int16Array:
    """Fill a span with one stretch of it, looped with 5 ms crossfades.

    Args:
        waveform: ``[N]`` the track's audio.
        start: First sample of the span.
        stop: One past its last sample.
        first: First sample of the stretch.
        last: One past its last sample.

    Raises:
        UsageError: The span or the stretch lies outside the waveform, or the stretch is empty and the span is not.
    """
    checked_span(waveform, start, stop)
    stretch = checked_span(waveform, first, last)
    if not len(stretch) and stop > start:
        raise UsageError(f"an empty stretch, {first} to {last}, cannot be looped.")
    fade = min(EDGE_FADE, len(stretch) // 2)
    turns = (stop - start) // max(len(stretch) - fade, 1) + 2
    return splice(waveform, start, join([stretch] * turns, fade)[: stop - start])


class ReverseEdit(AudioEdit, frozen=True, kw_only=True, tag="reverse"):
    """The span backwards."""

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """See `reverse`."""
        return reverse(original, *self.span(original))


class SwapHalvesEdit(AudioEdit, frozen=True, kw_only=True, tag="swap_halves"):
    """The two halves of the span exchanged."""

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """See `swap_halves`."""
        return swap_halves(original, *self.span(original))


class RepeatEdit(AudioEdit, frozen=True, kw_only=True, tag="repeat"):
    """The samples ``first`` to ``last`` of the track, looped over the span."""

    first: int
    last: int

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """See `repeat`."""
        return repeat(original, *self.span(original), self.first, min(self.last, len(original)))


class ShiftOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Delay in ms, negative where the sound comes early; of the whole track, or of its speaking runs."""

    ms: Annotated[float, msgspec.Meta(ge=-60_000, le=60_000)]
    scope: Scope = "track"


def plan_shift(context: PlanContext, options: ShiftOptions, me: Perturbation) -> Planner:
    """The own audio, late or early by the same time everywhere."""
    shift = round(options.ms * SAMPLE_RATE / 1000)

    def planner(target: Target) -> Outcome:
        # A wav may end where the last frame starts; what is not shifted has lost nothing by that.
        ignored = frames_without_audio(target, shift) if shift else (target.first, target.first)
        if ignored[1] - ignored[0] == target.stop - target.first:
            return Outcome(reason="the shift leaves no real audio")
        stop = None if target.run < 0 else target.end_sample
        edit = MisalignEdit(version=me.version, start=target.start_sample, stop=stop, shift=shift)
        return Outcome((edit,), ignored=ignored, shift_ms=shift * 1000 / SAMPLE_RATE)

    return planner


def plan_reverse(context: PlanContext, options: NoOptions, me: Perturbation) -> Planner:
    """The run backwards."""
    return lambda target: Outcome((ReverseEdit(version=me.version, start=target.start_sample, stop=target.end_sample),))


def plan_swap_halves(context: PlanContext, options: NoOptions, me: Perturbation) -> Planner:
    """The halves of the run exchanged."""
    return lambda target: Outcome(
        (SwapHalvesEdit(version=me.version, start=target.start_sample, stop=target.end_sample),)
    )


def plan_repeat(context: PlanContext, options: NoOptions, me: Perturbation) -> Planner:
    """A third of the run, looped over it, so that nothing is heard within 165 ms of its own time."""
    chooser = context.chooser(me)

    def planner(target: Target) -> Outcome:
        start, stop = target.start_sample, target.end_sample
        # The wav may end a little before its annotation; the stretch must not.
        length = min(stop, target.track.num_samples - _SHORT_WAV) - start
        size = min(max((stop - start) // 3, _SHORTEST_LOOP), LONGEST_LOOP)
        offset = _out_of_time(length - size, size - EDGE_FADE, chooser.fraction(target.target_id, "stretch"))
        if offset is None or stop - start < 2 * size:
            return Outcome(reason="too short to hear a part of it twice, 165 ms or more from its own time")
        first = start + offset
        return Outcome((RepeatEdit(version=me.version, start=start, stop=stop, first=first, last=first + size),))

    return planner


def _out_of_time(latest: int, period: int, fraction: float) -> int | None:
    """Choose where a looped stretch begins: at most ``latest``, and ``FAR`` or more from every turn of the loop."""
    starts = range(FAR, latest + 1, period)
    choices = [min(start + period - 2 * FAR, latest) - start + 1 for start in starts]
    if not choices:
        return None
    number = int(fraction * sum(choices))
    for start, count in zip(starts, choices, strict=True):
        if number < count:
            return start + number
        number -= count
    return None


_METHOD = "docs/method.md, section 3"

TIMING = (
    Perturbation(
        "shift", 1, "the own audio, late or early by so many ms", "track", ShiftOptions, plan_shift, source=_METHOD
    ),
    Perturbation("reverse", 1, "the run's own audio backwards", "run", NoOptions, plan_reverse, source=_METHOD),
    Perturbation(
        "swap_halves",
        1,
        "the halves of the run's own audio exchanged",
        "run",
        NoOptions,
        plan_swap_halves,
        source=f"{_METHOD}; LASER's demo",
    ),
    Perturbation(
        "repeat",
        1,
        "a part of the run's own audio looped over it",
        "run",
        NoOptions,
        plan_repeat,
        source=f"{_METHOD}; after SyncTalkNet's audioRepeat",
    ),
)
"""What this module adds to the catalogue."""
