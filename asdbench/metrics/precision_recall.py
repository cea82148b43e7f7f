"""Precision and recall at every threshold, and curves with fewer points that look the same."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.metrics.inputs import Float64Array, check_rows, require_positives
from asdbench.metrics.ranking import distinct_scores


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
        starts = np.flatnonzero(np.append(True, self.envelope[1:] != self.envelope[:-1]))
        ends = np.append(starts[1:], len(self.envelope)) - 1
        before = np.append(0.0, self.recall[ends[:-1]])
        recall = np.stack([before, self.recall[ends]], axis=1).reshape(-1)
        return recall, np.repeat(self.envelope[starts], 2)


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


def thinned(x: ArrayLike, y: ArrayLike, most: int = 200, tolerance: float = 5e-4) -> ThinnedCurve:
    """Return the points of a curve that matter most: always the one furthest from the lines so far.

    Args:
        x: ``[N]``, never falling. Where it stands still the curve jumps, and y must not come back on the way.
        y: ``[N]``.
        most: Number of points at which it ends.
        tolerance: Distance along y at which it ends.

    Source:
        Douglas and Peucker, Cartographica 1973, with distances along y and the worst piece first.

    Example:
        >>> thinned([0.0, 0.5, 1.0, 1.0], [1.0, 1.0, 1.0, 0.5]).x
        array([0., 1., 1.])
    """
    across, along = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    kept = {0, len(across) - 1}
    heap = [_furthest(across, along, 0, len(across) - 1)]
    while len(kept) < most and -heap[0][0] > tolerance:
        _, first, split, last = heapq.heappop(heap)
        kept.add(split)
        heapq.heappush(heap, _furthest(across, along, first, split))
        heapq.heappush(heap, _furthest(across, along, split, last))
    places: NDArray[np.int64] = np.array(sorted(kept), dtype=np.int64)
    return ThinnedCurve(across[places], along[places], -heap[0][0])


def _furthest(x: Float64Array, y: Float64Array, first: int, last: int) -> tuple[float, int, int, int]:
    """Return minus the largest distance from the line between two points, and where it is."""
    inner = slice(first + 1, last)
    width = x[last] - x[first]
    if last - first < 2 or width == 0:
        return 0.0, first, first, last
    distance = np.abs(y[inner] - (y[first] + (y[last] - y[first]) * ((x[inner] - x[first]) / width)))
    place = int(np.argmax(distance))
    return -float(distance[place]), first, first + 1 + place, last
