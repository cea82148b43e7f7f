"""Running sums and maxima down the columns of an array, several times as fast as ``ufunc.accumulate`` does them."""

from __future__ import annotations

import numpy as np

from asdbench.metrics.inputs import Float64Array

_GROUP = 8


def scan(ufunc: np.ufunc, values: Float64Array) -> Float64Array:
    """Replace each row by what it makes with all rows before it.

    Numpy walks down one column after the other. Here groups of eight rows are first combined within, all groups by
    one call, then each group with the last row of the group before.

    Args:
        ufunc: ``np.add`` or ``np.maximum``: of two arguments, associative.
        values: ``[n, b]``, overwritten.

    Returns:
        ``values``. Sums of whole numbers are exact, others may differ from ``np.cumsum`` by rounding.

    Raises:
        Nothing.

    Source:
        Blelloch, Prefix Sums and Their Applications, 1990.

    Example:
        >>> scan(np.add, np.ones((3, 1))).tolist()
        [[1.0], [2.0], [3.0]]
    """
    whole = len(values) // _GROUP * _GROUP
    if whole > _GROUP:
        groups = values[:whole].reshape(-1, _GROUP, values.shape[1])
        for row in range(1, _GROUP):
            ufunc(groups[:, row - 1], groups[:, row], out=groups[:, row])
        ends = scan(ufunc, groups[:, -1].copy())
        ufunc(groups[1:], ends[:-1, None], out=groups[1:])
    else:
        whole = min(1, len(values))
    for row in range(whole, len(values)):
        ufunc(values[row - 1], values[row], out=values[row])
    return values
