"""How much each modality contributes to a figure, by Shapley's rule over two players (docs/method.md, section 7)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asdbench.errors import DataError, UndefinedMetricError
from asdbench.metrics.inputs import Float64Array

Values = float | Float64Array


@dataclass(frozen=True)
class Reliance:
    """What sound and lips contribute.

    ``phi_audio + phi_video = total``, up to rounding. Values may be negative or exceed 1: a modality can harm.

    Attributes:
        both: v(AV), everything as recorded.
        video: v(V), the sound replaced.
        audio: v(A), the faces replaced.
        neither: v(empty), both replaced, independently; in theory 0.
        phi_audio: Shapley value of the sound.
        phi_video: Shapley value of the faces.
        interaction: v(AV) - v(A) - v(V) + v(empty): above 0 where the two together give more than each alone.
    """

    both: float
    video: float
    audio: float
    neither: float
    phi_audio: float
    phi_video: float
    interaction: float

    @property
    def total(self) -> float:
        """v(AV) - v(empty): what is shared out."""
        return self.both - self.neither

    def shares(self, total_low: float | None, total_high: float | None) -> tuple[float, float]:
        """Return (audio, video) as shares of the total, unclipped: they sum to 1 and either may leave [0, 1].

        Args:
            total_low: Lower end of the interval of ``total``; ``None`` without an interval.
            total_high: Upper end.

        Raises:
            UndefinedMetricError: The interval holds 0, or there is none.
        """
        if total_low is None or total_high is None:
            raise UndefinedMetricError("v(AV) - v(empty) has no interval, so it may be 0 and has no shares.")
        if total_low <= 0 <= total_high:
            raise UndefinedMetricError(
                f"the interval of v(AV) - v(empty), [{total_low:.3f}, {total_high:.3f}], includes 0: no shares."
            )
        return self.phi_audio / self.total, self.phi_video / self.total


def reliance(both: float, video: float, audio: float, neither: float) -> Reliance:
    """Share a figure out between sound and lips.

    ::

        phi_A = 1/2 (v(AV) - v(V) + v(A) - v(empty))
        phi_V = 1/2 (v(AV) - v(A) + v(V) - v(empty))

    Args:
        both: v(AV) of a figure on a scale where chance is 0 (``rescaled_ap``, ``rescaled_balanced_accuracy``).
        video: v(V), with the sound replaced; the mean over plans where there are several (``mean_value``).
        audio: v(A), with the faces replaced.
        neither: v(empty), with both replaced, measured.

    Returns:
        The four values and what follows from them.

    Raises:
        DataError: A value is not finite.

    Source:
        docs/method.md, section 7; Shapley 1953; for models of two modalities, Hu et al., SHAPE, IJCAI 2022.

    Example:
        >>> found = reliance(both=0.75, video=0.5, audio=0.25, neither=0.0)
        >>> found.phi_audio, found.phi_video, found.interaction
        (0.25, 0.5, 0.0)
    """
    for name, value in (("v(AV)", both), ("v(V)", video), ("v(A)", audio), ("v(empty)", neither)):
        if not math.isfinite(value):
            raise DataError(f"{name} is {value}; modality reliance needs four finite values.")
    return Reliance(both, video, audio, neither, *(float(each) for each in contributions(both, video, audio, neither)))


def contributions(
    both: Values, video: Values, audio: Values, neither: Values
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Return phi_A, phi_V and the interaction, element by element, so that resamples can be shared out too.

    Args:
        both: v(AV), a number or ``[B]`` of them.
        video: v(V).
        audio: v(A).
        neither: v(empty).

    Returns:
        (phi_A, phi_V, interaction).

    Raises:
        Nothing.

    Source:
        As ``reliance``.

    Example:
        >>> tuple(float(each) for each in contributions(0.75, 0.5, 0.25, 0.0))
        (0.25, 0.5, 0.0)
    """
    av, v, a, none = (np.asarray(each, dtype=np.float64) for each in (both, video, audio, neither))
    return ((av - v) + (a - none)) / 2, ((av - a) + (v - none)) / 2, (av - a) - (v - none)


def mean_value(values: Sequence[float]) -> float:
    """Mean of a figure over the plans of a condition.

    Args:
        values: One per plan.

    Returns:
        Their mean.

    Raises:
        DataError: A value is not finite.
        UndefinedMetricError: There are none.

    Source:
        docs/method.md, section 7 (mean of 5 plans).

    Example:
        >>> mean_value([0.25, 0.75])
        0.5
    """
    if not values:
        raise UndefinedMetricError("no plan has a value.")
    if not all(math.isfinite(value) for value in values):
        raise DataError("a value of a plan is not finite.")
    return math.fsum(values) / len(values)


def rescaled_balanced_accuracy(balanced_accuracy: float) -> float:
    """Balanced accuracy on a scale where chance is 0 and perfection 1: ``2 BA - 1``.

    Args:
        balanced_accuracy: In [0, 1].

    Returns:
        In [-1, 1].

    Raises:
        DataError: NaN, or outside [0, 1].

    Source:
        docs/method.md, section 7; it is Youden's J.

    Example:
        >>> rescaled_balanced_accuracy(0.75)
        0.5
    """
    if not 0 <= balanced_accuracy <= 1:
        raise DataError(f"a balanced accuracy must lie in [0, 1], not be {balanced_accuracy}.")
    return 2 * balanced_accuracy - 1
