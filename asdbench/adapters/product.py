"""Log-odds of a product of probabilities: several independent things must all hold. Safe at 0 and at 1."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from asdbench.types import Float32Array

Float64Array: TypeAlias = NDArray[np.float64]

_LEAST_LOG = -30.0
_GREATEST_LOG = -1e-13  # a probability so near 1 has log-odds of 30, the bound of docs/method.md, section 6


def log_probability(log_odds: NDArray[np.floating]) -> Float64Array:
    """Return the logarithm of the probability that log-odds, any real numbers, stand for."""
    logarithm: Float64Array = -np.logaddexp(0, -log_odds.astype(np.float64))
    return logarithm


def log_odds_of_all(*logs: Float64Array) -> Float32Array:
    """Return the log-odds, within -30 and 30, of the product of probabilities.

    Args:
        *logs: The logarithm of each, ``[T]``: from minus infinity to 0.
    """
    both = np.clip(sum(logs), _LEAST_LOG, _GREATEST_LOG)
    log_odds: Float32Array = (both - np.log(-np.expm1(both))).astype(np.float32)
    return log_odds
