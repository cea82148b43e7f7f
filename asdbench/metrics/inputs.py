"""The one place where metrics check what they are given.

Broken input (wrong shape, NaN, a label that is neither 0 nor 1) is a ``DataError``; input that is sound but leaves a
metric without a value (no rows, no positives) is an ``UndefinedMetricError``. Neither ever becomes a number.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.errors import DataError, UndefinedMetricError
from asdbench.types import BoolArray

Float64Array = NDArray[np.float64]


def check_scores(scores: ArrayLike, name: str = "scores") -> Float64Array:
    """Return scores as ``[N]`` float64; float32 converts exactly, so ties stay ties.

    Args:
        scores: ``[N]`` finite numbers, ``N`` may be 0.
        name: What the messages call them.

    Raises:
        DataError: Not one-dimensional, not numbers, or not finite (with the count and the first index).

    Example:
        >>> check_scores([1, 2])
        array([1., 2.])
    """
    values = _vector(scores, name).astype(np.float64)
    broken = np.flatnonzero(~np.isfinite(values))
    if len(broken):
        nans = int(np.isnan(values).sum())
        raise DataError(
            f"{name} hold {nans} NaN and {len(broken) - nans} infinite values, the first at index {broken[0]}; "
            "every row needs a finite score."
        )
    return values


def check_labels(labels: ArrayLike) -> BoolArray:
    """Return labels as ``[N]`` bool, True where a row is positive.

    Args:
        labels: ``[N]`` of 0 and 1 (integers, floats or booleans), ``N`` may be 0.

    Raises:
        DataError: Not one-dimensional, not numbers, or a value other than 0 and 1.

    Example:
        >>> check_labels([0, 1])
        array([False,  True])
    """
    values = _vector(labels, "labels")
    positive: BoolArray = values == 1
    wrong = np.flatnonzero(~(positive | (values == 0)))
    if len(wrong):
        raise DataError(
            f"labels must be 0 or 1, but {len(wrong)} are not, the first ({values[wrong[0]]}) at index {wrong[0]}; "
            "remove the rows to ignore before scoring."
        )
    return positive


def check_rows(labels: ArrayLike, scores: ArrayLike) -> tuple[BoolArray, Float64Array]:
    """Return (positive, scores) of rows that carry both a label and a score.

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite.

    Raises:
        DataError: See ``check_labels`` and ``check_scores``; or the lengths differ.
        UndefinedMetricError: There are no rows.

    Example:
        >>> positive, values = check_rows([0, 1], [0.5, 2.0])
    """
    positive, values = check_labels(labels), check_scores(scores)
    _same_length("labels", positive, "scores", values)
    return positive, values


def check_pairs(clean: ArrayLike, changed: ArrayLike) -> tuple[Float64Array, Float64Array]:
    """Return the scores of the same rows before and after a change.

    Args:
        clean: ``[N]`` finite scores on clean media.
        changed: ``[N]`` finite scores of the same rows, in the same order, on changed media.

    Raises:
        DataError: See ``check_scores``; or the lengths differ.
        UndefinedMetricError: There are no rows.

    Example:
        >>> clean, changed = check_pairs([2.0, 1.0], [0.0, 1.5])
    """
    before, after = check_scores(clean, "clean scores"), check_scores(changed, "changed scores")
    _same_length("clean scores", before, "changed scores", after)
    return before, after


def check_threshold(threshold: float) -> float:
    """Return a threshold that scores can be compared with; only NaN cannot.

    Raises:
        DataError: The threshold is NaN (every comparison would be false, and the rate a plausible 0).

    Example:
        >>> check_threshold(0.5)
        0.5
    """
    if math.isnan(threshold):
        raise DataError("the threshold is NaN; give a number on the scale of the scores.")
    return float(threshold)


def require_rows(count: int) -> None:
    """Refuse to go on without rows.

    Raises:
        UndefinedMetricError: ``count`` is 0.

    Example:
        >>> require_rows(3)
    """
    if not count:
        raise UndefinedMetricError("no rows remain.")


def require_positives(positive: BoolArray) -> int:
    """Return how many rows are positive.

    Raises:
        UndefinedMetricError: None is.

    Example:
        >>> require_positives(np.array([True, False]))
        1
    """
    count = int(np.count_nonzero(positive))
    if not count:
        raise UndefinedMetricError("no positive rows remain.")
    return count


def require_negatives(positive: BoolArray) -> int:
    """Return how many rows are negative.

    Raises:
        UndefinedMetricError: None is.

    Example:
        >>> require_negatives(np.array([True, False, False]))
        2
    """
    count = len(positive) - int(np.count_nonzero(positive))
    if not count:
        raise UndefinedMetricError("no negative rows remain.")
    return count


def check_weights(weights: ArrayLike, count: int) -> NDArray[np.int64]:
    """Return weights as ``[C]`` int64.

    Raises:
        DataError: Not ``count`` whole numbers from 0.

    Example:
        >>> check_weights([1, 2], 2)
        array([1, 2])
    """
    values = np.asarray(weights)
    if values.shape != (count,) or values.dtype.kind not in "iu" or (values < 0).any():
        raise DataError(f"weights must be {count} whole numbers from 0, one per unit.")
    return values.astype(np.int64)


def check_units(units: ArrayLike, count: int, rows: int) -> NDArray[np.intp]:
    """Return the unit of each row as ``[rows]``.

    Raises:
        DataError: Not ``rows`` whole numbers from 0 to ``count - 1``.

    Example:
        >>> check_units([0, 1, 1], 2, 3)
        array([0, 1, 1])
    """
    values = np.asarray(units)
    if values.shape != (rows,) or values.dtype.kind not in "iu":
        raise DataError(f"units must be {rows} whole numbers, one per row.")
    if len(values) and not (values.min() >= 0 and values.max() < count):
        raise DataError(f"units must lie in 0 to {count - 1}, but go from {values.min()} to {values.max()}.")
    return values.astype(np.intp)  # what numpy looks up with, two times as fast as int32


def _vector(values: ArrayLike, name: str) -> NDArray[np.generic]:
    try:
        array = np.asarray(values)
    except ValueError as error:  # lists of unequal length
        raise DataError(f"{name} are not a one-dimensional array: {error}.") from error
    if array.ndim != 1:
        raise DataError(f"{name} must have one dimension, but their shape is {array.shape}.")
    if array.dtype.kind not in "fiub":
        raise DataError(f"{name} must be real numbers, but their type is {array.dtype}.")
    return array


def _same_length(first_name: str, first: NDArray[np.generic], second_name: str, second: NDArray[np.generic]) -> None:
    if len(first) != len(second):
        raise DataError(
            f"there are {len(first)} {first_name} but {len(second)} {second_name}; each row needs one of both."
        )
    require_rows(len(first))
