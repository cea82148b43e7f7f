"""A track on its way through the conditions of a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from asdbench.engine.activity import Digests, TrackMeter
from asdbench.engine.medium import Medium, Sight
from asdbench.errors import DataError
from asdbench.perturb.edits import AudioEdit, Edit, FaceEdit, digest, split_media
from asdbench.types import Float32Array, Track

_T = TypeVar("_T")


class Version(NamedTuple):
    """How a condition changes one track."""

    edits: tuple[tuple[AudioEdit, ...], tuple[FaceEdit, ...]]
    key: Digests

    @classmethod
    def of(cls, edits: Sequence[Edit]) -> Version:
        """Build it of all edits of the track."""
        audio_edits, face_edits = split_media(edits)
        return cls((audio_edits, face_edits), (digest(audio_edits), digest(face_edits)))


@dataclass(eq=False)
class Underway:
    """A track of which some conditions are scored.

    Attributes:
        track: The track.
        medium: Its medium.
        versions: How each condition changes it.
        beside: What is measured beside the scores.
        scores: Of the conditions so far.
        failures: Why there are none of some conditions.
        edited: What was shown of it to embed it together with others, under the condition of the moment, by the digest
            of the edits of its faces.
    """

    track: Track
    medium: Medium
    versions: Mapping[str, Version]
    beside: TrackMeter | None
    scores: dict[str, Float32Array] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    edited: dict[str, Sight] = field(default_factory=dict)


def attempt(work: Callable[[], _T]) -> _T | DataError:
    """Return what work returns, or that media are missing or broken."""
    try:
        return work()
    except DataError as error:
        return error
