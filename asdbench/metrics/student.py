"""Student's t distribution, for the few recordings that data sets of this field have."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

from asdbench.errors import UsageError


def expanded_tail(tail: float, units: int) -> float:
    """Return the tail at which a percentile interval of few units must be read to hold what it promises.

    Resampling C units gives values that spread too little by ``sqrt((C - 1) / C)`` and takes their spread as known.
    Both are made good by the tail ``Phi(sqrt(C / (C - 1)) * t)``, t being the quantile of Student's t with C - 1
    degrees of freedom at the wanted tail: 0.0193 instead of 0.025 for 33 units, 0.0010 for 5.

    Args:
        tail: Wanted share beyond one end, in (0, 0.5).
        units: ``C``, at least 2.

    Returns:
        A tail below the wanted one; 0 for the very fewest units, where an interval spans all resamples.

    Raises:
        UsageError: An argument is out of range.

    Source:
        Hesterberg, What Teachers Should Know About the Bootstrap, The American Statistician 2015 (expanded percentile
        interval).

    Example:
        >>> round(expanded_tail(0.025, 33), 4)
        0.0193
    """
    return NormalDist().cdf(expanded_quantile(tail, units))


@lru_cache(maxsize=256)
def expanded_quantile(tail: float, units: int) -> float:
    """Return the normal quantile of ``expanded_tail``, which is exact where the tail itself is too small for a float.

    Args:
        tail: Wanted share beyond one end, in (0, 0.5).
        units: At least 2.

    Returns:
        ``sqrt(C / (C - 1)) * t``, below 0.

    Raises:
        UsageError: An argument is out of range.

    Source:
        See ``expanded_tail``.

    Example:
        >>> round(expanded_quantile(0.025, 2), 2)
        -17.97
    """
    if not (0 < tail < 0.5 and units >= 2):
        raise UsageError(f"a tail of {tail} with {units} units makes no interval.")
    return math.sqrt(units / (units - 1)) * student_quantile(tail, units - 1)


@lru_cache(maxsize=1024)
def student_quantile(share: float, freedom: int) -> float:
    """Quantile of Student's t distribution, by bisection.

    Args:
        share: In (0, 1).
        freedom: Degrees of freedom, at least 1.

    Returns:
        The quantile; negative below one half.

    Raises:
        UsageError: An argument is out of range.

    Source:
        Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4, for the distribution.

    Example:
        >>> round(student_quantile(0.975, 10), 4)
        2.2281
    """
    if not (0 < share < 1 and freedom >= 1):
        raise UsageError(f"no quantile of Student's t at {share} with {freedom} degrees of freedom.")
    if share < 0.5:
        return -student_quantile(1 - share, freedom)
    low, high = 0.0, 1.0
    while _within(high, freedom) < 2 * share - 1:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        if _within(middle, freedom) < 2 * share - 1:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def student_tail(t: float, freedom: int) -> float:
    """Probability of a value of at most ``t``: the inverse of ``student_quantile``.

    Args:
        t: Any number.
        freedom: Degrees of freedom, at least 1.

    Returns:
        In [0, 1].

    Raises:
        UsageError: Fewer than 1 degree of freedom.

    Source:
        See ``student_quantile``.

    Example:
        >>> round(student_tail(-2.2281, 10), 4)
        0.025
    """
    if freedom < 1:
        raise UsageError(f"Student's t needs at least 1 degree of freedom, not {freedom}.")
    beyond = max(0.0, 1 - _within(abs(t), freedom)) / 2  # rounding may take it below 0
    return 1 - beyond if t > 0 else beyond


def _within(t: float, freedom: int) -> float:
    """Probability of a value between -t and t."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine = math.cos(angle)
    term = cosine if freedom % 2 else 1.0
    total = term if freedom > 1 else 0.0
    for number in range(3 if freedom % 2 else 2, freedom - 1, 2):
        term *= cosine * cosine * (number - 1) / number
        total += term
    if freedom % 2:
        return 2 / math.pi * (angle + math.sin(angle) * total)
    return math.sin(angle) * total
