"""Figures on many resamples at once: one walk over sorted rows in blocks that stay in the processor's cache.

Each pass equals the method of ``weighted.py`` that takes the weights of one resample, to rounding; counts are whole
numbers in float64 and thus exact, so neither threads nor the linear algebra library change a figure.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from asdbench.metrics.counted import CountedRows
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.scan import scan
from asdbench.metrics.thresholds import FIXED_HALF
from asdbench.metrics.weighted import RankedRows, wanted_rate

BLOCK = 512
"""Rows per block: with the 128 resamples of ``evaluate`` half a MiB."""


class PrecisionPass:
    """AP by both rules, plain and rescaled, and the base rate.

    Args:
        rows: Labelled rows.

    Example:
        >>> found = PrecisionPass(RankedRows([1, 0, 1], [3.0, 2.0, 1.0], [0, 0, 1], 2)).values(np.array([[1, 2]]))
        >>> found["ava"].round(6)
        array([0.833333])
    """

    def __init__(self, rows: RankedRows) -> None:
        self._rows = rows
        self._ends, self._hits = rows.last[rows.scored] + 1, rows.hits_at[rows.scored]
        self._cuts = _cuts(self._ends)
        borders = np.concatenate([[0], self._ends])[self._cuts]
        self._before = _counts_before(rows.unit, borders, rows.count)
        self._hits_before = _counts_before(
            rows.positive_unit, np.concatenate([[0], self._hits])[self._cuts], rows.count
        )
        self._sizes = np.bincount(rows.unit, minlength=rows.count)

    def values(self, weights: NDArray[np.int64]) -> dict[str, Float64Array]:
        """Return ``ava``, ``ap``, ``ava_rescaled``, ``ap_rescaled`` and ``base_rate``, each ``[b]``.

        Args:
            weights: ``[b, C]`` whole numbers, none negative.

        Returns:
            The figures; NaN where one has no value.
        """
        by_unit = np.ascontiguousarray(weights.T, dtype=np.float64)
        before, hits_before = self._before @ by_unit, self._hits_before @ by_unit
        step, envelope = np.zeros(len(weights)), np.zeros(len(weights))
        best = np.zeros(len(weights))  # highest precision of all places below
        for block in range(len(self._cuts) - 2, -1, -1):
            hits, total = self._counts(block, by_unit, before, hits_before)
            here = np.diff(hits, axis=0, prepend=hits_before[block][None])
            precision = np.divide(hits, np.maximum(total, 1, out=total), out=hits)
            step += np.einsum("kb,kb->b", here, precision)
            np.maximum(precision[-1], best, out=precision[-1])
            best = scan(np.maximum, precision[::-1])[-1]
            envelope += np.einsum("kb,kb->b", here, precision)
        return _precisions(step, envelope, hits_before[-1], weights @ self._sizes)

    def _counts(
        self, block: int, by_unit: Float64Array, before: Float64Array, hits_before: Float64Array
    ) -> tuple[Float64Array, Float64Array]:
        """Positives, and all rows, at or above each place of a block."""
        first, last = self._cuts[block], self._cuts[block + 1]
        if last - first == 1:  # also a score that more rows share than a block should have
            return hits_before[block + 1][None].copy(), before[block + 1][None].copy()
        ends, hits = self._ends[first:last], self._hits[first:last]
        start, hits_start = (int(of[first - 1]) if first else 0 for of in (self._ends, self._hits))
        rows = _running(before[block], by_unit, self._rows.unit[start : ends[-1]])
        found = _running(hits_before[block], by_unit, self._rows.positive_unit[hits_start : hits[-1]])
        return found[hits - hits_start], rows[ends - start]


def _precisions(
    step: Float64Array, envelope: Float64Array, positives: Float64Array, rows: NDArray[np.int64]
) -> dict[str, Float64Array]:
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {"ava": envelope / positives, "ap": step / positives}
        base = np.where(positives > 0, positives / rows, np.nan)
        room = np.where(base < 1, 1 - base, np.nan)
        rescaled = {f"{name}_rescaled": (value - base) / room for name, value in found.items()}
    return {**found, **rescaled, "base_rate": base}


class ThresholdPass:
    """The thresholds that each resample freezes on its own clean rows.

    Args:
        rows: Labelled rows.

    Example:
        >>> rows = RankedRows([1, 0, 1], [3.0, 2.0, 1.0], [0, 0, 1], 2)
        >>> ThresholdPass(rows).values(np.array([[1, 1], [1, 0]]), "tpr:0.9")
        array([1., 3.])
    """

    def __init__(self, rows: RankedRows) -> None:
        self._rows = rows
        self._ends = rows.last + 1
        self._cuts = _cuts(self._ends)
        self._borders = np.concatenate([[0], self._ends])[self._cuts]
        self._hits_borders = np.concatenate([[0], rows.hits_at])[self._cuts]
        self._before = _counts_before(rows.unit, self._borders, rows.count)
        self._hits_before = _counts_before(rows.positive_unit, self._hits_borders, rows.count)

    def values(self, weights: NDArray[np.int64], name: str) -> Float64Array:
        """Return a threshold of each resample, as ``RankedRows.threshold`` defines it.

        Args:
            weights: ``[b, C]`` whole numbers, none negative.
            name: ``tpr:R`` with R in (0, 1], ``eer`` or ``fixed:0.5``.

        Returns:
            ``[b]``, NaN where it has none.

        Raises:
            UsageError: No such threshold.
        """
        by_unit = weights.T.astype(np.float64)
        before, hits_before = (table @ by_unit for table in (self._before, self._hits_before))
        found = np.full(len(weights), np.nan)
        rate = None if name in ("eer", "fixed:0.5") else wanted_rate(name)
        for column in np.flatnonzero(hits_before[-1]):
            line = _Line(self, by_unit[:, column], before[:, column], hits_before[:, column])
            if name == "fixed:0.5":
                found[column] = FIXED_HALF
            elif rate is not None:
                found[column] = self._rows.scores[line.at_rate(rate)]
            elif before[-1, column] > hits_before[-1, column]:
                found[column] = self._rows.scores[line.at_equal_errors()]
        return found

    def inside(self, block: int, weight: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return positives and rows of one resample from the start of a block to each of its distinct scores."""
        first, last = self._cuts[block], self._cuts[block + 1]
        found = []
        for units, ends, borders in (
            (self._rows.positive_unit, self._rows.hits_at, self._hits_borders),
            (self._rows.unit, self._ends, self._borders),
        ):
            start, stop = borders[block], borders[block + 1]
            sums = np.concatenate([[0.0], np.cumsum(weight[units[start:stop]])])
            found.append(sums[ends[first:last] - start])
        return found[0], found[1]

    def place(self, block: int, within: int) -> int:
        """Return the index of a distinct score of a block among all."""
        return int(self._cuts[block]) + within


