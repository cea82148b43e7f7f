"""Who lends the sound: the ranking of donors for every run (docs/method.md, section 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from asdbench.perturb.audio import JOIN_FADE
from asdbench.perturb.choose import Chooser
from asdbench.perturb.edits import Donor
from asdbench.types import AUDIO_TOLERANCE_MS, SAMPLE_RATE, Track, TrackKey

_MARGIN = AUDIO_TOLERANCE_MS * SAMPLE_RATE // 1000


@dataclass(frozen=True)
class Candidate:
    """A span of a track that may replace another track's audio."""

    track: Track
    candidate_id: str
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def donor(self, start: int, stop: int) -> Donor:
        """Return the part from ``start`` to ``stop`` of the candidate as stored in a plan."""
        return Donor(self.track.video_id, self.track.entity_id, self.start + start, self.start + stop)


def speech_candidates(tracks: Sequence[Track]) -> tuple[Candidate, ...]:
    """Return every speaking run of at least 0.4 s."""
    return tuple(
        Candidate(track, run.run_id, run.start_sample, min(run.end_sample, track.num_samples - _MARGIN))
        for track in tracks
        for run in track.speaking_runs
        if run.long_enough and run.start_sample < track.num_samples - _MARGIN
    )


def track_candidates(tracks: Sequence[Track]) -> tuple[Candidate, ...]:
    """Return every track as a whole, speech or not."""
    return tuple(
        Candidate(track, "|".join(track.key), 0, track.num_samples - _MARGIN)
        for track in tracks
        if track.num_samples > _MARGIN
    )


class DonorPool:
    """Ranks candidates for a run: another source and, where known, another person and another sentence."""

    def __init__(self, candidates: Sequence[Candidate], chooser: Chooser) -> None:
        self._candidates = candidates
        self._chooser = chooser
        self._ids = [candidate.candidate_id.encode() for candidate in candidates]
        self._sources = np.array([candidate.track.source_id for candidate in candidates], dtype=object)
        self._persons = np.array([candidate.track.person_id for candidate in candidates], dtype=object)
        self._sentences = np.array([candidate.track.sentence_id for candidate in candidates], dtype=object)
        self._filled: dict[tuple[TrackKey, str, int], tuple[Donor, ...] | None] = {}

    def ranked(self, run_id: str, track: Track) -> Iterator[Candidate]:
        """Yield the candidates allowed for a run of ``track``, the first choice first."""
        allowed = self._sources != track.source_id
        if track.person_id is not None:
            allowed &= self._persons != track.person_id
        if track.sentence_id is not None:
            allowed &= self._sentences != track.sentence_id
        if not allowed.any():
            return
        ranks = self._chooser.ranks(run_id, self._ids)
        ranks[~allowed] = np.iinfo(np.uint64).max
        # The first choice nearly always suffices, so the rest is sorted only when it does not.
        first = int(ranks.argmin())
        yield self._candidates[first]
        order = np.argsort(ranks, kind="stable")[: int(allowed.sum())]
        yield from (self._candidates[index] for index in order if index != first)

    def fill(self, run_id: str, track: Track, length: int) -> tuple[Donor, ...] | None:
        """Return donors that cover ``length`` samples when joined, none of them twice; ``None`` if too few."""
        # Ranking all candidates is what planning spends its time on, and several perturbations ask for the same run.
        key = track.key, run_id, length
        if key not in self._filled:
            self._filled[key] = self._fill(run_id, track, length)
        return self._filled[key]

    def _fill(self, run_id: str, track: Track, length: int) -> tuple[Donor, ...] | None:
        donors: list[Donor] = []
        covered = 0
        for candidate in self.ranked(run_id, track):
            # `join` crossfades over at most the shorter neighbour.
            covered += len(candidate) - (min(JOIN_FADE, len(candidate)) if donors else 0)
            donors.append(candidate.donor(0, len(candidate)))
            if covered >= length:
                return tuple(donors)
        return None
