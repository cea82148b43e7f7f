"""The ROC curve and two figures of it: its area, and the error rate at which both kinds of error are equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.errors import UsageError
from asdbench.metrics.inputs import Float64Array, check_rows, require_negatives, require_positives
from asdbench.metrics.ranking import distinct_scores

EerRule = Literal["root", "nearest-max", "nearest-mean", "nearest-max-of-corners"]


@dataclass(frozen=True, eq=False)
class RocCurve:
    """Points from (0, 0) to (1, 1), one per distinct score, threshold falling.

    Attributes:
        fpr: ``[G + 1]`` false positive rates.
        tpr: ``[G + 1]`` true positive rates.
    """

    fpr: Float64Array
    tpr: Float64Array


def auroc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve: the share of (positive, negative) pairs in the right order, ties 1/2.

    Counted in whole half pairs, so a constant score gives exactly 0.5.

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite; higher means more likely positive.

    Returns:
        A share in [0, 1].

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1.
        UndefinedMetricError: No rows, no positive rows, or no negative rows.

    Source:
        The Mann-Whitney U statistic; Hanley and McNeil, Radiology 1982.

    Example:
        >>> auroc([1, 0, 1, 0], [3.0, 2.0, 2.0, 1.0])
        0.875
    """
    positive, values = check_rows(labels, scores)
    positives, negatives = require_positives(positive), require_negatives(positive)
    counts = distinct_scores(positive, values)
    here = np.diff(counts.positives, prepend=0)
    above = counts.rows - counts.positives  # negatives at or above each score
    twice_wrong = np.sum(here * (2 * above - np.diff(above, prepend=0)))
    return 1 - int(twice_wrong) / (2 * positives * negatives)


def roc_curve(labels: ArrayLike, scores: ArrayLike) -> RocCurve:
    """Return the ROC curve with one point per distinct score, none left out.

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite; higher means more likely positive.

    Returns:
        The curve, both rates rising from 0 to 1.

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1.
        UndefinedMetricError: No rows, no positive rows, or no negative rows.

    Source:
        scikit-learn, ``sklearn.metrics.roc_curve`` with ``drop_intermediate=False``.

    Example:
        >>> roc_curve([1, 0], [2.0, 1.0]).tpr
        array([0., 1., 1.])
    """
    positive, values = check_rows(labels, scores)
    positives, negatives = require_positives(positive), require_negatives(positive)
    counts = distinct_scores(positive, values)
    hits = np.concatenate([[0], counts.positives])
    alarms = np.concatenate([[0], counts.rows - counts.positives])
    return RocCurve(alarms / negatives, hits / positives)


def equal_error_rate(labels: ArrayLike, scores: ArrayLike, rule: EerRule = "root") -> float:
    """Rate at which misses and false alarms are equally frequent.

    The curve rarely has a point where they are, and papers differ in what they do then:

    - ``root``: where straight lines between the points cross ``fpr = 1 - tpr``;
    - ``nearest-max``: the point with the smallest ``|fpr - fnr|`` (the first from above), the larger of its two rates;
    - ``nearest-mean``: the same point, the mean of its two rates;
    - ``nearest-max-of-corners``: as ``nearest-max``, on a curve without the points that lie on a straight line between
      their neighbours, which is what scikit-learn's ``roc_curve`` returns unless told otherwise.

    On scores of one decimal they differ by points (22.9 % against 20.2 % in one of our test cases).

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite; higher means more likely positive.
        rule: One of the four.

    Returns:
        A rate in [0, 1].

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1.
        UndefinedMetricError: No rows, no positive rows, or no negative rows.
        UsageError: No such rule.

    Source:
        ``root`` is what the authors of TS-TalkNet use for ASW (a root finder on the interpolated curve).

    Example:
        >>> equal_error_rate([1, 0, 1, 0], [4.0, 3.0, 2.0, 1.0])
        0.5
    """
    if rule not in ("root", "nearest-max", "nearest-mean", "nearest-max-of-corners"):
        raise UsageError(f"no rule {rule!r} for the equal error rate; choose root, nearest-max or nearest-mean.")
    curve = roc_curve(labels, scores)
    if rule == "root":
        return crossing(curve.fpr, curve.tpr)
    fpr, fnr = curve.fpr, 1 - curve.tpr
    if rule == "nearest-max-of-corners":
        kept = _corners(curve)
        fpr, fnr = fpr[kept], fnr[kept]
    at = int(np.argmin(np.abs(fpr - fnr)))
    return float(max(fpr[at], fnr[at]) if rule != "nearest-mean" else (fpr[at] + fnr[at]) / 2)


def crossing(fpr: Float64Array, tpr: Float64Array) -> float:
    """Return where straight lines between the points of a ROC curve cross ``fpr = 1 - tpr``.

    Args:
        fpr: ``[G + 1]`` false positive rates, rising from 0 to 1.
        tpr: ``[G + 1]`` true positive rates, of which at least one of both rises at each step.

    Returns:
        The false positive rate there.

    Raises:
        Nothing.

    Source:
        As ``equal_error_rate``, rule ``root``.

    Example:
        >>> crossing(np.array([0.0, 0.0, 1.0]), np.array([0.0, 0.5, 1.0]))
        0.3333333333333333
    """
    gap = fpr + tpr - 1  # rises strictly from -1 to 1: each point moves at least one of the two
    after = int(np.searchsorted(gap, 0))
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(fpr[after - 1] + share * (fpr[after] - fpr[after - 1]))


def _corners(curve: RocCurve) -> NDArray[np.bool_]:
    if len(curve.fpr) <= 3:
        return np.ones(len(curve.fpr), dtype=np.bool_)
    # Rates are multiples of 1 / class size: differences of rounded quotients would call equal steps unequal, so the
    # steps are compared with a tolerance far below any real difference.
    turns = (np.abs(np.diff(curve.fpr, 2)) > 1e-12) | (np.abs(np.diff(curve.tpr, 2)) > 1e-12)
    kept: NDArray[np.bool_] = np.concatenate([[True], turns, [True]])
    # the starting point (0, 0) is added after the dropping, and the first real point always stays
    kept[1] = True
    return kept
