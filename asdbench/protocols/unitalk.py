"""UniTalk: the AVA rule on all rows of its val split, and on the videos of each of its four lists.

The val split is the test set: there is no other. The lists together are all videos, so the four numbers are of
disjoint rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from asdbench.errors import DataError
from asdbench.protocols.ava_rows import JoinedRows
from asdbench.protocols.frame_ap import FrameAp, frame_ap, frame_ap_or_reason

SUBCATEGORIES = ("language", "mixed", "noise", "visual")
"""Underrepresented languages, mixed conditions, noisy backgrounds, visually difficult or crowded scenes."""


@dataclass(frozen=True)
class UnitalkScores:
    """AP per list and over all.

    Attributes:
        subcategories: Name to AP, or to ``{"undefined": reason}``.
        overall: AP over all rows.
        outside: Rows of videos that no list names.
    """

    subcategories: dict[str, FrameAp | dict[str, str]]
    overall: FrameAp
    outside: int


def score_unitalk(rows: JoinedRows, lists: Mapping[str, Sequence[str]]) -> UnitalkScores:
    """Score rows per list and pooled; a video belongs to a list that holds exactly its id.

    Args:
        rows: Joined rows.
        lists: Name of a sub-category to its video ids (lines of the published lists, blanks stripped).

    Raises:
        DataError: Non-finite scores, or a list of no known name.
        UndefinedMetricError: No rows, or no positive rows at all. A list without any is undefined on its own.

    Source:
        UniTalk (2025), its evaluation lists; labels SPEAKING_AUDIBLE and NOT_SPEAKING only.
    """
    unknown = [name for name in lists if name not in SUBCATEGORIES]
    if unknown:
        raise DataError(f"no UniTalk sub-category {unknown[0]!r}; expected {', '.join(SUBCATEGORIES)}.")
    positive = rows.positive
    subcategories: dict[str, FrameAp | dict[str, str]] = {}
    listed = np.zeros(len(rows.truth.videos), dtype=np.bool_)
    for name, videos in lists.items():
        wanted = {video.strip() for video in videos}
        members = np.array([video in wanted for video in rows.truth.videos], dtype=np.bool_)
        chosen = rows.of_videos(members)
        subcategories[name] = frame_ap_or_reason(positive[chosen], rows.score[chosen], f"unitalk {name}")
        listed |= members
    outside = int(np.count_nonzero(~rows.of_videos(listed)))
    return UnitalkScores(subcategories, frame_ap(positive, rows.score, "unitalk overall"), outside)