class _Line:
    """One resample: find the block first, then the score within it."""

    def __init__(self, rows: ThresholdPass, weight: Float64Array, before: Float64Array, hits: Float64Array) -> None:
        self._pass, self._weight, self._before, self._hits = rows, weight, before, hits
        self._positives, self._negatives = hits[-1], before[-1] - hits[-1]

    def at_rate(self, rate: float) -> int:
        block = int(np.searchsorted(self._hits / self._positives, rate)) - 1
        hits, _ = self._pass.inside(block, self._weight)
        return self._pass.place(block, int(np.searchsorted((self._hits[block] + hits) / self._positives, rate)))

    def at_equal_errors(self) -> int:
        """Scores with a weight strictly raise the gap FPR - FNR: the best is where it passes 0, or the one before."""
        block = int(np.searchsorted(self._gap(self._hits, self._before), 0)) - 1
        hits, rows = self._pass.inside(block, self._weight)
        hits, rows = self._hits[block] + hits, self._before[block] + rows
        gaps = self._gap(hits, rows)
        here = int(np.searchsorted(gaps, 0))
        rows_before = rows[here - 1] if here else self._before[block]
        gap_before = gaps[here - 1] if here else self._gap(self._hits[block], self._before[block])
        if rows_before and abs(gap_before) <= abs(gaps[here]):
            return self._first_with(float(rows_before))
        return self._pass.place(block, here)

    def _first_with(self, rows: float) -> int:
        block = int(np.searchsorted(self._before, rows)) - 1
        _, inside = self._pass.inside(block, self._weight)
        return self._pass.place(block, int(np.searchsorted(self._before[block] + inside, rows)))

    def _gap(self, hits: Float64Array, rows: Float64Array) -> Float64Array:
        gap: Float64Array = (rows - hits) * self._positives - (self._positives - hits) * self._negatives
        return gap


