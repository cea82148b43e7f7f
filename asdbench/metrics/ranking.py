"""Rows counted at or above each distinct score: where every rule starts that no order of tied rows may change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asdbench.metrics.inputs import Float64Array
from asdbench.types import BoolArray


@dataclass(frozen=True, eq=False)
class DistinctScores:
    """The ``G`` distinct scores from high to low, with cumulative counts.

    Attributes:
        scores: ``[G]`` float64, strictly decreasing.
        positives: ``[G]`` int64, positive rows with at least that score.
        rows: ``[G]`` int64, rows with at least that score.
    """

    scores: Float64Array
    positives: NDArray[np.int64]
    rows: NDArray[np.int64]


def distinct_scores(positive: BoolArray, scores: Float64Array) -> DistinctScores:
    """Count the rows at or above each distinct score, with one sort.

    Args:
        positive: ``[N]`` bool, ``N`` at least 1.
        scores: ``[N]`` finite float64.

    Example:
        >>> distinct_scores(np.array([True, False, True]), np.array([1.0, 2.0, 1.0])).rows
        array([1, 3])
    """
    order = np.argsort(-scores)  # need not be stable: only sums over whole ties are used
    ordered = scores[order]
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    # int64 by name: the default is 32 bits wide on Windows before numpy 2, and products of counts follow
    positives = np.cumsum(positive[order], dtype=np.int64)[last]
    return DistinctScores(ordered[last], positives, last.astype(np.int64) + 1)
