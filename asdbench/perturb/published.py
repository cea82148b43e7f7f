"""Perturbations as other papers publish them, rule for rule; only the drawing is ours, a hash (docs/perturbations.md).

- SyncTalkNet: "Rethinking Audio-visual Synchronization for Active Speaker Detection" (arXiv 2206.10421), read in the
  authors' ``dataLoader.py`` (github.com/zaocan666/SyncTalkNet). Theirs draws from numpy's generator, in every worker of
  a data loader anew.
- LASER: "Lip Landmark Assisted Speaker Detection for Robustness" (arXiv 2501.11899), read in its ``shift_audio.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec
import numpy as np

from asdbench.errors import DataError
from asdbench.perturb.absence import SilenceEdit
from asdbench.perturb.donors import Candidate
from asdbench.perturb.edits import AudioEdit, Donor, Lender
from asdbench.perturb.targets import BEHIND_GAP, Outcome, Perturbation, PlanContext, Planner, Target
from asdbench.types import AUDIO_TOLERANCE_MS, SAMPLE_RATE, Int16Array, Media, Track

LONGEST_REPEAT = SAMPLE_RATE * 800 // 1000
"""Longest stretch that ``audioRepeat`` tiles: 0.8 s."""

_SHORT_WAV = AUDIO_TOLERANCE_MS * SAMPLE_RATE // 1000


class RotateEdit(AudioEdit, frozen=True, kw_only=True, tag="rotate"):
    """The span rotated by half of its length: what leaves at its end comes back at its start."""

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """Return the audio with the span rotated, without crossfades."""
        start, stop = self.span(original)
        return _put(original, start, np.roll(original[start:stop], (stop - start) // 2))


class FlipEdit(AudioEdit, frozen=True, kw_only=True, tag="flip"):
    """The span backwards."""

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """Return the audio with the span reversed, without crossfades."""
        start, stop = self.span(original)
        return _put(original, start, original[start:stop][::-1])


class TileEdit(AudioEdit, frozen=True, kw_only=True, tag="tile"):
    """The ``length`` samples of the track from ``first`` on, tiled over the span."""

    first: int
    length: int

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """Return the audio with the span tiled, without crossfades."""
        start, stop = self.span(original)
        # In a wav that ends before its annotation the stretch moves forward.
        first = max(min(self.first, stop - self.length), start)
        return _put(original, start, np.resize(original[first : min(first + self.length, stop)], stop - start))


class TileDonorEdit(AudioEdit, frozen=True, kw_only=True, tag="tile_donor"):
    """A donor's span tiled over this one."""

    donors: tuple[Donor]

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """Return the audio with the donor in the span, without crossfades and at the donor's level.

        Raises:
            DataError: The donor's wav ends before the span.
        """
        start, stop = self.span(original)
        segment = self.donors[0].segment(lender)
        if not len(segment):
            donor = self.donors[0]
            raise DataError(
                f"track {donor.entity_id!r} of video {donor.video_id!r}: its sound ends before sample {donor.start}, "
                "where it is to be borrowed; extract it again."
            )
        return _put(original, start, np.resize(segment, stop - start))


class LeadSilenceEdit(AudioEdit, frozen=True, kw_only=True, tag="lead_silence"):
    """``silence`` zeros before the track's sound, which is cut at the old length."""

    silence: int

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """Return the delayed audio."""
        return np.concatenate([np.zeros(self.silence, dtype=np.int16), original])[: len(original)]


def _put(original: Int16Array, start: int, replacement: Int16Array) -> Int16Array:
    result = original.copy()
    result[start : start + len(replacement)] = replacement
    return result


class PieceOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Frames of a piece."""

    piece_frames: Annotated[int, msgspec.Meta(ge=1)] = 250


def pieces(frames: int, piece_frames: int = 250) -> list[tuple[int, int]]:
    """Return the half-open ranges of frames into which SyncTalkNet cuts a track.

    Args:
        frames: Frames of the track.
        piece_frames: Frames of a piece. A last remainder of up to half a piece joins the piece before it.
    """
    starts = list(range(0, frames, piece_frames))
    if len(starts) > 1 and frames - starts[-1] <= round(piece_frames * 0.5):
        starts.pop()
    return list(zip(starts, [*starts[1:], frames], strict=True))


def piece_runs(track: Track, options: PieceOptions) -> tuple[Target, ...]:
    """Return the speaking runs within pieces: a run that crosses a border becomes two.

    The sound of a piece ends with the time of its last frame, so a run that ends with its piece has a frame less.
    """
    targets = []
    for first, stop in pieces(len(track), options.piece_frames):
        sound_end = track.sample_at(int(track.timestamps_ms[stop - 1]))
        for run in track.speaking_runs:
            begin, end = max(run.first, first), min(run.stop, stop)
            if begin < end:
                start_ms = int(track.timestamps_ms[begin])
                last = track.sample_at(round(int(track.timestamps_ms[end - 1]) + 1000 / track.fps))
                name = f"{track.video_id}|{track.entity_id}|{start_ms}"
                start = track.sample_at(start_ms)
                targets.append(Target(track, name, run.index, begin, end, start, min(last, sound_end)))
    return tuple(targets)


def _plan_runs(make: Callable[[Target, Perturbation], AudioEdit]) -> Callable[..., Planner]:
    def plan(context: PlanContext, options: PieceOptions, me: Perturbation) -> Planner:
        return lambda target: _unfit(target) or Outcome((make(target, me),))

    return plan


def _unfit(target: Target) -> Outcome | None:
    if target.start_sample >= target.end_sample:
        return Outcome(reason="no sound of its own within its piece")
    # A data set without gaps knows no such runs.
    return Outcome(reason=BEHIND_GAP) if target.stop > target.track.gapless else None


def plan_repeat(context: PlanContext, options: PieceOptions, me: Perturbation) -> Planner:
    """A random stretch of a third of the run, at most 0.8 s, tiled over it."""
    chooser = context.chooser(me)

    def planner(target: Target) -> Outcome:
        total = target.end_sample - target.start_sample
        length = min(total // 3, LONGEST_REPEAT)
        if unfit := _unfit(target):
            return unfit
        first = target.start_sample + int(chooser.fraction(target.target_id, "stretch") * (total - length))
        edit = TileEdit(
            version=me.version, start=target.start_sample, stop=target.end_sample, first=first, length=max(length, 1)
        )
        return Outcome((edit,))

    return planner


def plan_swap(context: PlanContext, options: PieceOptions, me: Perturbation) -> Planner:
    """The first speech run of a random piece of another video, tiled over the run; one such piece for each piece."""

    def first_runs(tracks: Sequence[Track]) -> tuple[Candidate, ...]:
        return tuple(each for track in tracks for each in _first_runs(track, options))

    draws = context.draws(first_runs, me)

    def planner(target: Target) -> Outcome:
        if unfit := _unfit(target):
            return unfit
        track = target.track
        first = next(a for a, b in pieces(len(track), options.piece_frames) if a <= target.first < b)
        piece = f"{track.video_id}|{track.entity_id}|{track.timestamps_ms[first]}"
        found = next(draws.drawn(piece, track, "piece", _another_video), None)
        if found is None:
            return Outcome(reason="no speech in another video")
        donors = (found.donor(0, len(found)),)
        return Outcome(
            (TileDonorEdit(version=me.version, start=target.start_sample, stop=target.end_sample, donors=donors),)
        )

    return planner


def _another_video(lender: Track, borrower: Track) -> bool:
    return lender.video_id != borrower.video_id


def _first_runs(track: Track, options: PieceOptions) -> list[Candidate]:
    """Return the first run of every piece of a track that has one with sound."""
    runs = piece_runs(track, options)
    found = []
    for first, stop in pieces(len(track), options.piece_frames):
        run = next((each for each in runs if first <= each.first < stop), None)
        if run is not None and run.start_sample < min(run.end_sample, track.num_samples - _SHORT_WAV):
            name = f"{track.video_id}|{track.entity_id}|{track.timestamps_ms[first]}"
            found.append(Candidate(track, name, run.start_sample, run.end_sample))
    return found


class LaserShiftOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds of silence; less than 1 ms would change labels and no sound."""

    seconds: Annotated[float, msgspec.Meta(ge=0.001, le=3600)]


def plan_laser_shift(context: PlanContext, options: LaserShiftOptions, me: Perturbation) -> Planner:
    """Silence before the sound, which is cut at the old length; not for tracks that are no longer than the silence."""
    silence = round(options.seconds * SAMPLE_RATE)

    def planner(target: Target) -> Outcome:
        if target.track.num_samples <= silence:
            return Outcome(reason="not longer than the silence")
        edit = LeadSilenceEdit(version=me.version, silence=silence)
        return Outcome((edit,), shift_ms=silence * 1000 / SAMPLE_RATE)

    return planner


def _spanned(kind: type[AudioEdit]) -> Callable[..., Planner]:
    return _plan_runs(lambda t, me: kind(version=me.version, start=t.start_sample, stop=t.end_sample))


def _form(name: str, summary: str, plan: Callable[..., Planner]) -> Perturbation:
    source = (
        f"SyncTalkNet, arXiv 2206.10421 and github.com/zaocan666/SyncTalkNet, dataLoader.py: audio{name.capitalize()}"
    )
    return Perturbation(f"synctalknet_{name}", 1, summary, "run", PieceOptions, plan, piece_runs, source)


PUBLISHED = (
    _form("shift", "SyncTalkNet's audioShift: the run rotated by half", _spanned(RotateEdit)),
    _form("flip", "SyncTalkNet's audioFlip: the run backwards", _spanned(FlipEdit)),
    _form("repeat", "SyncTalkNet's audioRepeat: a stretch of the run tiled", plan_repeat),
    _form("silence", "SyncTalkNet's audioSilence: the run zero", _spanned(SilenceEdit)),
    _form("swap", "SyncTalkNet's audioSwap: another video's run tiled", plan_swap),
    Perturbation(
        "laser_shift",
        1,
        "LASER's shift: so many seconds of silence first",
        "track",
        LaserShiftOptions,
        plan_laser_shift,
        source="LASER, arXiv 2501.11899 and github.com/plnguyen2908/LASER_ASD, shift_audio.py",
    ),
)
"""What this module adds to the catalogue."""
