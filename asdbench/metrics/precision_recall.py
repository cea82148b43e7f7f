"""Precision and recall at every threshold, and curves with fewer points that look the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.metrics.inputs import Float64Array, check_rows, require_positives
from asdbench.metrics.ranking import distinct_scores

_WINDOW = 256
"""Points that a line looks ahead at first."""


@dataclass(frozen=True, eq=False)
class PrecisionRecall:
    """One point per distinct score, from the highest on; rows at or above it are called positive.

    Attributes:
        score: ``[G]``, strictly decreasing.
        recall: ``[G]``, share of the positives that are called so; never falls.
        precision: ``[G]``, share of positives among what is called so.
        envelope: ``[G]``, the highest precision at the same or a higher recall; never rises.
    """

    score: Float64Array
    recall: Float64Array
    precision: Float64Array
    envelope: Float64Array

    @property
    def staircase(self) -> tuple[Float64Array, Float64Array]:
        """Recall and precision of the corners of the envelope, whose area is ``average_precision_tie_safe``."""
        found = np.diff(self.recall, prepend=0.0) > 0  # a score without positives moves nothing along
        recall, level = self.recall[found], self.envelope[found]
        ends = np.flatnonzero(np.append(level[1:] != level[:-1], True))
        before = np.append(0.0, recall[ends[:-1]])
        corners: Float64Array = np.stack([before, recall[ends]], axis=1).reshape(-1)
        return corners, np.repeat(level[ends], 2)


@dataclass(frozen=True, eq=False)
class ThinnedCurve:
    """Points of a curve, to be joined by straight lines.

    Attributes:
        x: ``[K]``, never falling.
        y: ``[K]``.
        error: How far the lines are from the curve at most, along y.
    """

    x: Float64Array
    y: Float64Array
    error: float


def precision_recall(labels: ArrayLike, scores: ArrayLike) -> PrecisionRecall:
    """Return precision and recall at each distinct score, which no order of tied rows changes.

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite; higher means more likely positive.

    Returns:
        ``G`` points, one per distinct score.

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1.
        UndefinedMetricError: No rows, or no positive rows.

    Source:
        Everingham et al., The Pascal Visual Object Classes Challenge, IJCV 2010, for the envelope.

    Example:
        >>> precision_recall([1, 0, 1], [3.0, 2.0, 1.0]).envelope.round(3)
        array([1.   , 0.667, 0.667])
    """
    positive, values = check_rows(labels, scores)
    total = require_positives(positive)
    counts = distinct_scores(positive, values)
    precision = counts.positives / counts.rows
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return PrecisionRecall(counts.scores, counts.positives / total, precision, envelope)


def thinned(x: ArrayLike, y: ArrayLike, most: int = 300, tolerance: float = 9e-4) -> ThinnedCurve:
    """Return few points of a curve such that lines through them hardly differ from it.

    From each point the line goes on to the furthest one at which it is still within the tolerance of all that it
    passes. Where that takes too many points the tolerance is widened until it does not.

    Args:
        x: ``[N]``, never falling. Where it stands still the curve jumps, and y must not come back on the way.
        y: ``[N]``.
        most: Number of points.
        tolerance: Distance along y.

    Source:
        Imai and Iri, Computational Morphology, 1988, for lines within a corridor.

    Example:
        >>> thinned([0.0, 0.5, 1.0, 1.0], [1.0, 1.0, 1.0, 0.5]).x
        array([0., 1., 1.])
    """
    across, along = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    places = _places(across, along, tolerance)
    while len(places) > max(most, 2):
        tolerance *= 1.2
        places = _places(across, along, tolerance)
    return ThinnedCurve(across[places], along[places], _error(across, along, places))


def _places(x: Float64Array, y: Float64Array, tolerance: float) -> NDArray[np.int64]:
    places = [0]
    while places[-1] < len(x) - 1:
        window = _WINDOW
        reached, whole = _reach(x, y, places[-1], window, tolerance)
        while whole and places[-1] + window < len(x) - 1:  # the line may go on
            window *= 4
            reached, whole = _reach(x, y, places[-1], window, tolerance)
        places.append(reached)
    return np.array(places, dtype=np.int64)


def _reach(x: Float64Array, y: Float64Array, first: int, window: int, tolerance: float) -> tuple[int, bool]:
    """Return how far a line from a point gets within a window, and whether nothing in it stops the line."""
    later = slice(first + 1, first + 1 + window)
    width, rise = x[later] - x[first], y[later] - y[first]
    level = int(np.searchsorted(width, 0.0, side="right"))  # so many points lie straight below or above
    steepness = rise[level:] / width[level:]
    room = tolerance / width[level:]
    lowest, highest = np.maximum.accumulate(steepness - room), np.minimum.accumulate(steepness + room)
    jump = level and float(np.max(np.abs(rise[:level]))) > tolerance
    open_ = lowest <= highest
    if jump or not len(steepness):
        return first + level, not jump
    stop = len(open_) if open_.all() else int(np.argmin(open_))
    # A point can end the line if the line to it keeps within the room of all points before.
    before_low, before_high = np.append(-np.inf, lowest[:-1]), np.append(np.inf, highest[:-1])
    ends = np.flatnonzero((steepness >= before_low)[:stop] & (steepness <= before_high)[:stop])
    return first + 1 + level + int(ends[-1]), stop == len(open_)


def _error(x: Float64Array, y: Float64Array, places: NDArray[np.int64]) -> float:
    """Return how far points are at most from the line between the kept ones on either side."""
    after = np.clip(np.searchsorted(places, np.arange(len(x))), 1, max(len(places) - 1, 1))
    left, right = places[after - 1], places[np.minimum(after, len(places) - 1)]
    width = x[right] - x[left]
    part = np.divide(x - x[left], width, out=np.zeros_like(x), where=width > 0)
    distance = np.abs(y - (y[left] + part * (y[right] - y[left])))
    return float(np.max(distance[width > 0], initial=0.0))
