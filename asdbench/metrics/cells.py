"""Breakdowns: the same figures on parts of the rows (docs/method.md, section 11)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.errors import DataError
from asdbench.metrics.average_precision import average_precision_step, average_precision_tie_safe
from asdbench.metrics.inputs import check_rows, check_scores, check_threshold
from asdbench.metrics.measured import Measured, measure
from asdbench.metrics.rates import false_positive_rate, true_positive_rate
from asdbench.metrics.roc import auroc
from asdbench.types import BoolArray

SMALL_FACE, LARGE_FACE = 64.0, 128.0
"""Pixels of width: small below the first, large above the second, both bounds themselves in the middle."""

FACE_WIDTHS = ("< 64 px", "64-128 px", "> 128 px")
FACE_COUNTS = ("1 face", "2 faces", "3+ faces")
TERCILES = ("lowest third", "middle third", "highest third")


@dataclass(frozen=True)
class Cell:
    """The figures of one part of the rows; APs of parts with different base rates do not compare.

    Attributes:
        positives: Positive rows.
        negatives: Negative rows.
        base_rate: Share of positives, or undefined without rows.
        ap: Tie-safe AP of the rule ``ava``.
        ap_step: AP of the rule ``ap``.
        auroc: Area under the ROC curve, which does not depend on the base rate.
        tpr: True positive rate at the global threshold.
        fpr: False positive rate at the global threshold.
    """

    positives: int
    negatives: int
    base_rate: Measured
    ap: Measured
    ap_step: Measured
    auroc: Measured
    tpr: Measured
    fpr: Measured


def cell(labels: ArrayLike, scores: ArrayLike, threshold: float) -> Cell:
    """Compute the figures of one part of the rows.

    Args:
        labels: ``[N]`` of 0 and 1, ``N`` may be 0.
        scores: ``[N]`` finite.
        threshold: Frozen on *all* clean rows, never on the part.

    Returns:
        The cell; what has no value says why.

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1, or a NaN threshold.

    Source:
        docs/method.md, section 11.

    Example:
        >>> cell([1, 0], [2.0, 1.0], 1.5).fpr, cell([], [], 0.0).ap
        (0.0, {'undefined': 'no rows remain.'})
    """
    check_threshold(threshold)
    positives = negatives = 0
    if len(np.asarray(labels)) or len(np.asarray(scores)):
        positive, _ = check_rows(labels, scores)
        positives = int(np.count_nonzero(positive))
        negatives = len(positive) - positives
    rows = positives + negatives
    return Cell(
        positives,
        negatives,
        positives / rows if rows else {"undefined": "no rows remain."},
        measure(lambda: average_precision_tie_safe(labels, scores)),
        measure(lambda: average_precision_step(labels, scores)),
        measure(lambda: auroc(labels, scores)),
        measure(lambda: true_positive_rate(labels, scores, threshold)),
        measure(lambda: false_positive_rate(labels, scores, threshold)),
    )


def face_width_band(widths_px: ArrayLike) -> NDArray[np.int8]:
    """Return the band of face width of each row: 0 below 64 pixels, 1 from 64 to 128, 2 above.

    Per frame, and only where the width of the frame is known: boxes are shares of it.

    Args:
        widths_px: ``[N]`` above 0.

    Returns:
        ``[N]``, an index into ``FACE_WIDTHS``.

    Raises:
        DataError: Wrong shape, or a width that is not a positive number.

    Source:
        docs/method.md, section 11. Papers say neither what 64 and 128 themselves belong to, nor per frame or per track.

    Example:
        >>> face_width_band([63.9, 64.0, 128.0, 128.1])
        array([0, 1, 1, 2], dtype=int8)
    """
    widths = check_scores(widths_px, "face widths")
    if (widths <= 0).any():
        raise DataError(f"{int((widths <= 0).sum())} face widths are not above 0.")
    bands: NDArray[np.int8] = np.searchsorted([SMALL_FACE, np.nextafter(LARGE_FACE, np.inf)], widths, "right").astype(
        np.int8
    )
    return bands


def face_count_band(video: ArrayLike, timestamps_ms: ArrayLike) -> NDArray[np.int8]:
    """Return how many faces are annotated at the moment of each row: 0 for one, 1 for two, 2 for three and more.

    Args:
        video: ``[N]`` int or str, the video of each row; **all** annotated rows must be given, scored or not.
        timestamps_ms: ``[N]`` int.

    Returns:
        ``[N]``, an index into ``FACE_COUNTS``.

    Raises:
        DataError: The lengths differ.

    Source:
        docs/method.md, section 11.

    Example:
        >>> face_count_band([0, 0, 1], [40, 40, 40])
        array([1, 1, 0], dtype=int8)
    """
    videos, times = np.asarray(video), np.asarray(timestamps_ms)
    if videos.shape != times.shape or videos.ndim != 1:
        raise DataError(f"there are {videos.size} videos but {times.size} times; each row needs one of both.")
    _, of_video = np.unique(videos, return_inverse=True)
    _, of_time = np.unique(times, return_inverse=True)
    moment = of_video.reshape(-1).astype(np.int64) * (len(times) + 1) + of_time.reshape(-1)
    _, place, faces = np.unique(moment, return_inverse=True, return_counts=True)
    bands: NDArray[np.int8] = (np.minimum(faces, 3) - 1).astype(np.int8)[place.reshape(-1)]
    return bands


def tercile(values: ArrayLike) -> NDArray[np.int8]:
    """Return the third of the values in which each one lies, equal values always in the same.

    The bounds are the 1/3 and 2/3 quantiles (linear); a value equal to a bound belongs below it.

    Args:
        values: ``[N]`` finite, such as the blur of each row.

    Returns:
        ``[N]``, an index into ``TERCILES``.

    Raises:
        DataError: Wrong shape, or values that are not finite.

    Source:
        docs/method.md, section 11.

    Example:
        >>> tercile([1.0, 2.0, 3.0])
        array([0, 1, 2], dtype=int8)
    """
    numbers = check_scores(values, "values")
    if not len(numbers):
        return np.empty(0, dtype=np.int8)
    low, high = np.quantile(numbers, [1 / 3, 2 / 3])
    thirds: NDArray[np.int8] = np.searchsorted([low, high], numbers, "left").astype(np.int8)
    return thirds


def offscreen_speech(labels: ArrayLike, voiced: ArrayLike, video: ArrayLike, timestamps_ms: ArrayLike) -> BoolArray:
    """Find the negative rows that are voiced while no annotated face speaks: their FPR tells who believes any voice.

    Args:
        labels: ``[N]`` of 0 and 1, of **all** annotated rows.
        voiced: ``[N]`` bool, whether a voice is heard at the moment of the row (voice segments, or estimated).
        video: ``[N]`` the video of each row.
        timestamps_ms: ``[N]`` int.

    Returns:
        ``[N]`` bool.

    Raises:
        DataError: Wrong shapes, or labels other than 0 and 1.

    Source:
        docs/method.md, section 11.

    Example:
        >>> offscreen_speech([1, 0, 0, 0], [True, True, True, False], [0, 0, 0, 0], [0, 0, 40, 80])
        array([False, False,  True, False])
    """
    heard = np.asarray(voiced)
    positive, _ = check_rows(labels, np.zeros(len(heard)))
    videos, times = np.asarray(video), np.asarray(timestamps_ms)
    if not len(videos) == len(times) == len(positive):
        raise DataError(f"there are {len(positive)} rows but {len(videos)} videos and {len(times)} times.")
    _, of_video = np.unique(videos, return_inverse=True)
    _, of_time = np.unique(times, return_inverse=True)
    moment = of_video.reshape(-1).astype(np.int64) * (len(times) + 1) + of_time.reshape(-1)
    _, place = np.unique(moment, return_inverse=True)
    place = place.reshape(-1)
    somebody = np.bincount(place, positive)[place] > 0
    result: BoolArray = heard.astype(np.bool_) & ~somebody
    return result
