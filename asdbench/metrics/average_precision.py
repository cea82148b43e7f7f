"""Average precision as the AVA-ActiveSpeaker scorer computes it, and what tied scores can do to it.

The official number sorts rows by score with one point per row, so rows with equal scores count in whatever order the
sort leaves them: 100 equal scores can give any AP from the base rate to 1. Hence three companions that no row order
changes: the bounds over all orders, the tie-safe value (the lower bound), and the share of rows in ties.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from asdbench.metrics.inputs import Float64Array, check_rows, check_scores, require_positives, require_rows
from asdbench.metrics.ranking import distinct_scores


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Official AVA AP: one point per row, interpolated precision, ties kept in the given row order.

    With the rows sorted by score, high to low, and ``r_k`` the rank of the k-th of ``P`` positives::

        AP = 1/P * sum_k max_{j >= k} j / r_j

    that is, the area under the precision-recall points of all rows after each precision is replaced by the largest
    at the same or a higher recall (the VOC envelope). The official scorer sorts with numpy's default, unstable
    sort; here the sort is stable, so the value is a function of the rows and their order.

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite; higher means more likely positive.

    Returns:
        AP in (0, 1]; 1 when every row is positive.

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1.
        UndefinedMetricError: No rows, or no positive rows.

    Source:
        ActivityNet, ``Evaluation/get_ava_active_speaker_performance.py``; Roth et al., AVA-ActiveSpeaker, ICASSP 2020.

    Example:
        >>> round(average_precision([1, 0, 1], [0.9, 0.6, 0.4]), 4)
        0.8333
    """
    positive, values = check_rows(labels, scores)
    require_positives(positive)
    ranks = np.flatnonzero(positive[np.argsort(-values, kind="stable")]) + 1
    # precision only falls on a negative, so the largest one at or after any rank is found at a positive
    return _mean_envelope(np.arange(1, len(ranks) + 1) / ranks)


def average_precision_tie_bounds(labels: ArrayLike, scores: ArrayLike) -> tuple[float, float]:
    """Smallest and largest official AP over all orders of the rows that share a score.

    Worst: in each tie the negatives come first. Best: the positives do. Without ties both equal
    ``average_precision`` to the last bit, and ``worst <= average_precision <= best`` always holds exactly.

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite; higher means more likely positive.

    Returns:
        (worst, best), each in (0, 1].

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1.
        UndefinedMetricError: No rows, or no positive rows.

    Source:
        Follows from the official rule, see ``average_precision``.

    Example:
        >>> average_precision_tie_bounds([1, 0, 1, 0], [3.0, 3.0, 3.0, 3.0])
        (0.5, 1.0)
    """
    positive, values = check_rows(labels, scores)
    require_positives(positive)
    counts = distinct_scores(positive, values)
    here = np.diff(counts.positives, prepend=0)
    # a score without positives adds no term, and its precision is below that of the score before it
    some = here > 0
    here, hits, rows = here[some], counts.positives[some], counts.rows[some]
    before = (counts.rows - np.diff(counts.rows, prepend=0))[some]
    # One term per positive, as in average_precision: equally many terms summed in the same order keep the
    # inequality between the three values exact, and rounding cannot turn it round.
    worst = _mean_envelope(np.repeat(hits / rows, here))
    best = _mean_envelope(np.repeat(hits / (before + here), here))
    return worst, best


def average_precision_tie_safe(labels: ArrayLike, scores: ArrayLike) -> float:
    """AP with one point per distinct score, then the envelope: independent of the order of rows.

    Over the ``G`` distinct scores ``t_1 > ... > t_G``, with ``P_g`` positives and ``N_g`` rows at or above ``t_g``::

        AP = sum_g (P_g - P_{g-1}) / P * max_{h >= g} P_h / N_h

    It equals the worst bound of ``average_precision_tie_bounds``. Equal scores for all rows give the base rate.

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite; higher means more likely positive.

    Returns:
        AP in (0, 1].

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1.
        UndefinedMetricError: No rows, or no positive rows.

    Source:
        The official rule (see ``average_precision``) with the grouping of scikit-learn's ``precision_recall_curve``.

    Example:
        >>> average_precision_tie_safe([1, 0, 0, 0], [0.0, 0.0, 0.0, 0.0])
        0.25
    """
    return average_precision_tie_bounds(labels, scores)[0]


def average_precision_step(labels: ArrayLike, scores: ArrayLike) -> float:
    """AP as scikit-learn defines it: one point per distinct score, no envelope.

    Over the ``G`` distinct scores ``t_1 > ... > t_G``, with ``P_g`` positives and ``N_g`` rows at or above ``t_g``::

        AP = sum_g (P_g - P_{g-1}) / P * P_g / N_g

    It differs from ``average_precision_tie_safe`` by the envelope alone, so it is never above it, and like it does not
    depend on the order of rows.

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite; higher means more likely positive.

    Returns:
        AP in (0, 1]; the base rate where all scores are equal.

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1.
        UndefinedMetricError: No rows, or no positive rows.

    Source:
        scikit-learn, ``sklearn.metrics.average_precision_score``, user guide section 3.4.4.

    Example:
        >>> round(average_precision_step([0, 1, 1], [3.0, 2.0, 1.0]), 4)
        0.5833
    """
    positive, values = check_rows(labels, scores)
    total = require_positives(positive)
    counts = distinct_scores(positive, values)
    here = np.diff(counts.positives, prepend=0)
    return float(np.sum(here * (counts.positives / counts.rows)) / total)


def is_constant(scores: ArrayLike) -> bool:
    """Tell whether all rows have one score, so that every ranking metric only tells the order of the rows.

    Args:
        scores: ``[N]`` finite.

    Returns:
        True where there is one distinct score; also for a single row.

    Raises:
        DataError: Wrong shape, or non-finite scores.
        UndefinedMetricError: No rows.

    Source:
        Own definition: the official AVA scorer gives such rows anything from the base rate to 1.

    Example:
        >>> is_constant([0.5, 0.5])
        True
    """
    values = check_scores(scores)
    require_rows(len(values))
    return bool(np.all(values == values[0]))


def tied_share(scores: ArrayLike) -> float:
    """Share of rows whose score at least one other row has too.

    Args:
        scores: ``[N]`` finite.

    Returns:
        Number of such rows / ``N``, in [0, 1].

    Raises:
        DataError: Wrong shape, or non-finite scores.
        UndefinedMetricError: No rows.

    Source:
        Own definition; it tells how far the official AP may depend on the order of rows.

    Example:
        >>> tied_share([0.5, 0.5, 0.1, 0.9])
        0.5
    """
    values = np.sort(check_scores(scores))
    require_rows(len(values))
    same = values[1:] == values[:-1]
    tied = np.append(same, False) | np.append(False, same)
    return int(np.count_nonzero(tied)) / len(values)


def _mean_envelope(precision: Float64Array) -> float:
    return float(np.maximum.accumulate(precision[::-1])[::-1].mean())
