"""Mean and interval over seeds, as the tables of docs/demo_data.md print them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_T95 = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26}
"""Student's t, 97.5 %, by degrees of freedom."""


def mean_and_interval(values: NDArray[np.float64]) -> str:
    """Return mean and 95 % interval (Student's t) of up to ten values; the value itself where there is one."""
    if len(values) < 2:
        return f"{values.mean():.3f}"
    reach = _T95[len(values) - 1] * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():.3f} [{values.mean() - reach:.3f}, {values.mean() + reach:.3f}]"
