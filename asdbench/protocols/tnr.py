"""LASER's accuracy on unsynchronised sound: the share of frames called *not speaking* at probability 0.5.

A detector that never fires scores 100 %. So ``score_tnr`` gives it beside the clean recall at the same threshold, and
tables must show both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from asdbench.errors import DataError
from asdbench.metrics.inputs import check_rows, check_scores, check_threshold, require_positives, require_rows
from asdbench.metrics.measured import Measured, measure
from asdbench.metrics.rates import positive_share
from asdbench.protocols.ava_rows import NOT_SPEAKING, SPEAKING_AUDIBLE

PROBABILITY = 0.5
"""Threshold of the official script; a probability equal to it counts as speaking."""


@dataclass(frozen=True)
class LaserAccuracy:
    """What the official script prints, as shares.

    Attributes:
        overall: Rows right among **all**; a row labelled SPEAKING_NOT_AUDIBLE can never be right.
        talking: Right among the SPEAKING_AUDIBLE; undefined without any, where the script prints nan.
        not_talking: Right among the NOT_SPEAKING, or undefined.
        rows: All rows.
        unjudged: Rows that are neither, and count in ``overall`` alone.
        protocol: Its name.
    """

    overall: float
    talking: Measured
    not_talking: Measured
    rows: int
    unjudged: int
    protocol: str = "laser"


@dataclass(frozen=True)
class NegativeShare:
    """TNR with the figure without which it means nothing.

    Attributes:
        tnr: Share of the changed rows called not speaking.
        clean_recall: Share of the speaking rows found with clean media at the same threshold; near 0 makes ``tnr``
        worthless.
        threshold: On the scale of the scores.
        rows: Changed rows.
        protocol: Its name.
    """

    tnr: float
    clean_recall: float
    threshold: float
    rows: int
    protocol: str = "tnr"


def laser_accuracy(label: ArrayLike, probabilities: ArrayLike, threshold: float = PROBABILITY) -> LaserAccuracy:
    """Compute the three shares of LASER's script.

    Args:
        label: ``[N]`` int codes: 1 SPEAKING_AUDIBLE, 0 NOT_SPEAKING, 2 SPEAKING_NOT_AUDIBLE (or unlabelled, 3).
        probabilities: ``[N]`` finite; log-odds with ``threshold=0``.
        threshold: From here on a row is called speaking.

    Raises:
        DataError: Wrong shapes, or non-finite scores.
        UndefinedMetricError: No rows.

    Source:
        github.com/plnguyen2908/LASER_ASD, ``get_ava_active_speaker_performance_no_map.py``.

    Example:
        >>> laser_accuracy([0, 0, 2], [0.1, 0.5, 0.1]).overall
        0.3333333333333333
    """
    values, codes = check_scores(probabilities), np.asarray(label)
    if codes.shape != values.shape:
        raise DataError(f"there are {codes.size} labels but {values.size} scores; each row needs one of both.")
    require_rows(len(values))
    called = values >= check_threshold(threshold)
    talking, silent = codes == SPEAKING_AUDIBLE, codes == NOT_SPEAKING
    right = int(np.count_nonzero(called & talking)) + int(np.count_nonzero(~called & silent))
    return LaserAccuracy(
        overall=right / len(values),
        talking=measure(lambda: _share(called, talking)),
        not_talking=measure(lambda: _share(~called, silent)),
        rows=len(values),
        unjudged=int(np.count_nonzero(~talking & ~silent)),
    )


def score_tnr(changed: ArrayLike, clean_labels: ArrayLike, clean_scores: ArrayLike, threshold: float) -> NegativeShare:
    """Compute the share of changed rows called not speaking, and the clean recall at the same threshold.

    Args:
        changed: ``[N]`` finite scores of the rows whose sound no longer belongs to the lips.
        clean_labels: ``[M]`` of 0 and 1.
        clean_scores: ``[M]`` finite.
        threshold: The same for both; LASER's is probability 0.5, log-odds 0.

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1, or a NaN threshold.
        UndefinedMetricError: No rows, or no clean row that speaks.

    Source:
        LASER (see ``laser_accuracy``), with the clean recall that its tables lack.

    Example:
        >>> score_tnr([-1.0, -2.0], [1, 0], [-0.5, -1.0], 0.0).clean_recall
        0.0
    """
    values = check_scores(changed, "changed scores")
    positive, clean = check_rows(clean_labels, clean_scores)
    require_positives(positive)
    return NegativeShare(
        tnr=1 - positive_share(values, threshold),
        clean_recall=positive_share(clean[positive], threshold),
        threshold=float(threshold),
        rows=len(values),
    )


def _share(
    right: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], among: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
) -> float:
    total = int(np.count_nonzero(among))
    require_rows(total)
    return int(np.count_nonzero(right & among)) / total
