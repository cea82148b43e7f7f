"""The mean of a value per row as a statistic for ``bootstrap.replicate``."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.metrics.bootstrap import Statistic
from asdbench.metrics.inputs import check_scores, require_rows


def mean_of(values: ArrayLike, units: ArrayLike, count: int) -> Statistic:
    """Mean over rows, each counted as often as its unit.

    Args:
        values: ``[N]`` finite, such as the squared error of each row.
        units: ``[N]`` int, the unit of each row, 0 to ``count - 1``.
        count: Number of units ``C``.

    Returns:
        A function of ``[C]`` weights.

    Raises:
        DataError: Wrong shape, or values that are not finite.
        UndefinedMetricError: When called, if no row has a weight.

    Source:
        docs/method.md, section 10.

    Example:
        >>> mean_of([1.0, 2.0, 6.0], [0, 0, 1], 2)([1, 2])
        3.75
    """
    numbers = check_scores(values, "values")
    unit = np.asarray(units)
    sums = np.bincount(unit, numbers, count)
    rows = np.bincount(unit, minlength=count)

    def statistic(weights: NDArray[np.int64]) -> float:
        total = int(weights @ rows)
        require_rows(total)
        return float(weights @ sums) / total

    return statistic
