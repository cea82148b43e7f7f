"""Shares of rows at or above a threshold."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from asdbench.metrics.inputs import (
    Float64Array,
    check_rows,
    check_scores,
    check_threshold,
    require_negatives,
    require_positives,
    require_rows,
)


def positive_share(scores: ArrayLike, threshold: float) -> float:
    """Share of rows called positive: ``#{score >= threshold} / N``.

    On changed rows that were positive this is ``fa_changed``; on the same rows with clean media, ``tpr_same_rows``.

    Args:
        scores: ``[N]`` finite log-odds.
        threshold: On the scale of the scores; a score equal to it counts.

    Returns:
        A share in [0, 1].

    Raises:
        DataError: Wrong shape, non-finite scores, or a NaN threshold.
        UndefinedMetricError: No rows.

    Source:
        docs/method.md, section 6.

    Example:
        >>> positive_share([2.0, 1.0, 0.0, -1.0], 0.0)
        0.75
    """
    values = check_scores(scores)
    require_rows(len(values))
    return _share(values, threshold)


def true_positive_rate(labels: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """Share of positive rows called positive: ``#{label 1 and score >= threshold} / #{label 1}``.

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite log-odds.
        threshold: On the scale of the scores; a score equal to it counts.

    Returns:
        A rate in [0, 1].

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1, or a NaN threshold.
        UndefinedMetricError: No rows, or no positive rows.

    Source:
        docs/method.md, section 6.

    Example:
        >>> true_positive_rate([1, 1, 0], [2.0, -1.0, 3.0], 0.0)
        0.5
    """
    positive, values = check_rows(labels, scores)
    require_positives(positive)
    return _share(values[positive], threshold)


def false_positive_rate(labels: ArrayLike, scores: ArrayLike, threshold: float) -> float:
    """Share of negative rows called positive: ``#{label 0 and score >= threshold} / #{label 0}``.

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite log-odds.
        threshold: On the scale of the scores; a score equal to it counts.

    Returns:
        A rate in [0, 1].

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1, or a NaN threshold.
        UndefinedMetricError: No rows, or no negative rows.

    Source:
        docs/method.md, section 6.

    Example:
        >>> false_positive_rate([1, 0, 0, 0], [2.0, -1.0, 3.0, -2.0], 3.0)
        0.3333333333333333
    """
    positive, values = check_rows(labels, scores)
    require_negatives(positive)
    return _share(values[~positive], threshold)


def _share(values: Float64Array, threshold: float) -> float:
    return int(np.count_nonzero(values >= check_threshold(threshold))) / len(values)
