"""Intervals read off resampled values, and what the interval of a difference shows (docs/method.md, section 10)."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from asdbench.errors import UndefinedMetricError, UsageError
from asdbench.metrics.bootstrap import Replicates
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.student import expanded_quantile
from asdbench.metrics.units import FEW_UNITS, MIN_UNITS

LEVEL = 0.95
MAX_UNDEFINED = 0.05
"""With a larger share of resamples in which the statistic has no value, there is no interval."""

Status = Literal["ok", "indicative", "none"]
Verdict = Literal["better", "worse", "not separable"]
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Interval:
    """A figure with its interval.

    Attributes:
        estimate: The figure itself.
        low: Lower end, percentile; ``None`` where there is no interval.
        high: Upper end, percentile.
        bca_low: Lower end, BCa; ``None`` where it has none.
        bca_high: Upper end, BCa.
        units: Number of units.
        undefined: Resamples in which the figure has no value; they are left out.
        status: ``ok``, ``indicative`` (fewer than 20 units) or ``none``.
        reason: Why there is no interval, or no BCa; empty otherwise.
    """

    estimate: float
    low: float | None
    high: float | None
    bca_low: float | None
    bca_high: float | None
    units: int
    undefined: int
    status: Status
    reason: str = ""


def interval(replicates: Replicates, level: float = LEVEL) -> Interval:
    """Read the interval off resampled values.

    Percentile: the quantiles ``q`` and ``1 - q`` of the resampled values (linear between order statistics), where
    ``q`` is the tail ``(1 - level) / 2`` after ``expanded_tail`` for the effective number of units: with the few and
    uneven recordings of this field, the plain tail gives intervals that are too short. BCa: the same at probabilities
    ``Phi(z0 + (z0 + z) / (1 - a (z0 + z)))``, z being the normal quantiles of ``q`` and ``1 - q``, with the bias
    ``z0 = Phi^-1(share of values below the estimate, equal ones half)`` and the acceleration
    ``a = sum d^3 / (6 (sum d^2)^1.5)``, d being mean minus value of the statistic without each unit.

    Args:
        replicates: From ``replicate`` or ``combine``.
        level: Share of such intervals that hold the true value, in (0, 1).

    Returns:
        The interval: none with fewer than 5 units or too many undefined resamples, indicative with fewer than 20 units.

    Raises:
        UsageError: ``level`` is outside (0, 1).

    Source:
        docs/method.md, section 10; Efron, Better Bootstrap Confidence Intervals, JASA 1987; Hesterberg, What Teachers
        Should Know About the Bootstrap, The American Statistician 2015, for the tails.

    Example:
        >>> from asdbench.metrics.bootstrap import Resampling
        >>> interval(Replicates(Resampling(3), 0.5, np.empty(0), np.empty(0))).reason
        'an interval needs at least 5 units, and there are 3.'
    """
    if not 0 < level < 1:
        raise UsageError(f"the level of an interval must lie between 0 and 1, not be {level}.")
    units, estimate = replicates.resampling.units, replicates.estimate
    if units < MIN_UNITS:
        reason = f"an interval needs at least {MIN_UNITS} units, and there are {units}."
        return Interval(estimate, None, None, None, None, units, 0, "none", reason)
    if not len(replicates.resampled):
        return Interval(estimate, None, None, None, None, units, 0, "none", "nothing was resampled.")
    values = np.sort(replicates.resampled[np.isfinite(replicates.resampled)])
    undefined = len(replicates.resampled) - len(values)
    if undefined > MAX_UNDEFINED * len(replicates.resampled):
        reason = f"the figure has no value in {undefined} of {len(replicates.resampled)} resamples."
        return Interval(estimate, None, None, None, None, units, undefined, "none", reason)
    z = expanded_quantile((1 - level) / 2, max(2, replicates.resampling.effective or units))
    low, high = _quantiles(values, _NORMAL.cdf(z), _NORMAL.cdf(-z))
    status: Status = "indicative" if units < FEW_UNITS else "ok"
    try:
        bca_low, bca_high = _bca(values, estimate, replicates.left_out, z)
    except UndefinedMetricError as error:
        return Interval(estimate, low, high, None, None, units, undefined, status, str(error))
    return Interval(estimate, low, high, bca_low, bca_high, units, undefined, status)


def verdict(difference: Interval) -> Verdict | None:
    """Say what the interval of a difference new - old shows, for a figure of which more is better.

    Args:
        difference: The interval of the difference.

    Returns:
        ``better`` where the percentile interval lies above 0, ``worse`` where it lies below, else ``not separable``;
        ``None`` without an interval.

    Raises:
        Nothing.

    Source:
        docs/method.md, section 10.

    Example:
        >>> verdict(Interval(0.0, 0.0, 0.0, 0.0, 0.0, 20, 0, "ok"))
        'not separable'
    """
    if difference.low is None or difference.high is None:
        return None
    if difference.low > 0:
        return "better"
    return "worse" if difference.high < 0 else "not separable"


def _quantiles(ordered: Float64Array, *shares: float) -> tuple[float, ...]:
    return tuple(float(value) for value in np.interp(shares, np.linspace(0, 1, len(ordered)), ordered))


def _bca(ordered: Float64Array, estimate: float, left_out: Float64Array, quantile: float) -> tuple[float, float]:
    if not np.isfinite(left_out).all():
        raise UndefinedMetricError("no BCa interval: the figure has no value without one of the units.")
    if ordered[0] == ordered[-1] == estimate:
        return estimate, estimate
    below = (np.sum(ordered < estimate) + np.sum(ordered <= estimate)) / (2 * len(ordered))
    if not 0 < below < 1:
        raise UndefinedMetricError("no BCa interval: all resamples lie on one side of the figure.")
    bias = _NORMAL.inv_cdf(float(below))
    distance = left_out.mean() - left_out
    spread = float(np.sum(distance**2)) ** 1.5
    acceleration = float(np.sum(distance**3)) / (6 * spread) if spread else 0.0
    tails = []
    for z in (bias + quantile, bias - quantile):
        if acceleration * z >= 1:
            raise UndefinedMetricError("no BCa interval: one unit outweighs all others.")
        tails.append(_NORMAL.cdf(bias + z / (1 - acceleration * z)))
    low, high = _quantiles(ordered, *tails)
    return low, high
