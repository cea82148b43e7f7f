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

from asdbench.errors import DataError, UndefinedMetricError, UsageError
from asdbench.metrics.inputs import (
    check_pairs,
    check_rows,
    check_scores,
    check_threshold,
    require_positives,
    require_rows,
)
from asdbench.metrics.synchrony import MIN_TPR_SAME_ROWS
from asdbench.metrics.thresholds import FIXED_HALF

ApRule = Literal["ava", "ap"]


class RankedRows:
    """Labelled rows, ranked once.

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite.
        units: ``[N]`` int, the unit of each row, 0 to ``count - 1`` (see ``resampling_units``).
        count: Number of units ``C``; those without rows may count too.

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
        self._unit = _check_units(units, count, len(values))[order]
        last = np.flatnonzero(np.append(values[1:] != values[:-1], True))
        self._scores, self._last = values[last], last
        places = np.flatnonzero(ranked)
        self._positive_unit = self._unit[places]
        self._hits_at = np.searchsorted(places, last, side="right")  # positives at or above each distinct score
        self._with = np.flatnonzero(np.diff(self._hits_at, prepend=0))  # distinct scores that some positive has

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
        hits, rows = self._positives(weight), np.cumsum(weight[self._unit])
        hits, rows = hits[self._hits_at[self._with] - 1], rows[self._last[self._with]]
        precision = np.divide(hits, rows, out=np.zeros(len(hits)), where=rows > 0)
        if rule == "ava":
            precision = np.maximum.accumulate(precision[::-1])[::-1]
        elif rule != "ap":
            raise UsageError(f"no rule {rule!r} for AP; choose ava or ap.")
        return float(np.dot(np.diff(hits, prepend=0), precision)) / int(hits[-1])

    def base_rate(self, weights: ArrayLike) -> float:
        """Share of positives among the rows, each counted as often as its unit."""
        weight = check_weights(weights, self.count)
        return int(self._positives(weight)[-1]) / int(weight[self._unit].sum())

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
            return float(self._scores[here[np.argmin(gap[here])]])
        return float(self._scores[np.searchsorted(hits / positives, _wanted_rate(name))])

    def _positives(self, weight: NDArray[np.int64]) -> NDArray[np.int64]:
        hits: NDArray[np.int64] = np.cumsum(weight[self._positive_unit])
        if not hits[-1]:
            raise UndefinedMetricError("no positive rows remain.")
        return hits

    def _counts(self, weight: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positives, and all rows, at or above each distinct score."""
        hits = np.concatenate([[0], self._positives(weight)])[self._hits_at]
        rows: NDArray[np.int64] = np.cumsum(weight[self._unit])
        return hits, rows[self._last]


class CountedRows:
    """Rows of which only the share above a threshold matters, counted per unit.

    Args:
        scores: ``[N]`` finite.
        units: ``[N]`` int, the unit of each row, 0 to ``count - 1``.
        count: Number of units ``C``.

    Raises:
        DataError: Wrong shapes, non-finite scores, or a unit outside its range.
        UndefinedMetricError: No rows.

    Example:
        >>> CountedRows([2.0, 0.0, 1.0], [0, 0, 1], 2).share([1, 2], 1.0)
        0.75
    """

    def __init__(self, scores: ArrayLike, units: ArrayLike, count: int) -> None:
        values = check_scores(scores)
        require_rows(len(values))
        unit = _check_units(units, count, len(values))
        self.count = count
        self._distinct, rank = np.unique(values, return_inverse=True)
        self._base = len(self._distinct) + 1
        # rows by unit, within it by rank: one search in this array counts above a threshold in all units at once
        self._place = np.sort(unit.astype(np.int64) * self._base + rank.reshape(-1))
        self.rows = np.bincount(unit, minlength=count).astype(np.int64)
        self._end = np.cumsum(self.rows)

    def at_least(self, threshold: float) -> NDArray[np.int64]:
        """Return ``[C]``, how many rows of each unit reach the threshold."""
        rank = np.searchsorted(self._distinct, check_threshold(threshold))
        return self._end - np.searchsorted(self._place, np.arange(self.count) * self._base + rank)

    def share(self, weights: ArrayLike, threshold: float) -> float:
        """Share of the rows that reach the threshold; undefined where no row has a weight."""
        weight = check_weights(weights, self.count)
        total = int(weight @ self.rows)
        require_rows(total)
        return int(weight @ self.at_least(threshold)) / total


