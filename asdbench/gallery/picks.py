"""Which errors of a run are the worst: by moments of 0.4 s or by speaking runs, never by single frames."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from asdbench.analysis.masks import own_negatives
from asdbench.records.predictions import Predictions
from asdbench.types import IGNORE, MIN_RUN_MS, BoolArray, Condition, TrackKey

Kind = Literal["false alarm", "miss", "fooled"]

_GAP = 1.5  # frame periods, as for speaking runs


@dataclass(frozen=True)
class Pick:
    """One error.

    Attributes:
        kind: What is wrong: silent frames scored at or above the threshold, speaking ones below it, or changed speech
            still scored at or above it.
        key: The track.
        first: First frame that is judged (index into the track).
        stop: One past the last.
        centre: The frame in the middle of the worst 0.4 s.
        clean: Mean score of these frames on the clean data.
        score: Mean score of these frames under the condition.
    """

    kind: Kind
    key: TrackKey
    first: int
    stop: int
    centre: int
    clean: float
    score: float

    @property
    def badness(self) -> float:
        """Larger is worse."""
        return -self.score if self.kind == "miss" else self.score


@dataclass(frozen=True)
class Found:
    """The errors of one kind under one condition.

    Attributes:
        kind: What is wrong.
        picks: The worst ones, the worst first; under the clean condition those nearest to an error where there is none.
        wrong: How many speaking runs are wrong (``fooled``), or how many tracks hold such a moment.
        judged: How many speaking runs, or tracks with moments of the kind, there are.
    """

    kind: Kind
    picks: tuple[Pick, ...]
    wrong: int
    judged: int


def worst(
    clean: Predictions, rows: Predictions, condition: Condition, threshold: float, count: int
) -> tuple[Found, ...]:
    """Return the worst errors of a condition.

    Under the clean condition these are false alarms and misses. Where changed speech counts as negative, it is what
    fooled the model: changed speaking runs whose mean score is at or above the threshold. Where labels are kept, it is
    what the condition broke: moments that are right on the clean data and wrong under the condition.

    Args:
        clean: Rows of the clean condition.
        rows: The same rows under the condition.
        condition: The condition.
        threshold: Frozen on the clean rows.
        count: How many of each kind (`diverse`).

    Returns:
        One entry per kind; none where changed rows are ignored, so that nothing can be wrong.
    """
    tracks = list(_tracks(rows))
    if condition.perturbation is not None and condition.labels != "keep":
        if condition.labels == "ignore":
            return ()
        runs = [run for track in tracks for run in _changed_runs(clean, rows, track)]
        fooled = [run for run in runs if run.score >= threshold]
        return (Found("fooled", diverse(fooled, count), len(fooled), len(runs)),)
    found = []
    kinds: tuple[tuple[Kind, BoolArray], ...] = (
        ("false alarm", own_negatives(rows)),
        ("miss", rows.label_after == 1),
    )
    for kind, mask in kinds:
        look = _Look(clean, rows, kind, mask, threshold, broken=condition.perturbation is not None)
        found.append(look.found(tracks, count))
    return tuple(found)


def diverse(picks: Sequence[Pick], count: int) -> tuple[Pick, ...]:
    """Return the worst of picks: at most one per track, and a second one of a video only where videos run out.

    Args:
        picks: In any order.
        count: How many.
    """
    ranked = sorted(picks, key=lambda pick: (-pick.badness, pick.key, pick.first))
    of_tracks = list({pick.key: pick for pick in reversed(ranked)}.values())[::-1]
    of_tracks.sort(key=ranked.index)
    videos = {pick.key.video_id: pick for pick in reversed(of_tracks)}
    leading = [pick for pick in of_tracks if videos[pick.key.video_id] is pick]
    others = [pick for pick in of_tracks if videos[pick.key.video_id] is not pick]
    return tuple(sorted([*leading, *others][:count], key=ranked.index))


@dataclass(frozen=True)
class _Look:
    """The search for moments of one kind."""

    clean: Predictions
    rows: Predictions
    kind: Kind
    mask: BoolArray
    threshold: float
    broken: bool

    def found(self, tracks: Sequence[slice], count: int) -> Found:
        """Return the worst moments of all tracks."""
        moments = [(track, starts) for track in tracks if len(starts := self.moments(track))]
        extremes = [pick for track, starts in moments if (pick := self.extreme(track, starts)) is not None]
        wrong = [pick for pick in extremes if self._wrong(pick.score)]
        return Found(self.kind, diverse(wrong or extremes, count), len(wrong), len(moments))

    def moments(self, track: slice) -> NDArray[np.int64]:
        """Return the first row of every moment of a track: rows that all count, without a gap in time."""
        width = _width(self.rows, track)
        mask, times = self.mask[track], self.rows.timestamp_ms[track]
        if len(mask) < width:
            return np.zeros(0, np.int64)
        whole = np.lib.stride_tricks.sliding_window_view(mask, width).all(axis=1)
        if width > 1:
            close = np.diff(times) <= _GAP * _period(times)
            whole &= np.lib.stride_tricks.sliding_window_view(close, width - 1).all(axis=1)
        return np.flatnonzero(whole)

    def extreme(self, track: slice, starts: NDArray[np.int64]) -> Pick | None:
        """Return the worst of a track's moments, the earliest of equal ones; where asked, of those that are broken."""
        width = _width(self.rows, track)
        sign = -1.0 if self.kind == "miss" else 1.0
        now = _means(self.rows, track, width)[starts]
        before = _means(self.clean, track, width)[starts]
        wanted = self._wrong(now) & ~self._wrong(before) if self.broken else np.ones(len(now), np.bool_)
        if not wanted.any():
            return None
        at = int(np.argmax(np.where(wanted, sign * now, -np.inf)))
        first = int(starts[at])
        key = _key(self.rows, track)
        return Pick(self.kind, key, first, first + width, first + width // 2, float(before[at]), float(now[at]))

    def _wrong(self, scores: Any) -> Any:
        return scores < self.threshold if self.kind == "miss" else scores >= self.threshold


def _changed_runs(clean: Predictions, rows: Predictions, track: slice) -> Iterator[Pick]:
    """Yield the changed speaking runs of a track, and the articulating stretches of a dubbed one."""
    # Frames whose sound had to be invented are ignored; they are no part of what is judged.
    judged = rows.changed[track] & (rows.label_after[track] == 0)
    own = own_negatives(rows)[track]
    # Dubbed tracks are ignored but for their own condition, so their lips articulate without a positive label.
    judged &= ~own | (clean.label_after[track] == IGNORE)
    runs = rows.run[track]
    scores, before = (each.score[track].astype(np.float64) for each in (rows, clean))
    for run in np.unique(runs[judged & (runs >= 0)]):
        frames = np.flatnonzero(judged & (runs == run))
        first, stop = int(frames[0]), int(frames[-1]) + 1
        width = min(_width(rows, track), stop - first)
        hottest = int(np.argmax(_means(rows, track, width)[first : stop - width + 1])) + first
        values = float(before[frames].mean()), float(scores[frames].mean())
        yield Pick("fooled", _key(rows, track), first, stop, hottest + width // 2, *values)


def _means(rows: Predictions, track: slice, width: int) -> NDArray[np.float64]:
    scores = rows.score[track].astype(np.float64)
    means: NDArray[np.float64] = np.lib.stride_tricks.sliding_window_view(scores, width).mean(axis=1)
    return means


def _width(rows: Predictions, track: slice) -> int:
    """Return how many frames make up 0.4 s."""
    # Timestamps are rounded, so that ten frames of 40 ms may seem to last a little less.
    return max(1, math.ceil(MIN_RUN_MS / _period(rows.timestamp_ms[track]) - 0.05))


def _period(times: NDArray[np.int64]) -> float:
    """Return the time from one frame to the next in ms, gaps apart."""
    steps = np.diff(times)
    return float(steps[steps <= _GAP * np.median(steps)].mean()) if len(steps) else MIN_RUN_MS / 10


def _tracks(rows: Predictions) -> Iterator[slice]:
    """Yield the rows of each track."""
    fresh = (rows.video_id[1:] != rows.video_id[:-1]) | (rows.entity_id[1:] != rows.entity_id[:-1])
    edges = [0, *(np.flatnonzero(fresh) + 1).tolist(), len(rows)] if len(rows) else []
    for start, stop in pairwise(edges):
        yield slice(start, stop)


def _key(rows: Predictions, track: slice) -> TrackKey:
    return TrackKey(str(rows.video_id[track.start]), str(rows.entity_id[track.start]))
