"""Which videos may be dubbed: a model hears less speech in them than its lips-only twin sees (docs/method.md, 9)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from asdbench.errors import UndefinedMetricError
from asdbench.metrics.inputs import check_pairs, check_scores, check_threshold

MIN_POSITIVE_ROWS = 100
"""With fewer positive rows a video is not judged."""

SUSPECT_Z = -3.5
"""At most this robust z makes a video a suspect: the bound of Iglewicz and Hoaglin for outliers of one median."""

_MAD_TO_DEVIATION = 1.4826
"""Makes the median absolute deviation of a normal distribution its standard deviation."""


@dataclass(frozen=True, eq=False)
class RobustScale:
    """Centre and spread of the videos of a data set, hardly moved by the few that stand out.

    Attributes:
        centre: Median.
        spread: 1.4826 times the median absolute deviation from it, above 0.
    """

    centre: float
    spread: float

    def z(self, value: float) -> float:
        """Return how many spreads a value lies above the centre; also for the ends of an interval of it."""
        return (value - self.centre) / self.spread


def tpr_gap(model: ArrayLike, lips_only: ArrayLike, model_threshold: float, lips_threshold: float) -> float:
    """TPR of a model minus TPR of a model that only sees, on the positive rows of one video.

    Args:
        model: ``[N]`` finite scores of the positive rows.
        lips_only: ``[N]`` finite scores of the same rows by a video-only head or a lip model.
        model_threshold: The model's threshold, frozen on the clean run.
        lips_threshold: That of the video-only model.

    Returns:
        In [-1, 1]; low where lips move and the model does not believe the sound.

    Raises:
        DataError: Wrong shapes, non-finite scores, or a NaN threshold.
        UndefinedMetricError: Fewer than 100 rows.

    Source:
        docs/method.md, section 9.

    Example:
        >>> tpr_gap([1.0] * 50 + [-1.0] * 50, [1.0] * 100, 0.0, 0.0)
        -0.5
    """
    heard, seen = check_pairs(model, lips_only)
    if len(heard) < MIN_POSITIVE_ROWS:
        raise UndefinedMetricError(
            f"{len(heard)} positive rows are fewer than the {MIN_POSITIVE_ROWS} that are needed."
        )
    found = int(np.count_nonzero(heard >= check_threshold(model_threshold)))
    expected = int(np.count_nonzero(seen >= check_threshold(lips_threshold)))
    return (found - expected) / len(heard)


def robust_scale(values: ArrayLike) -> RobustScale:
    """Return median and scaled median absolute deviation of the gaps of all judged videos.

    Args:
        values: ``[V]`` finite.

    Returns:
        Centre and spread.

    Raises:
        DataError: Wrong shape, or values that are not finite.
        UndefinedMetricError: Fewer than 3 videos, or more than half of them have the same value.

    Source:
        docs/method.md, section 9; Rousseeuw and Croux, JASA 1993, for the constant; Iglewicz and Hoaglin, How to Detect
        and Handle Outliers, 1993, for the z and its bound 3.5.

    Example:
        >>> scale = robust_scale([0.0, 0.1, -0.1, 0.05, -0.9])
        >>> round(scale.z(-0.9), 2)
        -6.07
    """
    numbers = check_scores(values, "gaps")
    if len(numbers) < 3:
        raise UndefinedMetricError(f"{len(numbers)} videos have enough positive rows; a robust z needs at least 3.")
    centre = float(np.median(numbers))
    spread = _MAD_TO_DEVIATION * float(np.median(np.abs(numbers - centre)))
    if spread == 0:
        raise UndefinedMetricError("more than half of the videos have the same gap, so their spread is 0.")
    return RobustScale(centre, spread)
