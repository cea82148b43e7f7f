"""Metrics as functions of whole-number weights per unit: what makes resampling cheap.

A bootstrap resample draws units (recordings) with replacement, so each unit counts 0, 1, 2, ... times and so do all its
rows. Instead of copying rows, everything is sorted once; a resample is then a weighted cumulative sum. The value is
that of the copied rows: ``RankedRows(...).average_precision(w)`` is ``average_precision_tie_safe`` of rows repeated
``w`` times.

Copies of a row tie, so the order-free rules are the only ones that make sense here.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.errors import UndefinedMetricError, UsageError
from asdbench.metrics.inputs import check_rows, check_units, check_weights, require_positives
from asdbench.metrics.roc import crossing
from asdbench.metrics.thresholds import FIXED_HALF

ApRule = Literal["ava", "ap"]


class RankedRows:
    """Labelled rows, ranked once.

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite.
        units: ``[N]`` int, the unit of each row, 0 to ``count - 1`` (see ``resampling_units``).
        count: Number of units ``C``; those without rows may count too.

    Attributes:
        count: Number of units ``C``.
        unit: ``[N]``, the unit of each row, the highest score first.
        scores: ``[D]``, the distinct scores, the highest first.
        last: ``[D]``, the last row that has each distinct score.
        positive_unit: ``[P]``, the unit of each positive row, the highest score first.
        hits_at: ``[D]``, how many positive rows lie at or above each distinct score.
        scored: Which distinct scores some positive row has.

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1, or a unit outside its range.
        UndefinedMetricError: No rows, or no positive rows.

    Example:
        >>> rows = RankedRows([1, 0, 1], [3.0, 2.0, 1.0], [0, 0, 1], 2)
        >>> round(rows.average_precision([1, 2]), 6)  # as if the last row were there twice: 1/3 * 1 + 2/3 * 3/4
        0.833333
    """

    def __init__(self, labels: ArrayLike, scores: ArrayLike, units: ArrayLike, count: int) -> None:
        positive, values = check_rows(labels, scores)
        require_positives(positive)
        order = np.argsort(-values)
        ranked, values = positive[order], values[order]
        self.count = count
        self.unit = check_units(units, count, len(values))[order]
        last = np.flatnonzero(np.append(values[1:] != values[:-1], True))
        self.scores, self.last = values[last], last
        places = np.flatnonzero(ranked)
        self.positive_unit = self.unit[places]
        self.hits_at = np.searchsorted(places, last, side="right")
        self.scored = np.flatnonzero(np.diff(self.hits_at, prepend=0))

    def average_precision(self, weights: ArrayLike, rule: ApRule = "ava") -> float:
        """AP of the rows, each counted as often as its unit.

        Args:
            weights: ``[C]`` whole numbers, none negative.
            rule: ``ava`` for ``average_precision_tie_safe`` (with envelope), ``ap`` for ``average_precision_step``.

        Raises:
            DataError: Wrong weights.
            UndefinedMetricError: No positive row has a weight.
        """
        weight = check_weights(weights, self.count)
        hits, rows = self._positives(weight), np.cumsum(weight[self.unit])
        hits, rows = hits[self.hits_at[self.scored] - 1], rows[self.last[self.scored]]
        precision = np.divide(hits, rows, out=np.zeros(len(hits)), where=rows > 0)
        if rule == "ava":
            precision = np.maximum.accumulate(precision[::-1])[::-1]
        elif rule != "ap":
            raise UsageError(f"no rule {rule!r} for AP; choose ava or ap.")
        return float(np.dot(np.diff(hits, prepend=0), precision)) / int(hits[-1])

    def base_rate(self, weights: ArrayLike) -> float:
        """Share of positives among the rows, each counted as often as its unit."""
        weight = check_weights(weights, self.count)
        return int(self._positives(weight)[-1]) / int(weight[self.unit].sum())

    def rescaled_ap(self, weights: ArrayLike, rule: ApRule = "ava") -> float:
        """``(AP - base rate) / (1 - base rate)``, both with these weights; undefined without negatives."""
        base = self.base_rate(weights)
        if base == 1:
            raise UndefinedMetricError("no negative rows remain (base rate 1), so every ranking is perfect.")
        return (self.average_precision(weights, rule) - base) / (1 - base)

    def auroc(self, weights: ArrayLike) -> float:
        """Area under the ROC curve, ties 1/2; undefined without negatives."""
        weight = check_weights(weights, self.count)
        hits, rows = self._counts(weight)
        positives, negatives = int(hits[-1]), int(rows[-1] - hits[-1])
        if not negatives:
            raise UndefinedMetricError("no negative rows remain.")
        alarms = rows - hits
        twice_wrong = np.sum(np.diff(hits, prepend=0) * (2 * alarms - np.diff(alarms, prepend=0)))
        return 1 - int(twice_wrong) / (2 * positives * negatives)

    def equal_error_rate(self, weights: ArrayLike) -> float:
        """``equal_error_rate`` by the rule ``root``; undefined without negatives."""
        weight = check_weights(weights, self.count)
        hits, rows = self._counts(weight)
        positives, negatives = int(hits[-1]), int(rows[-1] - hits[-1])
        if not negatives:
            raise UndefinedMetricError("no negative rows remain.")
        here = np.flatnonzero(np.diff(rows, prepend=0))  # a score without weight is no point of the curve
        tpr = np.concatenate([[0.0], hits[here] / positives])
        return crossing(np.concatenate([[0.0], (rows[here] - hits[here]) / negatives]), tpr)

    def threshold(self, weights: ArrayLike, name: str = "tpr:0.9") -> float:
        """Return a threshold frozen on these rows, as ``threshold_at_tpr`` and ``threshold_at_eer`` define it.

        Args:
            weights: ``[C]`` whole numbers, none negative.
            name: ``tpr:R`` with R in (0, 1], ``eer`` or ``fixed:0.5``.

        Raises:
            DataError: Wrong weights.
            UndefinedMetricError: No positive row has a weight, or no negative one where ``eer`` needs it.
            UsageError: No such threshold.
        """
        weight = check_weights(weights, self.count)
        if name == "fixed:0.5":
            return FIXED_HALF
        hits, rows = self._counts(weight)
        positives = int(hits[-1])
        if name == "eer":
            negatives = int(rows[-1]) - positives
            if not negatives:
                raise UndefinedMetricError("no negative rows remain.")
            gap = np.abs((rows - hits) * positives - (positives - hits) * negatives)
            here = np.flatnonzero(np.diff(rows, prepend=0))  # a score without weight is nobody's
            return float(self.scores[here[np.argmin(gap[here])]])
        return float(self.scores[np.searchsorted(hits / positives, wanted_rate(name))])

    def _positives(self, weight: NDArray[np.int64]) -> NDArray[np.int64]:
        hits: NDArray[np.int64] = np.cumsum(weight[self.positive_unit])
        if not hits[-1]:
            raise UndefinedMetricError("no positive rows remain.")
        return hits

    def _counts(self, weight: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positives, and all rows, at or above each distinct score."""
        hits = np.concatenate([[0], self._positives(weight)])[self.hits_at]
        rows: NDArray[np.int64] = np.cumsum(weight[self.unit])
        return hits, rows[self.last]


def wanted_rate(name: str) -> float:
    """Return the rate R of a threshold ``tpr:R``.

    Raises:
        UsageError: Not the name of a threshold.

    Example:
        >>> wanted_rate("tpr:0.9")
        0.9
    """
    kind, _, text = name.partition(":")
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if kind != "tpr" or not 0 < rate <= 1:
        raise UsageError(f"no threshold {name!r}; choose tpr:R with R above 0 and at most 1, eer, or fixed:0.5.")
    return rate
