"""Shares of rows as functions of whole-number weights per unit: see ``weighted.py``."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.errors import UndefinedMetricError
from asdbench.metrics.inputs import (
    Float64Array,
    check_pairs,
    check_scores,
    check_threshold,
    check_units,
    check_weights,
    require_rows,
)
from asdbench.metrics.synchrony import MIN_TPR_SAME_ROWS


class CountedRows:
    """Rows of which only the share above a threshold matters, counted per unit.

    Args:
        scores: ``[N]`` finite.
        units: ``[N]`` int, the unit of each row, 0 to ``count - 1``.
        count: Number of units ``C``.

    Attributes:
        count: Number of units ``C``.
        rows: ``[C]``, how many rows each unit has.
        ascending: Scores and units of all rows, the lowest score first.

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
        unit = check_units(units, count, len(values))
        self.count = count
        order = np.argsort(values)
        self.ascending = values[order], unit[order]
        self._distinct, rank = np.unique(self.ascending[0], return_inverse=True)
        self._base = len(self._distinct) + 1
        # rows by unit, within it by rank: one search in this array counts above a threshold in all units at once
        self._place = np.sort(self.ascending[1] * self._base + rank.reshape(-1))
        self.rows = np.bincount(unit, minlength=count).astype(np.int64)
        self._end = np.cumsum(self.rows)

    def at_least(self, threshold: float) -> NDArray[np.int64]:
        """Return ``[C]``, how many rows of each unit reach the threshold."""
        rank = np.searchsorted(self._distinct, check_threshold(threshold))
        return self._end - np.searchsorted(self._place, np.arange(self.count) * self._base + rank)

    def above(self, weights: NDArray[np.int64], thresholds: Float64Array) -> Float64Array:
        """Return how many rows reach the threshold in each of many resamples, each row counted as often as its unit.

        Args:
            weights: ``[b, C]`` whole numbers, none negative.
            thresholds: ``[b]``, NaN where a resample has none.

        Returns:
            ``[b]``, NaN where the threshold is.
        """
        distinct, column = np.unique(thresholds, return_inverse=True)
        reached = self._at_least_each(distinct)[:, column.reshape(-1)]
        return np.where(np.isnan(thresholds), np.nan, np.einsum("bc,cb->b", weights, reached))

    def _at_least_each(self, thresholds: Float64Array) -> NDArray[np.int64]:
        """Return ``[C, K]``, how many rows of each unit reach each of K ascending thresholds."""
        scores, unit = self.ascending
        if self.count * len(thresholds) < len(scores):
            ranks = np.searchsorted(self._distinct, thresholds)
            wanted = np.arange(self.count)[:, None] * self._base + ranks
            return self._end[:, None] - np.searchsorted(self._place, wanted)
        bins = np.searchsorted(scores, thresholds)  # rows by the highest threshold that they reach
        reach = np.repeat(np.arange(len(bins) + 1), np.diff(bins, prepend=0, append=len(scores)))
        counts = np.bincount(unit * (len(bins) + 1) + reach, minlength=self.count * (len(bins) + 1))
        table: NDArray[np.int64] = np.cumsum(counts.reshape(self.count, -1)[:, :0:-1], axis=1)[:, ::-1]
        return table

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
        unit = check_units(units, count, len(before))
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
