"""Who lends the sound: the ranking of donors for every run (docs/method.md, section 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

import numpy as np

from asdbench.perturb.audio import JOIN_FADE
from asdbench.perturb.choose import Chooser
from asdbench.perturb.edits import Donor
from asdbench.types import AUDIO_TOLERANCE_MS, SAMPLE_RATE, Track, TrackKey

_MARGIN = AUDIO_TOLERANCE_MS * SAMPLE_RATE // 1000
_MISSES = 64

Lending = Callable[[Track, Track], bool]
"""Whether the first track may lend to the second."""

_Sized = TypeVar("_Sized", bound=Sized)


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


def may_lend(lender: Track, borrower: Track) -> bool:
    """Return whether a track is of another source and, where known, of another person and another sentence."""
    return (
        lender.source_id != borrower.source_id
        and (borrower.person_id is None or lender.person_id != borrower.person_id)
        and (borrower.sentence_id is None or lender.sentence_id != borrower.sentence_id)
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
        chosen = cover(self.ranked(run_id, track), length)
        return None if chosen is None else tuple(candidate.donor(0, len(candidate)) for candidate in chosen)


def cover(candidates: Iterable[_Sized], length: int) -> list[_Sized] | None:
    """Return the first candidates that cover ``length`` samples when joined; ``None`` if all are too short."""
    chosen: list[_Sized] = []
    covered = 0
    for candidate in candidates:
        # `join` crossfades over at most the shorter neighbour.
        covered += len(candidate) - (min(JOIN_FADE, len(candidate)) if chosen else 0)
        chosen.append(candidate)
        if covered >= length:
            return chosen
    return None


def windowed(chosen: Sequence[Candidate], length: int, fraction: float) -> tuple[Donor, ...]:
    """Return covering candidates as donors, the first one from anywhere in the room that it has to spare."""
    first, *rest = chosen
    room = max(len(first) - length, 0)
    start = int(fraction * (room + 1))
    return (first.donor(start, len(first)), *(other.donor(0, len(other)) for other in rest))


def distinct(
    chooser: Chooser, target_id: str, purpose: str, ids: Sequence[str], allowed: Callable[[int], bool]
) -> Iterator[int]:
    """Yield the indices of all allowed names, each once, in an order drawn for a target and a purpose.

    Draw number i is ``floor(u * n)``, ``u`` being the fraction for ``<purpose> i`` and n the number of names. What is
    not allowed, or was drawn before, is drawn over. After 64 such draws in a row the rest is ranked. Ranking all at
    once, as `DonorPool` does for runs, takes minutes for thousands of tracks.
    """
    taken: set[int] = set()
    misses = 0
    for number in count():
        if misses == _MISSES or not ids:
            break
        index = int(chooser.fraction(target_id, f"{purpose} {number}") * len(ids))
        misses += 1
        if index not in taken and allowed(index):
            misses = 0
            taken.add(index)
            yield index
    rest = [index for index in range(len(ids)) if index not in taken and allowed(index)]
    ranks = chooser.ranks(f"{target_id}|{purpose}", [ids[index].encode() for index in rest])
    yield from (rest[place] for place in np.argsort(ranks, kind="stable"))


class DonorDraws:
    """Draws candidates one at a time (see `distinct`), in an order that the order of tracks does not change."""

    def __init__(self, candidates: Sequence[Candidate], chooser: Chooser) -> None:
        self._candidates = sorted(candidates, key=lambda candidate: candidate.candidate_id)
        self._ids = [candidate.candidate_id for candidate in self._candidates]
        self._chooser = chooser

    def drawn(self, target_id: str, track: Track, purpose: str, lending: Lending = may_lend) -> Iterator[Candidate]:
        """Yield all candidates that may lend to a track, each once, the first choice first."""
        found = self._candidates
        order = distinct(self._chooser, target_id, purpose, self._ids, lambda i: lending(found[i].track, track))
        yield from (found[index] for index in order)
