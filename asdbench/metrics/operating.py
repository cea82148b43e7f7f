"""What a detector does at one threshold: the four counts, and the figures that papers make of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from asdbench.errors import UndefinedMetricError
from asdbench.metrics.inputs import check_rows, check_threshold


@dataclass(frozen=True)
class OperatingPoint:
    """The four counts at a threshold; a score equal to it is called positive.

    Attributes:
        threshold: On the scale of the scores.
        true_positives: Positive rows called positive.
        false_positives: Negative rows called positive.
        false_negatives: Positive rows called negative.
        true_negatives: Negative rows called negative.
    """

    threshold: float
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def precision(self) -> float:
        """Share of positives among the rows called positive; undefined where none is."""
        return _share(self.true_positives, self.true_positives + self.false_positives, "row is called positive")

    @property
    def recall(self) -> float:
        """Share of the positives called positive (TPR); undefined without positives."""
        return _share(self.true_positives, self.true_positives + self.false_negatives, "row is positive")

    @property
    def specificity(self) -> float:
        """Share of the negatives called negative (TNR); undefined without negatives."""
        return _share(self.true_negatives, self.true_negatives + self.false_positives, "row is negative")

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN); undefined without positives, as AP is."""
        positives = self.true_positives + self.false_negatives
        called = self.true_positives + self.false_positives
        return _share(2 * self.true_positives, positives and positives + called, "row is positive")

    @property
    def balanced_accuracy(self) -> float:
        """Mean of recall and specificity; undefined unless both classes are there."""
        return (self.recall + self.specificity) / 2


def operating_point(labels: ArrayLike, scores: ArrayLike, threshold: float) -> OperatingPoint:
    """Count the rows right and wrong at a threshold that is given, never one chosen on these rows.

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite.
        threshold: On the scale of the scores; a score equal to it is called positive.

    Returns:
        The counts; its properties are the figures, each of which raises ``UndefinedMetricError`` where it has no value.

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1, or a NaN threshold.
        UndefinedMetricError: No rows.

    Source:
        docs/method.md, section 6; van Rijsbergen, Information Retrieval, 1979, for F1.

    Example:
        >>> point = operating_point([1, 1, 0, 0], [2.0, -1.0, 0.0, -3.0], 0.0)
        >>> point.precision, point.recall, point.f1, point.balanced_accuracy
        (0.5, 0.5, 0.5, 0.5)
    """
    positive, values = check_rows(labels, scores)
    called = values >= check_threshold(threshold)
    hits = int(np.count_nonzero(called & positive))
    alarms = int(np.count_nonzero(called)) - hits
    positives = int(np.count_nonzero(positive))
    return OperatingPoint(float(threshold), hits, alarms, positives - hits, len(values) - positives - alarms)


def _share(part: int, whole: int, missing: str) -> float:
    if not whole:
        raise UndefinedMetricError(f"no {missing}.")
    return part / whole
