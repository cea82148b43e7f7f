"""Figures at a threshold that is found anew in each resample: ready statistics for ``bootstrap.replicate``.

The threshold belongs to the clean rows and the figure to those of a condition; both follow the same weights, so the
interval holds the uncertainty of the threshold too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asdbench.metrics.bootstrap import Statistic
from asdbench.metrics.counted import CountedRows, PairedRows
from asdbench.metrics.inputs import require_rows
from asdbench.metrics.weighted import RankedRows

HEADLINE = "tpr:0.9"


def share_at(clean: RankedRows, rows: CountedRows, threshold: str = HEADLINE) -> Statistic:
    """Share of rows at or above the threshold: TPR, FPR, ``fa_changed`` or ``tpr_same_rows``, by the rows given.

    Args:
        clean: All clean rows, on which the threshold is frozen.
        rows: The rows that are counted, with the same units.
        threshold: ``tpr:R``, ``eer`` or ``fixed:0.5``.

    Returns:
        A function of ``[C]`` weights.

    Raises:
        UsageError: When called, if there is no such threshold.

    Source:
        docs/method.md, section 6.

    Example:
        >>> clean = RankedRows([1, 0], [2.0, 1.0], [0, 1], 2)
        >>> share_at(clean, CountedRows([3.0, 0.0], [0, 1], 2))([1, 1])
        0.5
    """
    return lambda weights: rows.share(weights, clean.threshold(weights, threshold))


def retention_at(clean: RankedRows, rows: PairedRows, threshold: str = HEADLINE) -> Statistic:
    """Return the retention of paired rows at the threshold.

    Args:
        clean: All clean rows, on which the threshold is frozen.
        rows: The paired rows, with the same units.
        threshold: ``tpr:R``, ``eer`` or ``fixed:0.5``.

    Returns:
        A function of ``[C]`` weights.

    Raises:
        UndefinedMetricError: When called, if fewer than a tenth of the rows reach the threshold on clean media.

    Source:
        docs/method.md, section 6.

    Example:
        >>> clean = RankedRows([1, 0], [2.0, 1.0], [0, 1], 2)
        >>> retention_at(clean, PairedRows([3.0, 2.0], [3.0, 0.0], [0, 1], 2))([1, 1])
        0.5
    """
    return lambda weights: rows.retention(weights, clean.threshold(weights, threshold))


def balanced_accuracy_at(
    clean: RankedRows, positives: CountedRows, negatives: CountedRows, threshold: str = HEADLINE
) -> Statistic:
    """Return the balanced accuracy of a condition at the threshold.

    Args:
        clean: All clean rows, on which the threshold is frozen.
        positives: The condition's positive rows.
        negatives: The condition's negative rows.
        threshold: ``tpr:R``, ``eer`` or ``fixed:0.5``.

    Returns:
        A function of ``[C]`` weights; ``2 x - 1`` of it is the second v of modality reliance.

    Raises:
        UndefinedMetricError: When called, if one of the classes has no rows.

    Source:
        docs/method.md, sections 6 and 7.

    Example:
        >>> clean = RankedRows([1, 0], [2.0, 1.0], [0, 1], 2)
        >>> balanced_accuracy_at(clean, CountedRows([3.0], [0], 2), CountedRows([0.0], [1], 2))([1, 1])
        1.0
    """

    def statistic(weights: NDArray[np.int64]) -> float:
        limit = clean.threshold(weights, threshold)
        return (positives.share(weights, limit) + 1 - negatives.share(weights, limit)) / 2

    return statistic


def gap_between(first: CountedRows, first_threshold: float, second: CountedRows, second_threshold: float) -> Statistic:
    """Difference of two shares on the same rows at two fixed thresholds: the TPR gap of a dubbing suspect.

    Resampled over blocks of one video, it gives the interval of the video's gap, and through ``RobustScale.z`` of its
    z.

    Args:
        first: The model's scores of the video's positive rows.
        first_threshold: Its threshold.
        second: The scores of the same rows by the model that only sees.
        second_threshold: Its threshold.

    Returns:
        A function of ``[C]`` weights.

    Raises:
        UndefinedMetricError: When called, if no row has a weight.

    Source:
        docs/method.md, section 9.

    Example:
        >>> gap_between(CountedRows([1.0, -1.0], [0, 1], 2), 0.0, CountedRows([1.0, 1.0], [0, 1], 2), 0.0)([1, 1])
        -0.5
    """
    found = first.at_least(first_threshold) - second.at_least(second_threshold)

    def statistic(weights: NDArray[np.int64]) -> float:
        total = int(weights @ first.rows)
        require_rows(total)
        return int(weights @ found) / total

    return statistic
