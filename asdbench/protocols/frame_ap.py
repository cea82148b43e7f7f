"""AP over scored rows, always by both rules and with what ties could do to it.

Two numbers go by the name "mAP" for the same rows: the official AVA scorer's (with the envelope of the VOC challenge)
and scikit-learn's (without). Both are given here, each under its protocol's name, so that no table can mix them unseen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from asdbench.errors import UndefinedMetricError
from asdbench.metrics.inputs import check_rows, require_positives


@dataclass(frozen=True)
class FrameAp:
    """AP of rows by both rules.

    Attributes:
        protocol: Name of the rule whose rows these are: ``ava``, ``ego4d-ava``, ``wasd``, ...
        ava: Official AVA AP, ties grouped: one point per distinct score, then the envelope. No order of rows changes
            it, and it is the lowest that the official rule gives for any order. Without ties it is the official number.
        ava_best: The highest that the official rule gives for any order of tied rows.
        ap: AP as scikit-learn defines it: one point per distinct score, no envelope.
        tied_share: Share of rows whose score another row shares.
        constant: Whether all rows have one score, so that no ranking was done at all.
        rows: Rows scored.
        positives: Positive rows among them.
    """

    protocol: str
    ava: float
    ava_best: float
    ap: float
    tied_share: float
    constant: bool
    rows: int
    positives: int

    @property
    def base_rate(self) -> float:
        """Share of positives: the AP of a constant score."""
        return self.positives / self.rows


def frame_ap(labels: ArrayLike, scores: ArrayLike, protocol: str = "ava") -> FrameAp:
    """Compute AP by both rules from one sort.

    The values equal ``average_precision_tie_bounds``, ``average_precision_step`` and ``tied_share`` of
    ``asdbench.metrics``, where the formulas stand.

    Args:
        labels: ``[N]``, 1 for speaking and audible, 0 for everything else.
        scores: ``[N]`` finite; higher means more likely speaking.
        protocol: Name of the rule whose rows these are.

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1.
        UndefinedMetricError: No rows, or no positive rows.

    Source:
        ActivityNet, ``Evaluation/get_ava_active_speaker_performance.py``; scikit-learn, ``average_precision_score``.

    Example:
        >>> frame_ap([0, 1, 1], [3.0, 2.0, 1.0]).ava, round(frame_ap([0, 1, 1], [3.0, 2.0, 1.0]).ap, 4)
        (0.6666666666666666, 0.5833)
    """
    positive, values = check_rows(labels, scores)
    total = require_positives(positive)
    order = np.argsort(values)[::-1]  # need not be stable: only whole ties are used
    ordered = values[order]
    ranks = np.flatnonzero(positive[order])
    new_score = ordered[1:] != ordered[:-1]
    tied_rows = 0
    if new_score.all():
        here, hits, above, before = np.ones(total), np.arange(1, total + 1), ranks + 1, ranks
    else:
        last = np.flatnonzero(np.append(new_score, True))
        rows_in = np.diff(last, prepend=-1)
        tied_rows = int(rows_in[rows_in > 1].sum())
        hits = np.searchsorted(ranks, last, side="right")
        here = np.diff(hits, prepend=0)
        some = here > 0  # a score without positives adds no term, and its precision is below that of the score before
        here, hits, above = here[some], hits[some], last[some] + 1
        before = above - rows_in[some]
    points = hits / above
    worst = np.maximum.accumulate(points[::-1])[::-1]
    best_points = hits / (before + here)
    best = np.maximum.accumulate(best_points[::-1])[::-1]
    return FrameAp(
        protocol=protocol,
        ava=float(np.sum(here * worst)) / total,
        ava_best=float(np.sum(here * best)) / total,
        ap=float(np.sum(here * points)) / total,
        tied_share=tied_rows / len(values),
        constant=not new_score.any(),
        rows=len(values),
        positives=total,
    )


def frame_ap_or_reason(labels: ArrayLike, scores: ArrayLike, protocol: str) -> FrameAp | dict[str, str]:
    """Return ``frame_ap``, or ``{"undefined": reason}`` where these rows have no AP.

    Raises:
        DataError: As ``frame_ap``.

    Example:
        >>> frame_ap_or_reason([0], [1.0], "wasd")
        {'undefined': 'no positive rows remain.'}
    """
    try:
        return frame_ap(labels, scores, protocol)
    except UndefinedMetricError as error:
        return {"undefined": str(error)}
