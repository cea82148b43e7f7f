"""Resolved edits: plain data that says exactly what is changed in one track, and the functions that do it.

An edit holds positions, donors and amounts, no labels and no randomness, so it can be stored, hashed and replayed. The
families of edits (``synchrony``, ``absence``, ...) derive theirs from the two bases here.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Protocol

import msgspec
import numpy as np

from asdbench.types import Float32Array, Int16Array, Media, TrackKey, UInt8Array


class Lender(Protocol):
    """Gives edits the media of others; every method raises ``DataError`` with the path when a file is broken."""

    def audio(self, key: TrackKey) -> Int16Array:
        """Return the whole audio of another track."""

    def faces(self, key: TrackKey) -> Sequence[UInt8Array]:
        """Return all crops of another track."""

    def recording(self, path: str, start: int, stop: int) -> Int16Array:
        """Return the samples ``start`` to ``stop`` (16 kHz mono) of a sound file that belongs to no data set."""


class Donor(msgspec.Struct, frozen=True):
    """A span of another track's wav, in samples."""

    video_id: str
    entity_id: str
    start: int
    stop: int

    @property
    def key(self) -> TrackKey:
        """The donor's track."""
        return TrackKey(self.video_id, self.entity_id)

    def segment(self, lender: Lender) -> Int16Array:
        """Return the audio of the span."""
        return lender.audio(self.key)[self.start : self.stop]


class AudioEdit(msgspec.Struct, frozen=True, kw_only=True):
    """A change of the samples ``start`` to ``stop`` of a track's wav; ``stop = None`` is its end."""

    version: int
    start: int = 0
    stop: int | None = None

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """Return the track's audio with this edit alone: same length, int16.

        Args:
            original: ``[N]`` the track's own audio; not to be changed in place.
            media: The track's media, for source audio beyond the track.
            lender: Gives donors' audio.
        """
        raise NotImplementedError

    def span(self, waveform: Int16Array) -> tuple[int, int]:
        """Return first and one past the last sample of the edit in a track's wav."""
        # A wav may be a frame shorter than its annotation, which is all that the plan knows.
        stop = len(waveform) if self.stop is None else min(self.stop, len(waveform))
        return min(self.start, stop), stop


class FaceEdit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change of all face crops of a track.

    ``scene`` says whether the faces seen beside the target's, which some models look at, are changed in the same way.
    """

    version: int
    scene: bool = False

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """Return the crops with this edit: as many, uint8, none of the given ones changed in place.

        Args:
            faces: ``T`` gray crops ``[height, width]`` of any size, perhaps those that an earlier edit left.
            boxes: ``[T, 4]`` the annotated face box within each crop: left, top, right, bottom as shares of the crop.
            lender: Gives donors' faces.
        """
        raise NotImplementedError

    def beside(self, name: str) -> FaceEdit:
        """Return the same edit for a face seen beside the target's: itself, but where each face has noise of its own.

        Args:
            name: Says which face.
        """
        return self


Edit = AudioEdit | FaceEdit


def digest(edits: Sequence[msgspec.Struct]) -> str:
    """Return the identity of a list of edits, empty for an empty list: equal digests give equal media."""
    return blake2b(msgspec.json.encode(list(edits)), digest_size=16).hexdigest() if edits else ""


def split_media(edits: Sequence[Edit]) -> tuple[tuple[AudioEdit, ...], tuple[FaceEdit, ...]]:
    """Separate the edits of the audio from those of the faces."""
    return (
        tuple(edit for edit in edits if isinstance(edit, AudioEdit)),
        tuple(edit for edit in edits if isinstance(edit, FaceEdit)),
    )


def edit_audio(original: Int16Array, edits: Sequence[AudioEdit], media: Media, lender: Lender) -> Int16Array:
    """Apply edits to a track's audio.

    Args:
        original: ``[N]`` the track's audio.
        edits: Edits of spans that do not overlap.
        media: The track's media, for source audio beyond the track.
        lender: Gives donors' audio.
    """
    result = original.copy()
    for edit in edits:
        start, stop = edit.span(original)
        # Each edit sees the original: a delayed window must not pick up what another edit put there.
        result[start:stop] = edit.apply(original, media, lender)[start:stop]
    return result


def edit_faces(
    original: Sequence[UInt8Array], edits: Sequence[FaceEdit], lender: Lender, boxes: Float32Array | None = None
) -> Sequence[UInt8Array]:
    """Apply edits to a track's faces, one after the other.

    Args:
        original: ``T`` crops ``[height, width]``.
        edits: What is done to them.
        lender: Gives donors' faces.
        boxes: ``[T, 4]`` the face box within each crop, as shares of it; ``None`` where the crop is the box.
    """
    within = np.tile(np.array([0, 0, 1, 1], np.float32), (len(original), 1)) if boxes is None else boxes
    result = original
    for edit in edits:
        result = edit.apply(result, within, lender)
    return result