class PairPass:
    """The share of pairs that an upper score wins against a lower one, ties 1/2: AUROC.

    Args:
        upper: The rows that ought to score higher.
        lower: The others.

    Example:
        >>> upper, lower = CountedRows([2.0, 1.0], [0, 1], 2), CountedRows([1.0, 0.0], [0, 1], 2)
        >>> PairPass(upper, lower).values(np.array([[1, 1]]))
        array([0.875])
    """

    def __init__(self, upper: CountedRows, lower: CountedRows) -> None:
        (scores, self._upper_unit), (others, self._lower_unit) = upper.ascending, lower.ascending
        left, right = np.searchsorted(others, scores, "left"), np.searchsorted(others, scores, "right")
        self._factor = 2.0
        self._at = left
        if not np.array_equal(left, right):
            self._factor = 1.0
            places = np.concatenate([left, right])
            order = np.argsort(places, kind="stable")
            self._at, self._upper_unit = places[order], np.tile(self._upper_unit, 2)[order]
        self._borders = np.append(np.arange(0, len(others), BLOCK), len(others))
        self._upper, self._lower = upper.rows, lower.rows

    def values(self, weights: NDArray[np.int64]) -> Float64Array:
        """Return the share of each resample.

        Args:
            weights: ``[b, C]`` whole numbers, none negative.

        Returns:
            ``[b]``, NaN where there is no pair.
        """
        by_unit = np.ascontiguousarray(weights.T, dtype=np.float64)
        half_pairs, below = np.zeros(len(weights)), np.zeros(len(weights))
        last = len(self._borders) - 2
        for block, (start, stop) in enumerate(zip(self._borders[:-1], self._borders[1:], strict=True)):
            running = _running(below, by_unit, self._lower_unit[start:stop])
            first = np.searchsorted(self._at, start)
            end = len(self._at) if block == last else np.searchsorted(self._at, stop)
            for begin in range(first, end, BLOCK):  # rows of equal scores may be many
                part = slice(begin, min(begin + BLOCK, end))
                half_pairs += np.einsum("kb,kb->b", by_unit[self._upper_unit[part]], running[self._at[part] - start])
            below = running[-1].copy()
        pairs = (weights @ self._upper).astype(np.float64) * (weights @ self._lower)
        with np.errstate(invalid="ignore", divide="ignore"):
            share: Float64Array = self._factor * half_pairs / (2 * pairs)
        return share


def _cuts(ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the places at which blocks begin and end, of not much more than ``BLOCK`` rows or one place each."""
    wanted = np.searchsorted(ends, np.arange(BLOCK, ends[-1], BLOCK), side="right")
    large = np.flatnonzero(np.diff(ends, prepend=0) > BLOCK)
    return np.unique(np.concatenate([[0], wanted, large, large + 1, [len(ends)]]))


def _counts_before(units: NDArray[np.intp], borders: NDArray[np.int64], count: int) -> Float64Array:
    """Return ``[len(borders), C]``, how many rows of each unit lie before each border."""
    sizes = np.diff(borders)
    blocks = np.repeat(np.arange(len(sizes)), sizes)
    counts = np.bincount(blocks * count + units[: borders[-1]], minlength=len(sizes) * count).reshape(-1, count)
    return np.concatenate([np.zeros((1, count)), np.cumsum(counts, axis=0)])


def _running(before: Float64Array, by_unit: Float64Array, units: NDArray[np.intp]) -> Float64Array:
    """Return ``[len(units) + 1, b]``: what lies before the block, then with one row after the other."""
    sums = np.empty((len(units) + 1, by_unit.shape[1]))
    sums[0] = before
    np.take(by_unit, units, axis=0, out=sums[1:], mode="clip")
    return scan(np.add, sums)
