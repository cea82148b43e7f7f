"""The mean score of speaking frames against the offset of their sound (docs/method.md, section 8)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.errors import DataError, UndefinedMetricError
from asdbench.metrics.inputs import Float64Array, check_scores, check_units, require_rows
from asdbench.types import BoolArray

REACH_MS, SHORT_REACH_MS = 1000, 400
"""The grid's largest offset, and what it is cut to where too few rows have that much real sound around them."""

CONTEXT_MS = 500
"""Real sound wanted beyond the largest offset, because models look around a frame."""

MIN_ROWS = 500
"""With fewer rows the grid is cut."""

FLOOR_FROM_MS = 600
"""Offsets from here on are the floor: speech of the same talker, but of another moment."""


@dataclass(frozen=True, eq=False)
class SynchronyCurve:
    """A curve over a grid of offsets; a positive offset means that the sound is late.

    Attributes:
        offsets_ms: ``[K]`` increasing.
        values: ``[K]`` mean score.
        rows: ``[K]``, how many rows each mean is over.
    """

    offsets_ms: Float64Array
    values: Float64Array
    rows: NDArray[np.int64]


def rows_in_reach(
    timestamps_ms: ArrayLike, sound_from_ms: ArrayLike, sound_to_ms: ArrayLike, reach_ms: int = REACH_MS
) -> BoolArray:
    """Find the rows that have real sound at every offset of the grid and 0.5 s beyond.

    Args:
        timestamps_ms: ``[N]`` of the speaking rows.
        sound_from_ms: ``[N]`` (or one number) where the real sound of the row's recording begins.
        sound_to_ms: ``[N]`` (or one number) where it ends.
        reach_ms: The grid's largest offset.

    Returns:
        ``[N]`` bool.

    Raises:
        DataError: Wrong shapes, or numbers that are not finite.

    Source:
        docs/method.md, section 8.

    Example:
        >>> rows_in_reach([1499, 1500, 9000], 0, 10_000)
        array([False,  True, False])
    """
    times = check_scores(timestamps_ms, "times")
    margin = reach_ms + CONTEXT_MS
    first, last = np.asarray(sound_from_ms), np.asarray(sound_to_ms)
    result: BoolArray = (times - margin >= first) & (times + margin <= last)
    return result


def choose_reach(rows_at_full_reach: int) -> int:
    """Return the grid's largest offset: 1000 ms, or 400 where fewer than 500 rows are left at 1000 (tables say so).

    Args:
        rows_at_full_reach: Rows that ``rows_in_reach`` finds at 1000 ms.

    Returns:
        1000 or 400.

    Raises:
        Nothing.

    Source:
        docs/method.md, section 8.

    Example:
        >>> choose_reach(499)
        400
    """
    return REACH_MS if rows_at_full_reach >= MIN_ROWS else SHORT_REACH_MS


class UnitSums:
    """Scores at each offset, summed by unit: all that the curve of a resample needs.

    Args:
        offsets_ms: ``[K]``, strictly increasing, at least 3.
        scores: ``[K, N]`` finite log-odds: row n with its sound moved by offset k.
        units: ``[N]`` int, the unit of each row, 0 to ``count - 1``.
        count: Number of units ``C``.
        counted: ``[K, N]`` bool, which rows count at which offset; all by default.

    Attributes:
        offsets_ms: ``[K]``.
        sums: ``[C, K]``.
        rows: ``[C, K]``, how many rows each sum is over.

    Raises:
        DataError: Wrong shapes, offsets that do not increase, non-finite scores, or a unit outside its range.
        UndefinedMetricError: No rows at one of the offsets.

    Example:
        >>> UnitSums([-40, 0, 40], [[0.0, 1.0], [2.0, 3.0], [1.0, 1.0]], [0, 1], 2).means(np.array([[1, 1], [2, 0]]))
        array([[0.5, 2.5, 1. ],
               [0. , 2. , 1. ]])
    """

    def __init__(
        self, offsets_ms: ArrayLike, scores: ArrayLike, units: ArrayLike, count: int, counted: ArrayLike | None = None
    ) -> None:
        self.offsets_ms, table = _check_grid(offsets_ms), np.asarray(scores)
        if table.ndim != 2 or len(table) != len(self.offsets_ms) or table.dtype.kind not in "fiu":
            raise DataError(
                f"scores must be one row of numbers per offset ({len(self.offsets_ms)}), "
                f"but their shape is {table.shape}."
            )
        require_rows(table.shape[1])
        check_scores(table.reshape(-1))
        unit = check_units(units, count, table.shape[1])
        mask = np.ones(table.shape, dtype=np.bool_) if counted is None else np.asarray(counted)
        if mask.shape != table.shape or mask.dtype != np.bool_:
            raise DataError(f"what counts must be true or false for each score, but its shape is {mask.shape}.")
        for offset, line in zip(self.offsets_ms, mask, strict=True):
            if not line.any():
                raise UndefinedMetricError(f"no row counts at {offset:+g} ms.")
        each = list(zip(table.astype(np.float64), mask, strict=True))
        self.sums = np.stack([np.bincount(unit[on], line[on], count) for line, on in each], axis=1)
        self.rows = np.stack([np.bincount(unit[on], minlength=count) for _, on in each], axis=1)

    @property
    def curve(self) -> SynchronyCurve:
        """The curve of all rows."""
        rows = self.rows.sum(axis=0)
        return SynchronyCurve(self.offsets_ms, self.sums.sum(axis=0) / rows, rows)

    def means(self, weights: NDArray[np.int64]) -> Float64Array:
        """Return the curve of each resample.

        Args:
            weights: ``[b, C]`` whole numbers, none negative.

        Returns:
            ``[b, K]``, NaN where no row has a weight.
        """
        with np.errstate(invalid="ignore"):
            means: Float64Array = (weights @ self.sums) / (weights @ self.rows)
        return means


def synchrony_curve(offsets_ms: ArrayLike, scores: ArrayLike) -> SynchronyCurve:
    """Average the scores of the same rows at every offset.

    Args:
        offsets_ms: ``[K]``, strictly increasing, at least 3.
        scores: ``[K, N]`` finite log-odds: row n with its sound moved by offset k.

    Returns:
        The curve.

    Raises:
        DataError: Wrong shapes, offsets that do not increase, or non-finite scores.
        UndefinedMetricError: No rows.

    Source:
        docs/method.md, section 8.

    Example:
        >>> synchrony_curve([-40, 0, 40], [[0.0, 1.0], [2.0, 3.0], [1.0, 1.0]]).values
        array([0.5, 2.5, 1. ])
    """
    table = np.asarray(scores)
    return UnitSums(offsets_ms, table, np.zeros(table.shape[-1] if table.ndim else 0, dtype=np.int64), 1).curve


def floor_offsets(offsets_ms: Float64Array) -> BoolArray:
    """Tell which offsets are the floor: those of at least 600 ms, else the largest on each side.

    Args:
        offsets_ms: ``[K]``.

    Returns:
        ``[K]`` bool.

    Raises:
        Nothing.

    Source:
        docs/method.md, section 8.

    Example:
        >>> floor_offsets(np.array([-400.0, 0.0, 400.0]))
        array([ True, False,  True])
    """
    size = np.abs(offsets_ms)
    far: BoolArray = size >= min(FLOOR_FROM_MS, float(size.max()))
    return far


def _check_grid(offsets_ms: ArrayLike) -> Float64Array:
    offsets = check_scores(offsets_ms, "offsets")
    if len(offsets) < 3 or (np.diff(offsets) <= 0).any():
        raise DataError("a synchrony curve needs at least 3 offsets, each above the one before.")
    return offsets
