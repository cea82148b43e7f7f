"""The peak of a synchrony curve, and whether it deserves the name (docs/method.md, section 8)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asdbench.metrics.bootstrap import Resampling
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.intervals import LEVEL
from asdbench.metrics.student import expanded_tail
from asdbench.metrics.synchrony_curve import SynchronyCurve, UnitSums, floor_offsets
from asdbench.metrics.units import MIN_UNITS


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
        >>> curve = SynchronyCurve(np.array([-100., 0., 100.]), np.array([1., 3., 2.]), np.full(3, 9))
        >>> round(find_peak(curve).offset_ms, 3)
        16.667
    """
    offsets, values = curve.offsets_ms, curve.values
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


def peak_interval(sums: UnitSums, resampling: Resampling, level: float = LEVEL) -> PeakInterval:
    """Return the interval of peak minus floor, whole units resampled.

    The highest of K points lies above the floor by chance alone, and lies so in every resample. So the resampled
    quantity is not the new highest point but, with ``D_k`` the curve minus its floor, the largest deviation ``max_k
    |D*_k - D_k|``; its quantile q bounds all points at once, and the interval is ``D_top - q`` to ``D_top + q``.

    Args:
        sums: The scores at each offset.
        resampling: The draws.
        level: Share of such intervals that hold the true value.

    Returns:
        The interval; none without resamples, or where fewer than 5 units have rows.

    Raises:
        Nothing.

    Source:
        docs/method.md, section 8; simultaneous bands by the largest deviation: Davison and Hinkley 1997, section 4.2.4.

    Example:
        >>> peak_interval(UnitSums([-40, 0, 40], [[0.0], [1.0], [0.0]], [0], 1), Resampling(1)).is_peak is None
        True
    """
    curve = sums.curve
    far = floor_offsets(curve.offsets_ms)
    above = curve.values - curve.values[far].mean()
    height = float(above.max())
    units = int(np.count_nonzero(sums.rows.all(axis=1)))
    if units < MIN_UNITS or not resampling.count:
        return PeakInterval(height, None, None, None)
    means = sums.means(resampling.weights)
    means = means[np.isfinite(means).all(axis=1)]
    largest = np.abs(means - means[:, far].mean(axis=1, keepdims=True) - above).max(axis=1)
    share = 1 - 2 * expanded_tail((1 - level) / 2, max(2, effective_units(sums)))
    reach = float(np.quantile(largest, share))
    return PeakInterval(height, height - reach, height + reach, height - reach > 0)


def effective_units(sums: UnitSums) -> int:
    """Return how many units of equal size the rows of a curve are worth, by Kish's rule; the least of any offset.

    Args:
        sums: The scores at each offset.

    Returns:
        The number, rounded down.

    Raises:
        Nothing.

    Source:
        As ``Units.effective``: units without such rows are no witnesses.

    Example:
        >>> effective_units(UnitSums([-40, 0, 40], np.zeros((3, 4)), [0, 0, 1, 1], 9))
        2
    """
    return int(np.min(sums.rows.sum(axis=0) ** 2 // (sums.rows**2).sum(axis=0)))


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
