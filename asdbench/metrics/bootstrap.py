"""Intervals by resampling whole recordings, and the comparison of two runs on the same resamples.

A *statistic* is any function of whole-number weights per unit (see ``weighted.py``). ``replicate`` evaluates it on
every resample once; ``combine`` makes differences, means or Shapley values of such results, so that all of them rest
on the same resamples; ``intervals.interval`` reads the interval off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from asdbench.errors import NotComparableError, UndefinedMetricError
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.units import MIN_UNITS, Units

RESAMPLES = 1000

Statistic = Callable[[NDArray[np.int64]], float]


@dataclass(frozen=True)
class Resampling:
    """Which units each resample draws; the same three numbers give the same draws on every machine.

    Resample ``b`` draws C units with replacement: draw ``i`` is ``floor(C * x / 2^32)``, x being bytes ``4 i`` to
    ``4 i + 3`` (little end first) of SHAKE-256 of the text ``asdbench resample <seed> <b>``. No generator of numpy is
    used, because numpy does not promise that its streams stay what they are. The first 1,000 of 2,000 resamples are
    those of 1,000.

    Attributes:
        units: Number of units ``C``.
        seed: Any text.
        count: Number of resamples ``B``.
        effective: How many units of equal size would be as good (``Units.effective``); by default C. It widens the
            intervals and changes no draw.

    Example:
        >>> Resampling(3, count=2).weights.sum(axis=1)
        array([3, 3])
    """

    units: int
    seed: str = "1"
    count: int = RESAMPLES
    effective: int | None = None

    @cached_property
    def weights(self) -> NDArray[np.int64]:
        """``[B, C]``, how often each resample draws each unit; every row sums to C."""
        rows = np.empty((self.count, self.units), dtype=np.int64)
        for number in range(self.count):
            text = f"asdbench resample {self.seed} {number}"
            data = hashlib.shake_256(text.encode()).digest(4 * self.units)
            drawn = (np.frombuffer(data, dtype="<u4").astype(np.uint64) * np.uint64(self.units)) >> np.uint64(32)
            rows[number] = np.bincount(drawn.astype(np.int64), minlength=self.units)
        rows.setflags(write=False)
        return rows


@dataclass(frozen=True, eq=False)
class Replicates:
    """A statistic on all units, on each resample, and without each unit.

    Attributes:
        resampling: The draws.
        estimate: Its value, every unit counted once.
        resampled: ``[B]``, NaN where it has no value.
        left_out: ``[C]``, its value without one unit, NaN where it has none.
    """

    resampling: Resampling
    estimate: float
    resampled: Float64Array
    left_out: Float64Array


def resampling_of(units: Units, seed: str = "1", count: int = RESAMPLES) -> Resampling:
    """Return the draws for the units of a data set.

    Args:
        units: From ``resampling_units``.
        seed: Any text.
        count: Number of resamples.

    Returns:
        The draws, with the effective number of units.

    Raises:
        Nothing.

    Source:
        Own.

    Example:
        >>> resampling_of(Units("source", ("a", "b"), np.array([0, 0, 0, 1], dtype=np.int32))).effective
        1
    """
    return Resampling(units.count, seed, count, units.effective)


def replicate(statistic: Statistic, resampling: Resampling) -> Replicates:
    """Evaluate a statistic on all units, on every resample, and without each unit in turn.

    Args:
        statistic: Called with ``[C]`` int64 weights; may raise ``UndefinedMetricError``.
        resampling: The draws.

    Returns:
        The values. With fewer than 5 units nothing but the estimate is computed.

    Raises:
        UndefinedMetricError: It has no value on all units.

    Source:
        Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8 (hierarchical data).

    Example:
        >>> replicate(lambda weights: float(weights[0]), Resampling(5, count=10)).estimate
        1.0
    """
    ones = np.ones(resampling.units, dtype=np.int64)
    estimate = statistic(ones)
    if resampling.units < MIN_UNITS:
        return Replicates(resampling, estimate, np.empty(0), np.empty(0))
    left_out = (_value(statistic, ones - (np.arange(resampling.units) == unit)) for unit in range(resampling.units))
    return Replicates(
        resampling,
        estimate,
        np.array([_value(statistic, weights) for weights in resampling.weights]),
        np.fromiter(left_out, dtype=np.float64, count=resampling.units),
    )


def combine(function: Callable[..., Float64Array], *parts: Replicates) -> Replicates:
    """Combine statistics resample by resample, as in a difference of two runs.

    Args:
        function: Of as many arrays as there are parts, element by element.
        *parts: Results on the same resamples.

    Returns:
        The combined statistic; NaN where one of its parts is.

    Raises:
        NotComparableError: They rest on different resamples.

    Source:
        Own.

    Example:
        >>> part = replicate(lambda weights: float(weights[0]), Resampling(5, count=10))
        >>> float(abs(combine(np.subtract, part, part).resampled).max())
        0.0
    """
    resampling = parts[0].resampling
    if any(part.resampling != resampling for part in parts):
        raise NotComparableError("figures can only be combined on the same resamples: same units, seed and count.")
    return Replicates(
        resampling,
        float(function(*(np.float64(part.estimate) for part in parts))),
        np.asarray(function(*(part.resampled for part in parts)), dtype=np.float64),
        np.asarray(function(*(part.left_out for part in parts)), dtype=np.float64),
    )


def per_unit(statistic: Statistic, units: int) -> Float64Array:
    """Return the value of a statistic on each unit alone, NaN where it has none.

    Args:
        statistic: Called with ``[C]`` int64 weights.
        units: Number of units ``C``.

    Returns:
        ``[C]``.

    Raises:
        DataError: As the statistic raises it.

    Source:
        docs/method.md, section 10 (win, tie, loss per source).

    Example:
        >>> per_unit(lambda weights: float(weights @ np.array([3, 4])), 2)
        array([3., 4.])
    """
    return np.array([_value(statistic, row) for row in np.eye(units, dtype=np.int64)])


def win_tie_loss(new: Float64Array, old: Float64Array) -> tuple[int, int, int]:
    """Count the units on which a figure rose, stayed and fell; units without a value in either are left out.

    Args:
        new: ``[C]`` from ``per_unit``.
        old: ``[C]`` of the same units.

    Returns:
        (wins, ties, losses) of ``new``, for a figure of which more is better.

    Raises:
        Nothing.

    Source:
        docs/method.md, section 10.

    Example:
        >>> win_tie_loss(np.array([1.0, 2.0, np.nan]), np.array([0.0, 2.0, 1.0]))
        (1, 1, 0)
    """
    both = np.isfinite(new) & np.isfinite(old)
    new, old = new[both], old[both]
    return int(np.sum(new > old)), int(np.sum(new == old)), int(np.sum(new < old))


def _value(statistic: Statistic, weights: NDArray[np.int64]) -> float:
    try:
        return statistic(weights)
    except UndefinedMetricError:
        return np.nan
