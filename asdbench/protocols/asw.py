"""ASW (Look Who's Talking): AP, AUROC and equal error rate on the samples that the data set says to score.

No scorer is published. This is what the authors of TS-TalkNet describe; other papers convert ASW to AVA rows (see
``ava``) or score every sample. The three do not compare.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from asdbench.errors import DataError
from asdbench.metrics.average_precision import average_precision_step, is_constant, tied_share
from asdbench.metrics.inputs import check_labels, check_rows
from asdbench.metrics.measured import Measured, measure
from asdbench.metrics.roc import EerRule, auroc, equal_error_rate

_RULES: tuple[EerRule, ...] = ("root", "nearest-max", "nearest-mean", "nearest-max-of-corners")


@dataclass(frozen=True)
class AswScores:
    """The figures of ASW.

    Attributes:
        ap: AP as scikit-learn defines it (rule ``ap``), or undefined.
        auroc: Area under the ROC curve, or undefined.
        eer: Rule of the equal error rate to its value; ``root`` is the headline.
        tied_share: Share of samples whose score another has.
        constant: Whether all samples have one score.
        rows: Samples scored.
        positives: Positive ones among them.
        left_out: Samples that the data set says not to score.
        protocol: Its name.
    """

    ap: Measured
    auroc: Measured
    eer: dict[str, Measured]
    tied_share: float
    constant: bool
    rows: int
    positives: int
    left_out: int
    protocol: str = "asw"


def score_asw(labels: ArrayLike, scores: ArrayLike, evaluated: ArrayLike) -> AswScores:
    """Score the samples of ASW.

    Args:
        labels: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite.
        evaluated: ``[N]`` of 0 and 1, the field ``eval`` of the annotation. Give ones to score every sample; then say
        so.

    Returns:
        The figures. With one class AP may have a value, AUROC and EER have none.

    Raises:
        DataError: Wrong shapes, non-finite scores, or labels other than 0 and 1.
        UndefinedMetricError: No sample is to be scored.

    Source:
        Kim et al., Look Who's Talking, Interspeech 2021; the recipe: github.com/Jiang-Yidi/TS-TalkNet, issues 1 to 3.

    Example:
        >>> score_asw([1, 0, 1], [3.0, 2.0, 1.0], [1, 1, 0]).auroc
        1.0
    """
    chosen = check_labels(evaluated)
    if len(chosen) != len(np.asarray(labels)) or len(chosen) != len(np.asarray(scores)):
        raise DataError(
            f"there are {len(chosen)} fields eval but {len(np.asarray(labels))} labels; each sample needs one."
        )
    positive, values = check_rows(np.asarray(labels)[chosen], np.asarray(scores)[chosen])
    return AswScores(
        ap=measure(lambda: average_precision_step(positive, values)),
        auroc=measure(lambda: auroc(positive, values)),
        eer={rule: measure(partial(equal_error_rate, positive, values, rule)) for rule in _RULES},
        tied_share=tied_share(values),
        constant=is_constant(values),
        rows=len(values),
        positives=int(np.count_nonzero(positive)),
        left_out=len(chosen) - len(values),
    )
