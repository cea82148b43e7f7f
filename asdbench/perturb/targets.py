"""What planners are given and what they return (docs/method.md, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import msgspec

from asdbench.perturb.choose import Chooser
from asdbench.perturb.donors import Candidate, DonorDraws, DonorPool, speech_candidates, track_candidates
from asdbench.perturb.edits import Edit
from asdbench.types import MIN_RUN_MS, SpeakingRun, Track, TrackKey

Scope = Literal["run", "track"]

NO_DONOR = "no donors of another source that are long enough"
TOO_SHORT = "shorter than 0.4 s"
BEHIND_GAP = "behind a gap in time"


@dataclass(frozen=True, slots=True)
class Target:
    """What one edit changes: a speaking run of a track or a part of it, or (``run == -1``) something else.

    ``first`` and ``stop`` are frames, ``start_sample`` and ``end_sample`` samples, both half-open.
    """

    track: Track
    target_id: str
    run: int
    first: int
    stop: int
    start_sample: int
    end_sample: int


def whole_track(track: Track) -> Target:
    """Return the track as one target."""
    return Target(track, "|".join(track.key), -1, 0, len(track), 0, track.num_samples)


def run_targets(track: Track, runs: Sequence[SpeakingRun]) -> tuple[Target, ...]:
    """Return one target per run."""
    return tuple(
        Target(track, run.run_id, run.index, run.first, run.stop, run.start_sample, run.end_sample) for run in runs
    )


def unfit(target: Target) -> str | None:
    """Return why a run is ineligible under every perturbation of runs, ``None`` where it is not."""
    track = target.track
    times = track.timestamps_ms
    lasts_ms = round(int(times[target.stop - 1]) + 1000 / track.fps) - int(times[target.first])
    if lasts_ms < MIN_RUN_MS - 1:  # 1 ms of rounding is forgiven
        return TOO_SHORT
    # Models count frames, so behind a gap they look at other sound than the one that belongs there.
    return BEHIND_GAP if target.stop > track.gapless else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a target: edits, or the reason why there can be none.

    Attributes:
        edits: The resolved edits, those of faces in the order in which they are applied.
        reason: Why the target is ineligible.
        ignored: Half-open range of frames whose audio the edit has to invent.
        shift_ms: Signed delay of the audio, where the edit is one.
    """

    edits: tuple[Edit, ...] = ()
    reason: str | None = None
    ignored: tuple[int, int] = (0, 0)
    shift_ms: float | None = None


Planner = Callable[[Target], Outcome]


@dataclass(frozen=True)
class Perturbation:
    """A named, versioned way to change tracks; a change of what it does bumps the version.

    Attributes:
        name: Name in the catalogue and in suites.
        version: Version, part of every hash that chooses something.
        summary: A few words for ``asdbench ls perturbations``.
        scope: Whether it changes speaking runs or whole tracks; an option ``scope`` may say otherwise.
        options: Type of its options.
        plan: Returns the planner, given the context, the options and this object.
        source: Where it comes from: paper and section, repository, or the section of docs/method.md.
        targets: Returns the targets of a track, given it and the options, where neither all speaking runs nor the whole
            track are meant; no run is ineligible then but by the planner's word.
        exact: Whether the same plan gives the same bytes on every machine; else its edits name the versions of the
            libraries that make them.
    """

    name: str
    version: int
    summary: str
    scope: Scope
    options: type[msgspec.Struct]
    plan: Callable[[PlanContext, Any, Perturbation], Planner]
    targets: Callable[[Track, Any], Sequence[Target]] | None = None
    source: str = "docs/method.md"
    exact: bool = True

    @property
    def label(self) -> str:
        """Name and version, ``mismatch@1``."""
        return f"{self.name}@{self.version}"


class PlanContext:
    """The whole data set and the seed, with the donor pools that planners share."""

    def __init__(self, tracks: Sequence[Track], seed: int) -> None:
        self.tracks = tracks
        self.seed = seed

        self._targets: dict[Scope, dict[TrackKey, tuple[Target, ...]]] = {}

    def targets(self, scope: Scope) -> Mapping[TrackKey, tuple[Target, ...]]:
        """Return the speaking runs of every track, or every track as one target; all conditions share them."""
        if scope not in self._targets:
            self._targets[scope] = {
                track.key: (whole_track(track),) if scope == "track" else run_targets(track, track.speaking_runs)
                for track in self.tracks
            }
        return self._targets[scope]

    def chooser(self, perturbation: Perturbation | str) -> Chooser:
        """Return the choices of a perturbation, given as such or as name and version."""
        return Chooser(self.seed, perturbation if isinstance(perturbation, str) else perturbation.label)

    @cached_property
    def speech_donors(self) -> DonorPool:
        """Speaking runs as ``mismatch`` ranks them."""
        return DonorPool(speech_candidates(self.tracks), self.chooser("mismatch@1"))

    @cached_property
    def track_donors(self) -> DonorPool:
        """Whole tracks as ``mismatch`` ranks them."""
        return DonorPool(track_candidates(self.tracks), self.chooser("mismatch@1"))

    def draws(self, candidates: Callable[[Sequence[Track]], tuple[Candidate, ...]], me: Perturbation) -> DonorDraws:
        """Return the draws of a perturbation among candidates of one kind."""
        return DonorDraws(candidates(self.tracks), self.chooser(me))


class NoOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No options."""