class PairedRows:
    """The same rows with clean and with changed media.

    Args:
        clean: ``[N]`` finite scores with clean media.
        changed: ``[N]`` finite scores of the same rows with changed media.
        units: ``[N]`` int, the unit of each row, 0 to ``count - 1``.
        count: Number of units ``C``.

    Raises:
        DataError: Wrong shapes, non-finite scores, or a unit outside its range.
        UndefinedMetricError: No rows.

    Example:
        >>> rows = PairedRows([2.0, 1.0], [1.0, 0.0], [0, 1], 2)
        >>> rows.sync_auroc([1, 1]), rows.sync_winrate([1, 1]), rows.retention([1, 1], 1.0)
        (0.875, 1.0, 0.5)
    """

    def __init__(self, clean: ArrayLike, changed: ArrayLike, units: ArrayLike, count: int) -> None:
        before, after = check_pairs(clean, changed)
        unit = _check_units(units, count, len(before))
        self.count = count
        self.clean, self.changed = CountedRows(before, unit, count), CountedRows(after, unit, count)
        half_points = 2 * (before > after).astype(np.int64) + (before == after)
        self._half_points = np.bincount(unit, half_points, count).astype(np.int64)
        both = np.concatenate([before, after])
        order = np.argsort(both)
        ordered = both[order]
        self._last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
        self._unit = np.concatenate([unit, unit])[order]
        self._is_clean = order < len(before)

    def sync_winrate(self, weights: ArrayLike) -> float:
        """Return ``sync_winrate`` of the rows, each counted as often as its unit."""
        weight = check_weights(weights, self.count)
        total = int(weight @ self.clean.rows)
        require_rows(total)
        return int(weight @ self._half_points) / (2 * total)

    def sync_auroc(self, weights: ArrayLike) -> float:
        """Return ``sync_auroc`` of the rows, each counted as often as its unit."""
        weight = check_weights(weights, self.count)
        total = int(weight @ self.clean.rows)
        require_rows(total)
        of_row = weight[self._unit].astype(np.int64)
        clean = np.cumsum(of_row * self._is_clean)[self._last]
        changed = np.cumsum(of_row)[self._last] - clean
        here = np.diff(clean, prepend=0)
        # 2 * below + tied = (at or below) + below, counted in half pairs; a Python int cannot overflow
        half_pairs = int(here @ (2 * changed - np.diff(changed, prepend=0)))
        return half_pairs / (2 * total**2)

    def retention(self, weights: ArrayLike, threshold: float) -> float:
        """Return ``retention`` of the rows, each counted as often as its unit; undefined as there."""
        found = self.clean.share(weights, threshold)
        if found < MIN_TPR_SAME_ROWS:
            raise UndefinedMetricError(
                f"only {found:.1%} of the rows reach the threshold on clean media; "
                f"retention needs at least {MIN_TPR_SAME_ROWS:.0%}."
            )
        return self.changed.share(weights, threshold) / found


def check_weights(weights: ArrayLike, count: int) -> NDArray[np.int64]:
    """Return weights as ``[C]`` int64.

    Raises:
        DataError: Not ``count`` whole numbers from 0.

    Example:
        >>> check_weights([1, 2], 2)
        array([1, 2])
    """
    values = np.asarray(weights)
    if values.shape != (count,) or values.dtype.kind not in "iu" or (values < 0).any():
        raise DataError(f"weights must be {count} whole numbers from 0, one per unit.")
    return values.astype(np.int64)


def _check_units(units: ArrayLike, count: int, rows: int) -> NDArray[np.intp]:
    values = np.asarray(units)
    if values.shape != (rows,) or values.dtype.kind not in "iu":
        raise DataError(f"units must be {rows} whole numbers, one per row.")
    if len(values) and not (values.min() >= 0 and values.max() < count):
        raise DataError(f"units must lie in 0 to {count - 1}, but go from {values.min()} to {values.max()}.")
    return values.astype(np.intp)  # what numpy looks up with, two times as fast as int32


def _wanted_rate(name: str) -> float:
    kind, _, text = name.partition(":")
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if kind != "tpr" or not 0 < rate <= 1:
        raise UsageError(f"no threshold {name!r}; choose tpr:R with R above 0 and at most 1, eer, or fixed:0.5.")
    return rate
