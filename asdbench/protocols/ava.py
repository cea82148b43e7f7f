"""The AVA-ActiveSpeaker rule: one AP over the rows of all videos, pooled.

"mAP" in the field's tables is this number: there is one class, ``SPEAKING_AUDIBLE``, and no mean over videos or face
tracks. Every other label (``NOT_SPEAKING``, ``SPEAKING_NOT_AUDIBLE``, none) is a negative that stays in the ranking.

Source: ActivityNet, ``Evaluation/get_ava_active_speaker_performance.py``; Roth et al., AVA-ActiveSpeaker, ICASSP 2020.
"""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from asdbench.metrics import average_precision, average_precision_tie_bounds, tied_share
from asdbench.metrics.inputs import check_rows, require_positives


@dataclass(frozen=True)
class ApResult:
    """AP of a set of rows, and how far ties could move it.

    Attributes:
        ap: Official AP, ties in the order of the rows.
        ap_tie_safe: AP that no order of rows changes; also the lowest that any order gives.
        ap_best: Highest AP that any order of tied rows gives.
        tied_share: Share of rows whose score another row shares.
        rows: Rows scored.
        positives: Positive rows among them.
    """

    ap: float
    ap_tie_safe: float
    ap_best: float
    tied_share: float
    rows: int
    positives: int


def score_rows(labels: ArrayLike, scores: ArrayLike) -> ApResult:
    """Score joined rows by the AVA-ActiveSpeaker rule.

    Rows sorted by score, high to low, one precision-recall point per row; each precision replaced by the largest at
    the same or a higher recall; AP is the area under these points. The official scorer leaves the order of tied rows
    to numpy's unstable sort, so with ties its value differs between machines, within [``ap_tie_safe``, ``ap_best``].
    Here ties keep the order given: pass the rows in the order of the ground truth, as the official join does.

    Args:
        labels: ``[N]``, 1 for ``SPEAKING_AUDIBLE``, 0 for everything else.
        scores: ``[N]`` finite; higher means more likely speaking.

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1.
        UndefinedMetricError: No rows, or no positive rows (the official scorer prints NaN or fails).

    Source:
        ActivityNet, ``Evaluation/get_ava_active_speaker_performance.py``; Roth et al., AVA-ActiveSpeaker, ICASSP 2020.

    Example:
        >>> score_rows([1, 1, 0], [1.0, 1.0, 1.0])
        ApResult(ap=1.0, ap_tie_safe=0.6666666666666666, ap_best=1.0, tied_share=1.0, rows=3, positives=2)
    """
    positive, values = check_rows(labels, scores)
    worst, best = average_precision_tie_bounds(positive, values)
    return ApResult(
        ap=average_precision(positive, values),
        ap_tie_safe=worst,
        ap_best=best,
        tied_share=tied_share(values),
        rows=len(values),
        positives=require_positives(positive),
    )
