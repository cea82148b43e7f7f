"""What is left of a model's confidence once sound and lips no longer belong together.

All functions take rows that were positive and were changed, as two paired arrays: the row's score on clean media and
its score on changed media. A model that ignores synchrony has retention near 1 and a ``sync_auroc`` near 0.5.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from asdbench.errors import UndefinedMetricError
from asdbench.metrics.inputs import check_pairs, check_threshold

MIN_TPR_SAME_ROWS = 0.1
"""Below this share of rows found on clean media, a quotient over it says nothing."""


def retention(clean: ArrayLike, changed: ArrayLike, threshold: float) -> float:
    """Share of the clean detections that survive the change: ``fa_changed / tpr_same_rows``.

    With ``fa_changed = #{changed >= threshold} / N`` and ``tpr_same_rows = #{clean >= threshold} / N``.

    Args:
        clean: ``[N]`` finite log-odds on clean media.
        changed: ``[N]`` finite log-odds of the same rows on changed media.
        threshold: Frozen on the clean run; a score equal to it counts.

    Returns:
        A ratio in [0, 10]: 0 when nothing survives, exactly 1 for equal arrays, above 1 when the change adds
        detections.

    Raises:
        DataError: Wrong shapes, non-finite scores, or a NaN threshold.
        UndefinedMetricError: No rows, or ``tpr_same_rows`` below 0.1.

    Source:
        docs/method.md, section 6.

    Example:
        >>> retention([3.0, 2.0, 1.0, -1.0, 2.0], [3.0, -2.0, 1.0, -1.0, -5.0], 0.0)
        0.5
    """
    before, after = check_pairs(clean, changed)
    limit = check_threshold(threshold)
    found, kept = int(np.count_nonzero(before >= limit)), int(np.count_nonzero(after >= limit))
    if found / len(before) < MIN_TPR_SAME_ROWS:
        raise UndefinedMetricError(
            f"only {found} of {len(before)} rows reach the threshold on clean media; "
            f"retention needs at least {MIN_TPR_SAME_ROWS:.0%} of them."
        )
    return kept / found


def sync_auroc(clean: ArrayLike, changed: ArrayLike) -> float:
    """Pooled AUROC of clean scores against changed scores.

    Over all ``N * N`` pairs of a clean score ``c`` and a changed score ``d``, of the same row or not::

        (#{c > d} + #{c = d} / 2) / (N * N)

    Half pairs are counted as whole numbers, so equal arrays give exactly 0.5.

    Args:
        clean: ``[N]`` finite log-odds on clean media.
        changed: ``[N]`` finite log-odds of the same rows on changed media.

    Returns:
        A share in [0, 1]: 0.5 when the change leaves no mark, 1 when every clean score is above every changed one.

    Raises:
        DataError: Wrong shapes, or non-finite scores.
        UndefinedMetricError: No rows.

    Source:
        docs/method.md, section 6; the Mann-Whitney U statistic, Hanley and McNeil, Radiology 1982.

    Example:
        >>> sync_auroc([2.0, 1.0], [1.0, 0.0])
        0.875
    """
    before, after = check_pairs(clean, changed)
    before.sort()  # own copies: sorted needles walk through the haystack in order, which is several times faster
    after.sort()
    below = np.searchsorted(after, before, side="left").sum(dtype=np.int64)
    not_above = np.searchsorted(after, before, side="right").sum(dtype=np.int64)
    return (int(below) + int(not_above)) / (2 * len(before) ** 2)


def sync_winrate(clean: ArrayLike, changed: ArrayLike) -> float:
    """Share of rows whose score the change lowers: ``(#{clean_i > changed_i} + #{clean_i = changed_i} / 2) / N``.

    Args:
        clean: ``[N]`` finite log-odds on clean media.
        changed: ``[N]`` finite log-odds of the same rows, in the same order, on changed media.

    Returns:
        A share in [0, 1]; exactly 0.5 for equal arrays.

    Raises:
        DataError: Wrong shapes, or non-finite scores.
        UndefinedMetricError: No rows.

    Source:
        docs/method.md, section 6.

    Example:
        >>> sync_winrate([2.0, 1.0, 0.0, 4.0], [1.0, 1.0, 1.0, 0.0])
        0.625
    """
    before, after = check_pairs(clean, changed)
    wins, ties = int(np.count_nonzero(before > after)), int(np.count_nonzero(before == after))
    return (2 * wins + ties) / (2 * len(before))
