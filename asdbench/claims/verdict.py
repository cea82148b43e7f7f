"""Verdicts: where an interval over seeds lies against a threshold. Numbers in, words out; no file, no model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from asdbench.claims.claim import MIN_SEEDS, Bound, Statistic
from asdbench.metrics.measured import Measured
from asdbench.metrics.student import student_quantile

Verdict = Literal["reproduced", "not reproduced", "not separable", "cannot be tested here"]

LEVEL = 0.95
"""Of the intervals."""

Figures = Mapping[str, Mapping[int, Measured]]
"""Recipe to seed to a figure."""


@dataclass(frozen=True)
class Spread:
    """A number per seed, their mean, and its interval.

    Attributes:
        by_seed: Of the seeds that have one.
        missing: Seed to why it has none.
        mean: ``None`` without seeds.
        low: Lower end of the 95 % interval by Student's t; ``None`` below two seeds.
        high: Upper end.
    """

    by_seed: Mapping[int, float]
    missing: Mapping[int, str]
    mean: float | None = None
    low: float | None = None
    high: float | None = None


def t_interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float]:
    """Return the interval of the mean of numbers that spread normally: ``mean -+ t(n - 1) * s / sqrt(n)``.

    Args:
        values: At least two.
        level: Share of such intervals that hold the mean of all that there might have been.
    """
    n = len(values)
    mean = math.fsum(values) / n
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    reach = student_quantile((1 + level) / 2, n - 1) * deviation / math.sqrt(n)
    return mean - reach, mean + reach


def spread(values: Mapping[int, float], missing: Mapping[int, str] | None = None) -> Spread:
    """Return numbers with their mean and its interval."""
    found = [values[seed] for seed in sorted(values)]
    mean = math.fsum(found) / len(found) if found else None
    low, high = t_interval(found) if len(found) > 1 else (None, None)
    return Spread(dict(sorted(values.items())), dict(missing or {}), mean, low, high)


def paired(figures: Figures, weights: Mapping[str, float], seeds: Sequence[int]) -> Spread:
    """Return the weighted sum of a figure over arms, seed by seed; a seed that lacks one of them has none.

    Args:
        figures: Of each arm and seed that has been measured.
        weights: Arm to factor.
        seeds: Those that are asked for.
    """
    values, missing = {}, {}
    for seed in seeds:
        found = {arm: figures.get(arm, {}).get(seed) for arm in weights}
        numbers = {arm: value for arm, value in found.items() if value is not None and not isinstance(value, dict)}
        if len(numbers) == len(weights):
            values[seed] = math.fsum(factor * numbers[arm] for arm, factor in weights.items())
        else:
            missing[seed] = "; ".join(_why(arm, found[arm]) for arm in weights if arm not in numbers)
    return spread(values, missing)


def _why(arm: str, value: Measured | None) -> str:
    return f"{arm}: {value['undefined']}" if isinstance(value, dict) else f"{arm} is not measured"


def holds(value: float, bound: Bound) -> bool:
    """Tell whether a number lies on the claim's side; within a rounding error of the threshold it lies on that."""
    if math.isclose(value, bound.threshold, abs_tol=1e-9):
        return not bound.strict
    return (value > bound.threshold) == bound.upwards


def judge(found: Spread, bound: Bound) -> tuple[Verdict, str]:
    """Return the verdict and why.

    Reproduced: all of the interval lies on the claim's side. Not reproduced: all of it lies on the other side. Else, or
    with fewer than three paired seeds, not separable.

    Args:
        found: Of the claim's number.
        bound: Where it is said to lie.
    """
    seeds = len(found.by_seed)
    if seeds < MIN_SEEDS or found.low is None or found.high is None:
        why = next(iter(found.missing.values()), "")
        more = f" ({why.rstrip('.')})" if why else ""
        return "not separable", f"{seeds} paired seeds where {MIN_SEEDS} are the least{more}"
    sides = {holds(end, bound) for end in (found.low, found.high)}
    if sides == {True}:
        return "reproduced", f"all of the interval is {bound.words}"
    if sides == {False}:
        return "not reproduced", f"nothing of the interval is {bound.words}"
    return "not separable", f"the interval holds both sides of {bound.words}"


def lies_there(found: Spread, statistic: Statistic, by: Literal["mean", "interval"]) -> bool:
    """Tell whether what a claim requires holds, by the mean or by all of the interval."""
    if by == "mean":
        return found.mean is not None and holds(found.mean, statistic.bound)
    return judge(found, statistic.bound)[0] == "reproduced"
