"""Noise that is the same on every machine and with every version of numpy: whole numbers out of SHAKE-256.

Numpy does not promise that the streams of its generators stay what they are.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

_TERMS = 8
_MEAN, _SPREAD = _TERMS * 65535 / 2, float(np.sqrt(_TERMS * (65536**2 - 1) / 12))


def uniform(seed: str, count: int) -> NDArray[np.float64]:
    """Return ``count`` numbers in [0, 1), multiples of 2^-32, that depend on the text ``seed`` alone."""
    data = hashlib.shake_256(seed.encode()).digest(4 * count)
    return np.frombuffer(data, dtype="<u4").astype(np.float64) / 2**32


def normal(seed: str, count: int) -> NDArray[np.float64]:
    """Return ``count`` numbers of mean 0 and variance 1, nearly Gaussian, that depend on the text ``seed`` alone.

    Each is the sum of eight uniform 16-bit numbers (Irwin-Hall), so none lies beyond +-4.9.
    """
    data = hashlib.shake_256(seed.encode()).digest(2 * _TERMS * count)
    sums = np.frombuffer(data, dtype="<u2").reshape(count, _TERMS).sum(axis=1, dtype=np.int64)
    values: NDArray[np.float64] = (sums - _MEAN) / _SPREAD
    return values
