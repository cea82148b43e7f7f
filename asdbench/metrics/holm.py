"""Several tests at once: Holm's step-down procedure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float], tail: float) -> tuple[list[float], list[float]]:
    """Correct p-values for their number.

    Of ``m`` tests, that with the smallest p-value is held against ``tail / m``, the next against ``tail / (m - 1)``,
    and so on until one does not reach its tail; those after it are held against the same tail. Under any dependence
    the probability of a false alarm among all tests is at most ``tail``.

    Args:
        p_values: One per test.
        tail: Wanted probability of one false alarm or more.

    Returns:
        The adjusted p-values, to be compared with ``tail``, and the tail that each test was held against: it finds
        something exactly where ``p <= tail`` of its own.

    Raises:
        Nothing.

    Source:
        Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 1979.

    Example:
        >>> holm([0.04, 0.01, 0.03], 0.05)
        ([0.06, 0.03, 0.06], [0.025, 0.016666666666666666, 0.025])
    """
    count = len(p_values)
    adjusted, tails = [0.0] * count, [0.0] * count
    largest, going, own = 0.0, True, tail
    for place, index in enumerate(np.argsort(np.asarray(p_values, dtype=np.float64), kind="stable")):
        largest = max(largest, min(1.0, (count - place) * p_values[index]))
        if going:
            own = tail / (count - place)
            going = p_values[index] <= own
        adjusted[index], tails[index] = largest, own
    return adjusted, tails
