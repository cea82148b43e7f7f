"""Other sound in place of the own, as if the track had none: replace_audio (docs/method.md, section 7)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from asdbench.perturb.donors import cover, track_candidates, windowed
from asdbench.perturb.synchrony import MismatchEdit
from asdbench.perturb.targets import NO_DONOR, Outcome, Perturbation, PlanContext, Planner, Target
from asdbench.types import AUDIO_TOLERANCE_MS, SAMPLE_RATE

_SHORT_WAV = AUDIO_TOLERANCE_MS * SAMPLE_RATE // 1000


class ReplaceAudioOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Draws with different numbers are independent."""

    draw: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1


def plan_replace_audio(context: PlanContext, options: ReplaceAudioOptions, me: Perturbation) -> Planner:
    """A random window of a track of another source, speech or not, at its own level."""
    chooser, draws = context.chooser(me), context.draws(track_candidates, me)
    purpose = f"draw {options.draw}"

    def planner(target: Target) -> Outcome:
        # A little more than the annotation asks for, in case the wav is longer than it.
        length = target.end_sample + _SHORT_WAV
        chosen = cover(draws.drawn(target.target_id, target.track, purpose), length)
        if chosen is None:
            return Outcome(reason=NO_DONOR)
        donors = windowed(chosen, length, chooser.fraction(target.target_id, f"{purpose} window"))
        return Outcome((MismatchEdit(version=me.version, stop=length, donors=donors, match_level=False),))

    return planner


REPLACEMENT_AUDIO = (
    Perturbation(
        "replace_audio",
        1,
        "a random window of another recording over the whole track",
        "track",
        ReplaceAudioOptions,
        plan_replace_audio,
        source="docs/method.md, section 7",
    ),
)
"""What this module adds to the catalogue."""
