"""Dubbed tracks: lips that articulate to a voice which is not theirs (docs/method.md, section 5).

They are no part of any other condition: neither targets, nor donors, nor rows that count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from asdbench.errors import DataError, UsageError
from asdbench.types import Condition, SpeakingRun, Suite, Track

DUBBED = Condition("dubbed", perturbation="dubbed", labels="negative")
"""The condition that a data set with dubbed tracks adds to every suite; nothing is edited under it."""


def dubbed_runs(track: Track) -> tuple[SpeakingRun, ...]:
    """Return the stretches in which the lips of a dubbed track articulate, none for an ordinary track."""
    if track.dubbed is None:
        return ()
    return replace(track, labels=track.dubbed.astype(np.int8)).speaking_runs


def split_dubbed(tracks: Sequence[Track], suite: Suite) -> tuple[list[Track], list[Track]]:
    """Return the ordinary tracks and the dubbed ones, the latter sorted by key.

    Raises:
        DataError: The mask or the labels of a dubbed track cannot be.
        UsageError: The data set adds the condition ``dubbed``, but the suite has its own of this name.
    """
    ordinary = [track for track in tracks if track.dubbed is None]
    dubbed = sorted((track for track in tracks if track.dubbed is not None), key=lambda track: track.key)
    for track in dubbed:
        if track.dubbed is None or track.dubbed.shape != track.labels.shape or track.labels.any():
            raise DataError(
                f"the dubbed track {track.entity_id!r} of video {track.video_id!r} needs one mask value per frame, and "
                "no frame labelled as speaking: the voice is not its own."
            )
    if dubbed and any(condition.name.casefold() == DUBBED.name for condition in suite.conditions):
        raise UsageError(
            f"suite {suite.label}: the data set has dubbed tracks and adds the condition {DUBBED.name!r}; give the "
            "condition of the same name in the suite another one."
        )
    return ordinary, dubbed
