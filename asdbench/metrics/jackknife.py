"""Figures without each unit in turn, and the change between two runs that they carry (docs/method.md, section 12)."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.student import student_quantile, student_tail
from asdbench.metrics.units import MIN_UNITS
from asdbench.types import BoolArray

CHUNK = 128
"""Sets of weights at a time."""

POWER = 0.8
"""Share of equal comparisons in which the detectable drop would have been found."""

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, eq=False)
class LeftOut:
    """A figure on all units, and without each of them.

    Attributes:
        estimate: Its value, NaN where it has none.
        without: ``[C]``, its value without one unit, NaN where it has none.
    """

    estimate: float
    without: Float64Array


def leave_one_out(
    figures: Callable[[NDArray[np.int64]], Mapping[Name, Float64Array]], units: int
) -> dict[Name, LeftOut]:
    """Evaluate figures on all units and without each unit in turn.

    Args:
        figures: Called with ``[b, C]`` int64 weights; returns ``[b]`` values of each figure, NaN where it has none.
        units: Number of units ``C``.

    Returns:
        The figures, also those without a value.

    Raises:
        DataError: As ``figures`` raises it.

    Source:
        Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 2.7.3.

    Example:
        >>> leave_one_out(lambda weights: {"rows": weights.sum(axis=1).astype(float)}, 3)["rows"].without
        array([2., 2., 2.])
    """
    weights = np.concatenate([np.ones((1, units), dtype=np.int64), 1 - np.eye(units, dtype=np.int64)])
    parts = [figures(weights[start : start + CHUNK]) for start in range(0, len(weights), CHUNK)]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {name: LeftOut(float(values[0]), values[1:]) for name, values in joined.items()}


@dataclass(frozen=True)
class Change:
    """By how much a figure differs between two runs on the same rows, and how surely.

    Attributes:
        value: New minus old, oriented so that more is better.
        error: Its standard error; ``None`` where the data cannot say.
        freedom: Degrees of freedom of Student's t.
        reason: Why there is no standard error; empty otherwise.
    """

    value: float
    error: float | None
    freedom: int = 1
    reason: str = ""

    def p_value(self, margin: float) -> float:
        """Return the probability of so low a value or a lower one where the figure fell by the margin and no more."""
        if self.error is None:
            return 1.0
        if not self.error:
            return float(self.value >= -margin)
        return student_tail((self.value + margin) / self.error, self.freedom)

    def end(self, tail: float, side: int) -> float | None:
        """Return an end of the interval: lower for side -1, upper for 1, beyond which lies a share of ``tail``."""
        if self.error is None:
            return None
        if not self.error:  # also where the quantile is beyond all floats
            return self.value
        return self.value + side * self.error * student_quantile(1 - tail, self.freedom)

    def detectable(self, tail: float, margin: float) -> float | None:
        """Return the smallest drop that would be found beyond the margin in 80 of 100 such comparisons."""
        if not self.error:
            return None
        quantiles = student_quantile(1 - tail, self.freedom) + student_quantile(POWER, self.freedom)
        return margin + quantiles * self.error


def change_between(old: LeftOut, new: LeftOut, rows: NDArray[np.int64], direction: int = 1) -> Change:
    """Return the change of a figure with the standard error of the jackknife over whole units.

    ``se^2 = (C - 1) / C * sum (d_i - mean d)^2``, ``d_i`` being the difference new - old without unit ``i``, over the
    ``C`` units that have rows for the figure. Student's t has one degree of freedom less than their effective number,
    ``(sum n)^2 / sum n^2`` of their rows (Kish), rounded down.

    Args:
        old: The figure of the old run.
        new: That of the new run, on the same units.
        rows: ``[C]``, how many rows of each unit the figure counts.
        direction: 1 where more of the figure is better, -1 where less is.

    Returns:
        The change; without a standard error where fewer than 5 units have rows, or where the figure has no value
        without one of them.

    Raises:
        Nothing.

    Source:
        docs/method.md, section 12; MacKinnon, Nielsen and Webb, Fast and reliable jackknife and bootstrap methods for
        cluster-robust inference, Journal of Applied Econometrics 2023: the jackknife where units are few and uneven.

    Example:
        >>> old, new = (LeftOut(3.0, np.array([2.0, 2.5, 3.0, 3.5, 4.0])), LeftOut(4.0, np.full(5, 4.0)))
        >>> change = change_between(old, new, np.full(5, 10))
        >>> change.value, round(change.error, 3), change.freedom
        (1.0, 1.414, 4)
    """
    value = direction * (new.estimate - old.estimate) + 0.0  # no -0.0
    there: BoolArray = rows > 0
    count = int(np.count_nonzero(there))
    if count < MIN_UNITS:
        return Change(value, None, reason=f"an interval needs at least {MIN_UNITS} units with such rows, not {count}.")
    differences = (new.without - old.without)[there]
    if not np.isfinite(differences).all():
        return Change(value, None, reason="the figure has no value without one of the units.")
    spread = float(np.sum((differences - differences.mean()) ** 2)) * (count - 1) / count
    if np.all(differences == differences[0]):
        spread = 0.0  # a mean of equal values may differ from them by rounding
    effective = int(rows.sum()) ** 2 // int((rows**2).sum())
    return Change(value, math.sqrt(spread), max(effective - 1, 1))
