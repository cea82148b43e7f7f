"""Thresholds that are frozen on the clean run and then used for every condition (docs/method.md, section 6)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from asdbench.errors import UsageError
from asdbench.metrics.inputs import check_rows, require_negatives, require_positives
from asdbench.metrics.ranking import distinct_scores

FIXED_HALF = 0.0
"""Log-odds of probability 0.5."""


def threshold_at_tpr(labels: ArrayLike, scores: ArrayLike, tpr: float = 0.9) -> float:
    """Largest threshold at which the true positive rate is still at least ``tpr``.

    Among the scores of the ``P`` positives, the largest ``t`` with ``#{positives with score >= t} / P >= tpr``.
    The share is compared as the quotient that ``true_positive_rate`` returns, never as ``tpr * P``, which rounding
    can lift above a whole number.

    Args:
        labels: ``[N]`` of 0 and 1; negatives have no influence.
        scores: ``[N]`` finite log-odds.
        tpr: Wanted true positive rate, in (0, 1].

    Returns:
        One of the positive scores.

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1.
        UndefinedMetricError: No rows, or no positive rows.
        UsageError: ``tpr`` is outside (0, 1].

    Source:
        docs/method.md, section 6 (``tpr:0.9``, the headline threshold).

    Example:
        >>> threshold_at_tpr([1, 1, 1, 1, 0], [4.0, 3.0, 2.0, 1.0, 9.0], tpr=0.75)
        2.0
    """
    if not 0 < tpr <= 1:
        raise UsageError(f"the true positive rate to reach must be above 0 and at most 1, not {tpr}.")
    positive, values = check_rows(labels, scores)
    total = require_positives(positive)
    wanted = min(max(math.ceil(tpr * total), 1), total)
    while wanted > 1 and (wanted - 1) / total >= tpr:
        wanted -= 1
    while wanted / total < tpr:
        wanted += 1
    return float(np.partition(values[positive], total - wanted)[total - wanted])


def threshold_at_eer(labels: ArrayLike, scores: ArrayLike) -> float:
    """Threshold of the equal error rate: where false positive and false negative rate are closest.

    Over the distinct scores ``t``, all rows included, the one that minimises ``|FPR(t) - FNR(t)|``, with
    ``FPR(t) = #{negatives with score >= t} / #negatives`` and ``FNR(t) = #{positives with score < t} / #positives``.
    Of several the highest is taken. Differences are compared as whole numbers, so that equal ones count as equal.

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite log-odds.

    Returns:
        One of the scores.

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1.
        UndefinedMetricError: No rows, no positive rows, or no negative rows.

    Source:
        docs/method.md, section 6 (``eer``).

    Example:
        >>> threshold_at_eer([1, 0, 1, 0], [4.0, 3.0, 2.0, 1.0])
        3.0
    """
    positive, values = check_rows(labels, scores)
    positives, negatives = require_positives(positive), require_negatives(positive)
    counts = distinct_scores(positive, values)
    false_alarms = counts.rows - counts.positives
    misses = positives - counts.positives
    gap = np.abs(false_alarms * positives - misses * negatives)
    return float(counts.scores[np.argmin(gap)])  # argmin takes the first: the highest score


def frozen_thresholds(labels: ArrayLike, scores: ArrayLike) -> dict[str, float]:
    """All thresholds that a run freezes on its clean condition, the headline first.

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite log-odds.

    Returns:
        ``"tpr:0.9"`` (``threshold_at_tpr``), ``"eer"`` (``threshold_at_eer``) and ``"fixed:0.5"`` (probability 0.5,
        whatever the scores), in this order.

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1.
        UndefinedMetricError: No rows, no positive rows, or no negative rows.

    Source:
        docs/method.md, section 6.

    Example:
        >>> frozen_thresholds([1, 0, 1, 0], [4.0, 3.0, 2.0, 1.0])
        {'tpr:0.9': 2.0, 'eer': 3.0, 'fixed:0.5': 0.0}
    """
    return {
        "tpr:0.9": threshold_at_tpr(labels, scores, 0.9),
        "eer": threshold_at_eer(labels, scores),
        "fixed:0.5": FIXED_HALF,
    }
