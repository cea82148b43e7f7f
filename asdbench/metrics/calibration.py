"""Whether a probability of 0.8 means that four of five such rows are positive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.errors import DataError, UsageError
from asdbench.metrics.inputs import Float64Array, check_rows, check_scores


@dataclass(frozen=True, eq=False)
class Reliability:
    """What a reliability diagram shows, per bin of equal width of the probability.

    Attributes:
        edges: ``[B + 1]`` from 0 to 1.
        rows: ``[B]`` int64, rows whose probability lies in the bin.
        confidence: ``[B]`` mean probability, NaN in an empty bin.
        frequency: ``[B]`` share of positives, NaN in an empty bin.
        place: ``[N]``, the bin of each row.
    """

    edges: Float64Array
    rows: NDArray[np.int64]
    confidence: Float64Array
    frequency: Float64Array
    place: NDArray[np.intp]

    @property
    def expected_calibration_error(self) -> float:
        """Mean distance between confidence and frequency, weighted by rows; in [0, 1]."""
        filled = self.rows > 0
        gap = np.abs(self.confidence[filled] - self.frequency[filled])
        return float(np.sum(gap * self.rows[filled]) / self.rows.sum())


def probability(scores: ArrayLike) -> Float64Array:
    """Return the probability of log-odds: ``1 / (1 + exp(-score))``.

    Args:
        scores: ``[N]`` finite log-odds.

    Returns:
        ``[N]`` in [0, 1].

    Raises:
        DataError: Wrong shape, or non-finite scores.

    Source:
        docs/method.md, section 6 ("score").

    Example:
        >>> probability([0.0])
        array([0.5])
    """
    values = check_scores(scores)
    small = np.exp(-np.abs(values))  # never overflows
    result: Float64Array = np.where(values >= 0, 1.0, small) / (1 + small)
    return result


def brier_score(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean squared distance between probability and label.

    Args:
        labels: ``[N]`` of 0 and 1.
        probabilities: ``[N]`` in [0, 1]; log-odds go through ``probability`` first.

    Returns:
        In [0, 1]: 0 for certainty that is always right, 0.25 for a constant 0.5.

    Raises:
        DataError: Wrong shapes, labels other than 0 and 1, or a value outside [0, 1].
        UndefinedMetricError: No rows.

    Source:
        Brier, Monthly Weather Review 1950, for two classes and without its factor 2.

    Example:
        >>> brier_score([1, 0], [0.5, 0.5])
        0.25
    """
    positive, values = _check(labels, probabilities)
    return float(np.mean((values - positive) ** 2))


def reliability(labels: ArrayLike, probabilities: ArrayLike, bins: int = 15) -> Reliability:
    """Compare probability and frequency in bins of equal width; its property is the expected calibration error.

    Bin ``b`` of ``B`` holds ``b / B <= p < (b + 1) / B``, the last one 1 as well. A single probability is that of the
    positive class, so 0.1 for a negative row is *well* calibrated; papers on many classes use that of the class chosen.

    Args:
        labels: ``[N]`` of 0 and 1.
        probabilities: ``[N]`` in [0, 1]; log-odds go through ``probability`` first.
        bins: How many.

    Returns:
        Rows, mean probability and share of positives per bin.

    Raises:
        DataError: Wrong shapes, labels other than 0 and 1, or a value outside [0, 1].
        UndefinedMetricError: No rows.
        UsageError: Less than one bin.

    Source:
        Guo et al., On Calibration of Modern Neural Networks, ICML 2017, section 2 (15 bins).

    Example:
        >>> reliability([1, 0, 1, 1], [0.75, 0.75, 0.75, 0.75]).expected_calibration_error
        0.0
    """
    if bins < 1:
        raise UsageError(f"there must be at least one bin, not {bins}.")
    positive, values = _check(labels, probabilities)
    edges = np.arange(bins + 1) / bins
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
    rows = np.bincount(place, minlength=bins).astype(np.int64)
    with np.errstate(invalid="ignore"):
        confidence = np.bincount(place, values, bins) / rows
        frequency = np.bincount(place, positive.astype(np.float64), bins) / rows
    return Reliability(edges, rows, confidence, frequency, place)


def _check(labels: ArrayLike, probabilities: ArrayLike) -> tuple[Float64Array, Float64Array]:
    positive, values = check_rows(labels, probabilities)
    outside = np.flatnonzero((values < 0) | (values > 1))
    if len(outside):
        raise DataError(
            f"{len(outside)} probabilities lie outside [0, 1], the first ({values[outside[0]]:g}) at index "
            f"{outside[0]}; calibration needs probabilities, not log-odds."
        )
    return positive.astype(np.float64), values
