"""The mean score of speaking frames against the offset of their sound, and what its peak says (docs/method.md, 8)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.errors import DataError
from asdbench.metrics.bootstrap import Resampling
from asdbench.metrics.inputs import Float64Array, check_scores, require_rows
from asdbench.metrics.intervals import LEVEL
from asdbench.metrics.student import expanded_tail
from asdbench.metrics.units import MIN_UNITS
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
        rows: Rows that the mean is over, the same at every offset.
    """

    offsets_ms: Float64Array
    values: Float64Array
    rows: int


@dataclass(frozen=True)
class Peak:
    """The peak of a curve.

    Attributes:
        offset_ms: Where, by a parabola through the highest point and its neighbours: the model's bias.
        value: Its height there.
        floor: Mean over offsets of at least 600 ms, or over the two largest where the grid ends before.
        half_width_early_ms: Distance to the left at which the curve first falls to (value + floor) / 2; ``None`` where
            it does not do so on the grid.
        half_width_late_ms: The same to the right.
        grid_offset_ms: The highest point of the grid itself.
    """

    offset_ms: float
    value: float
    floor: float
    half_width_early_ms: float | None
    half_width_late_ms: float | None
    grid_offset_ms: float

    @property
    def height(self) -> float:
        """Peak minus floor."""
        return self.value - self.floor


@dataclass(frozen=True)
class PeakInterval:
    """Whether there is a peak at all.

    Attributes:
        height: Highest point of the grid minus floor.
        low: Lower end of its 95 % interval, which allows for the highest point having been chosen among all; ``None``
            without an interval.
        high: Upper end.
        is_peak: Whether the interval lies above 0; ``None`` without an interval.
    """

    height: float
    low: float | None
    high: float | None
    is_peak: bool | None


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
    offsets, table = _check_grid(offsets_ms), np.asarray(scores)
    if table.ndim != 2 or len(table) != len(offsets) or table.dtype.kind not in "fiu":
        raise DataError(
            f"scores must be one row of numbers per offset ({len(offsets)}), but their shape is {table.shape}."
        )
    require_rows(table.shape[1])
    check_scores(table.reshape(-1))
    return SynchronyCurve(offsets, table.mean(axis=1, dtype=np.float64), table.shape[1])


def find_peak(curve: SynchronyCurve) -> Peak:
    """Measure the highest point of a curve, whether or not it deserves the name of a peak (see ``peak_interval``).

    Args:
        curve: From ``synchrony_curve``.

    Returns:
        Place, height, floor and half-widths. At the edge of the grid there is no parabola, and the point itself counts.

    Raises:
        DataError: The grid has fewer than 3 offsets.

    Source:
        docs/method.md, section 8.

    Example:
        >>> round(find_peak(SynchronyCurve(np.array([-100., 0., 100.]), np.array([1., 3., 2.]), 9)).offset_ms, 3)
        16.667
    """
    offsets, values = _check_grid(curve.offsets_ms), curve.values
    top = int(np.argmax(values))
    place, height = float(offsets[top]), float(values[top])
    if 0 < top < len(values) - 1:
        place, height = _vertex(offsets[top - 1 : top + 2], values[top - 1 : top + 2])
    floor = float(values[floor_offsets(offsets)].mean())
    half = (height + floor) / 2
    return Peak(
        place,
        height,
        floor,
        _half_width(place - offsets[: top + 1][::-1], values[: top + 1][::-1], half),
        _half_width(offsets[top:] - place, values[top:], half),
        float(offsets[top]),
    )


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


def peak_interval(
    offsets_ms: ArrayLike, scores: ArrayLike, units: ArrayLike, resampling: Resampling, level: float = LEVEL
) -> PeakInterval:
    """Return the interval of peak minus floor, whole units resampled.

    The highest of K points lies above the floor by chance alone, and lies so in every resample. So the resampled
    quantity is not the new highest point but, with ``D_k`` the curve minus its floor, the largest deviation ``max_k
    |D*_k - D_k|``; its quantile q bounds all points at once, and the interval is ``D_top - q`` to ``D_top + q``.

    Args:
        offsets_ms: ``[K]``, strictly increasing.
        scores: ``[K, N]`` finite.
        units: ``[N]`` int, the unit of each row.
        resampling: The draws.
        level: Share of such intervals that hold the true value.

    Returns:
        The interval; none with fewer than 5 units.

    Raises:
        DataError: Wrong shapes, or non-finite scores.
        UndefinedMetricError: No rows.

    Source:
        docs/method.md, section 8; simultaneous bands by the largest deviation: Davison and Hinkley 1997, section 4.2.4.

    Example:
        >>> peak_interval([-40, 0, 40], [[0.0], [1.0], [0.0]], [0], Resampling(1)).is_peak is None
        True
    """
    curve = synchrony_curve(offsets_ms, scores)
    far, table, unit = floor_offsets(curve.offsets_ms), np.asarray(scores, dtype=np.float64), np.asarray(units)
    above = curve.values - curve.values[far].mean()
    height = float(above.max())
    if unit.shape != (curve.rows,):
        raise DataError(f"there are {curve.rows} rows but {unit.size} units; each row needs one.")
    if resampling.units < MIN_UNITS:
        return PeakInterval(height, None, None, None)
    rows = np.bincount(unit, minlength=resampling.units)
    sums = np.stack([np.bincount(unit, line, resampling.units) for line in table], axis=1)  # [C, K]
    drawn = resampling.weights @ rows
    means = (resampling.weights[drawn > 0] @ sums) / drawn[drawn > 0, None]
    largest = np.abs(means - means[:, far].mean(axis=1, keepdims=True) - above).max(axis=1)
    reach = float(
        np.quantile(largest, 1 - 2 * expanded_tail((1 - level) / 2, max(2, resampling.effective or resampling.units)))
    )
    return PeakInterval(height, height - reach, height + reach, height - reach > 0)


def _check_grid(offsets_ms: ArrayLike) -> Float64Array:
    offsets = check_scores(offsets_ms, "offsets")
    if len(offsets) < 3 or (np.diff(offsets) <= 0).any():
        raise DataError("a synchrony curve needs at least 3 offsets, each above the one before.")
    return offsets


def _vertex(x: Float64Array, y: Float64Array) -> tuple[float, float]:
    """Top of the parabola through three points, the middle one the highest; the offsets need not be evenly spaced."""
    left, right = (y[1] - y[0]) / (x[1] - x[0]), (y[2] - y[1]) / (x[2] - x[1])
    bend = (right - left) / (x[2] - x[0])
    if bend >= 0:  # three equal points
        return float(x[1]), float(y[1])
    place = (x[0] + x[1]) / 2 - left / (2 * bend)
    height = y[0] + left * (place - x[0]) + bend * (place - x[0]) * (place - x[1])  # Newton's form
    return float(place), float(height)


def _half_width(distance: Float64Array, values: NDArray[np.float64], half: float) -> float | None:
    below = np.flatnonzero(values <= half)
    if not len(below):
        return None
    at = int(below[0])
    if at == 0:  # a flat curve: the highest point is the floor
        return None
    share = (values[at - 1] - half) / (values[at - 1] - values[at])
    return float(distance[at - 1] + share * (distance[at] - distance[at - 1]))
