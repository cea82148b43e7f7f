"""Other people's speech over the track's own sound: babble, offscreen_speech (docs/perturbations.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from asdbench.errors import DataError, UsageError
from asdbench.perturb.audio import active_level, join
from asdbench.perturb.donors import Candidate, cover, speech_candidates
from asdbench.perturb.edits import AudioEdit, Donor, Lender
from asdbench.perturb.noise import SnrOptions, add_noise
from asdbench.perturb.targets import NO_DONOR, Outcome, Perturbation, PlanContext, Planner, Target
from asdbench.types import AUDIO_TOLERANCE_MS, SAMPLE_RATE, Int16Array, Media

_SHORT_WAV = AUDIO_TOLERANCE_MS * SAMPLE_RATE // 1000


def babble(waveform: Int16Array, talkers: Sequence[Sequence[Int16Array]], snr_db: float) -> Int16Array:
    """Lay the sum of several talkers, all of the same active level, over the sound.

    Args:
        waveform: ``[N]`` the track's audio.
        talkers: The segments of each, which are joined by 20 ms crossfades and cut to N samples.
        snr_db: Active level of the waveform above that of the sum, in dB.

    Raises:
        UsageError: A talker's segments are together too short, or all of them are digital silence.
    """
    mixed: NDArray[np.float64] = np.zeros(len(waveform))
    for segments in talkers:
        voice = join(segments)[: len(waveform)]
        if len(voice) < len(waveform):
            raise UsageError(f"a talker has {len(voice)} samples for {len(waveform)}; give another segment.")
        mixed += voice / (active_level(voice) or 1.0)
    return add_noise(waveform, mixed, snr_db)


class VoicesEdit(AudioEdit, frozen=True, kw_only=True, tag="voices"):
    """One or more talkers, each of segments of one or more tracks."""

    talkers: tuple[tuple[Donor, ...], ...]
    snr_db: float

    @property
    def donors(self) -> tuple[Donor, ...]:
        """All segments."""
        return tuple(donor for talker in self.talkers for donor in talker)

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """See `babble`.

        Raises:
            DataError: The sound of the donors is shorter than their annotation, or digital silence.
        """
        segments = [[donor.segment(lender) for donor in talker] for talker in self.talkers]
        try:
            return babble(original, segments, self.snr_db)
        except UsageError as error:
            names = ", ".join(sorted({f"{donor.video_id}/{donor.entity_id}" for donor in self.donors}))
            raise DataError(f"the tracks {names} cannot lend their speech: {error}") from error


class BabbleOptions(SnrOptions, frozen=True, forbid_unknown_fields=True):
    """Number of talkers beside the ratio."""

    speakers: Annotated[int, msgspec.Meta(ge=1, le=50)] = 5


def plan_babble(context: PlanContext, options: BabbleOptions, me: Perturbation) -> Planner:
    """Speaking runs of other sources, none twice, each talker of other tracks while there are any."""
    return _plan(context, options.speakers, options.ratio, me)


def plan_offscreen_speech(context: PlanContext, options: SnrOptions, me: Perturbation) -> Planner:
    """One talker of another source."""
    return _plan(context, 1, options.ratio, me)


def _plan(context: PlanContext, speakers: int, snr_db: float, me: Perturbation) -> Planner:
    draws = context.draws(speech_candidates, me)

    def planner(target: Target) -> Outcome:
        # A little more than the annotation asks for, in case the wav is longer than it.
        length = target.end_sample + _SHORT_WAV
        used: list[Candidate] = []
        talkers = []
        for number in range(speakers):
            order = draws.drawn(target.target_id, target.track, f"talker {number}")
            chosen = cover(_new_voices_first(order, used), length)
            if chosen is None:
                return Outcome(reason=NO_DONOR if number == 0 else "not enough speech of other sources")
            used += chosen
            talkers.append(tuple(each.donor(0, len(each)) for each in chosen))
        return Outcome((VoicesEdit(version=me.version, talkers=tuple(talkers), snr_db=snr_db),))

    return planner


def _new_voices_first(order: Iterable[Candidate], used: Sequence[Candidate]) -> Iterator[Candidate]:
    """Yield the runs of tracks that no other talker has, then the other runs that none has."""
    tracks, runs = {each.track.key for each in used}, {each.candidate_id for each in used}
    later = []
    for each in order:
        if each.track.key not in tracks:
            yield each
        elif each.candidate_id not in runs:
            later.append(each)
    yield from later


VOICES = (
    Perturbation(
        "babble",
        1,
        "several other tracks' speech at an SNR",
        "track",
        BabbleOptions,
        plan_babble,
        source="docs/perturbations.md; babble of several talkers as in MUSAN's use in Kaldi",
    ),
    Perturbation(
        "offscreen_speech",
        1,
        "another talker's speech at an SNR",
        "track",
        SnrOptions,
        plan_offscreen_speech,
        source="docs/perturbations.md",
    ),
)
"""What this module adds to the catalogue."""
