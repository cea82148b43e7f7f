"""AVA-style AP on Ego4D: the *annotated* face boxes are given, one score each; what LoCoNet, SPELL and STHG call mAP.

Not to be compared with ``ego4d-map50``, the challenge's number. The two coincide where the detector finds exactly the
annotated boxes and no scores tie.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from asdbench.protocols.frame_ap import FrameAp, frame_ap


def ego4d_ava(speaking: ArrayLike, scores: ArrayLike) -> FrameAp:
    """Score annotated face boxes.

    A box speaks when its frame lies in a voice segment of its person, both ends included. Join by (clip, frame,
    person) first: every annotated box needs a score. Some published code gives boxes without a prediction the score 0,
    which is the middle of the range for log-odds, not its lower end.

    Args:
        speaking: ``[N]`` of 0 and 1.
        scores: ``[N]`` finite.

    Raises:
        DataError: Wrong shapes, non-finite scores, labels other than 0 and 1.
        UndefinedMetricError: No rows, or no positive rows.

    Source:
        Wang et al., LoCoNet, CVPR 2024 (annotations converted to AVA rows); its field ``ap`` is what SL-ASD gives.

    Example:
        >>> ego4d_ava([1, 0], [2.0, 1.0]).protocol
        'ego4d-ava'
    """
    return frame_ap(speaking, scores, "ego4d-ava")
