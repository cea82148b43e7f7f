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

SHORT_RUN_MS, LONG_RUN_MS = 1000.0, 3000.0
"""Length of a speaking run in ms: short below the first, long above the second."""

FACE_WIDTHS = ("< 64 px", "64-128 px", "> 128 px")
FACE_COUNTS = ("1 face", "2 faces", "3+ faces")
RUN_LENGTHS = ("< 1 s", "1-3 s", "> 3 s")
TERCILES = ("lowest third", "middle third", "highest third")


@dataclass(frozen=True)
class Cell:
    """The figures of one part of the rows; APs of parts with different base rates do not compare.

    Attributes:
        positives: Positive rows.
        negatives: Negative rows.
        base_rate: Share of positives, or undefined without rows.
        ava: AP of the official AVA scorer, ties grouped; undefined without negatives, where every ranking is perfect.
        ap: AP as scikit-learn defines it; likewise.
        auroc: Area under the ROC curve, which does not depend on the base rate.
        tpr: True positive rate at the global threshold.
        fpr: False positive rate at the global threshold.
    """

    positives: int
    negatives: int
    base_rate: Measured
    ava: Measured
    ap: Measured
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
        >>> cell([1, 0], [2.0, 1.0], 1.5).fpr, cell([], [], 0.0).ava
        (0.0, {'undefined': 'no rows remain.'})
    """
    check_threshold(threshold)
    positives = negatives = 0
    if len(np.asarray(labels)) or len(np.asarray(scores)):
        positive, _ = check_rows(labels, scores)
        positives = int(np.count_nonzero(positive))
        negatives = len(positive) - positives
    rows = positives + negatives
    one_class = {"undefined": "no negative rows remain."} if positives and not negatives else None
    return Cell(
        positives,
        negatives,
        positives / rows if rows else {"undefined": "no rows remain."},
        one_class or measure(lambda: average_precision_tie_safe(labels, scores)),
        one_class or measure(lambda: average_precision_step(labels, scores)),
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
    return _band(widths_px, SMALL_FACE, LARGE_FACE, "face widths")


def face_count_band(faces: ArrayLike) -> NDArray[np.int8]:
    """Return the band of the number of faces annotated at the moment of each row: 0 for one, 1 for two, 2 for more.

    Args:
        faces: ``[N]`` whole numbers from 1, the row's own face among them.

    Returns:
        ``[N]``, an index into ``FACE_COUNTS``.

    Raises:
        DataError: Wrong shape, or a row without any face.

    Source:
        docs/method.md, section 11.

    Example:
        >>> face_count_band([1, 2, 3, 7])
        array([0, 1, 2, 2], dtype=int8)
    """
    counts = np.asarray(faces)
    if counts.ndim != 1 or counts.dtype.kind not in "iu" or (counts < 1).any():
        raise DataError("numbers of faces must be whole numbers from 1, one per row, for each row is a face itself.")
    bands: NDArray[np.int8] = (np.minimum(counts, 3) - 1).astype(np.int8)
    return bands


def run_length_band(lengths_ms: ArrayLike) -> NDArray[np.int8]:
    """Return the band of the length of each row's speaking run: 0 below 1 s, 1 from 1 to 3 s, 2 above.

    Args:
        lengths_ms: ``[N]`` above 0, in ms, the last frame's own period included.

    Returns:
        ``[N]``, an index into ``RUN_LENGTHS``.

    Raises:
        DataError: Wrong shape, or a length that is not a positive number.

    Source:
        docs/method.md, section 11. The bounds are ours; both belong to the middle.

    Example:
        >>> run_length_band([999.0, 1000.0, 3000.0, 3001.0])
        array([0, 1, 1, 2], dtype=int8)
    """
    return _band(lengths_ms, SHORT_RUN_MS, LONG_RUN_MS, "lengths of runs")


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


def offscreen_speech(labels: ArrayLike, voiced: ArrayLike, speakers: ArrayLike) -> BoolArray:
    """Find the negative rows that are voiced while no annotated face speaks: their FPR tells who believes any voice.

    Args:
        labels: ``[N]`` of 0 and 1.
        voiced: ``[N]`` bool, whether a voice is heard at the moment of the row (voice segments, or estimated).
        speakers: ``[N]`` whole numbers, how many of **all** faces annotated at that moment speak.

    Returns:
        ``[N]`` bool.

    Raises:
        DataError: Wrong shapes, or labels other than 0 and 1.

    Source:
        docs/method.md, section 11.

    Example:
        >>> offscreen_speech([1, 0, 0, 0], [True, True, True, False], [1, 1, 0, 0])
        array([False, False,  True, False])
    """
    heard, visible = np.asarray(voiced), np.asarray(speakers)
    positive, _ = check_rows(labels, np.zeros(len(heard)))
    if visible.shape != positive.shape:
        raise DataError(f"there are {len(positive)} rows but {visible.size} numbers of speakers; each row needs one.")
    result: BoolArray = heard.astype(np.bool_) & ~positive & (visible == 0)
    return result


def _band(values: ArrayLike, low: float, high: float, what: str) -> NDArray[np.int8]:
    numbers = check_scores(values, what)
    if (numbers <= 0).any():
        raise DataError(f"{int((numbers <= 0).sum())} {what} are not above 0.")
    bands: NDArray[np.int8] = np.searchsorted([low, np.nextafter(high, np.inf)], numbers, "right").astype(np.int8)
    return bands
