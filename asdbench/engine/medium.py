"""What a track looks and sounds like, read when it is needed, and what has been computed of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np

from asdbench.data.landmarks import NOT_FOUND
from asdbench.data.media import add_face
from asdbench.types import ContextFaces, Float32Array, Int16Array, TrackKey, UInt8Array

_DIGEST = 16


class LazyFaces(Sequence[UInt8Array]):
    """Faces that are read or made when somebody looks at them first.

    Args:
        count: How many there are.
        make: Reads or makes them.
        digest: What `faces_digest` would say of them, where that is known already.
    """

    def __init__(self, count: int, make: Callable[[], Sequence[UInt8Array]], digest: str = "") -> None:
        self._count, self._make, self.known = count, make, digest

    @cached_property
    def made(self) -> Sequence[UInt8Array]:
        """The faces.

        Raises:
            DataError: They cannot be read.
        """
        return self._make()

    @cached_property
    def digest(self) -> str:
        """Identity of their content."""
        return self.known or faces_digest(self.made)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, at: Any) -> Any:
        return self.made[at]


@dataclass(frozen=True)
class Sight:
    """What a model is shown: the target's faces, and those beside it."""

    faces: LazyFaces
    context: ContextFaces = ()


@dataclass
class Medium:
    """A track's medium and what has been computed from its edited versions, by digest of the edits ('' is clean)."""

    audio: Int16Array
    sight: Sight
    landmarks: Float32Array | None = None
    audio_embeddings: dict[str, Any] = field(default_factory=dict)
    face_embeddings: dict[str, Any] = field(default_factory=dict)
    scores: dict[tuple[str, str], Float32Array] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """Digest of the target's faces and sound.

        Of the target alone, so that runs of models with and without context can be compared; every neighbour is a track
        of the data set with an identity of its own. A prepared store knows that of faces without reading them.
        """
        state = blake2b(self.sight.faces.digest.encode(), digest_size=_DIGEST)
        state.update(self.audio.tobytes())
        return state.hexdigest()

    def landmarks_of(self, sight: Sight) -> Float32Array | None:
        """Return the landmarks of what is shown: nobody finds lips in a face that has been changed."""
        if self.landmarks is None:
            return None
        points = self.landmarks.copy()
        now, before = ((each.faces, *each.context) for each in (sight, self.sight))
        for place, faces in enumerate(zip(now, before, strict=True)):
            points[place, [not _same(*pair) for pair in zip(*faces, strict=True)]] = NOT_FOUND
        return points


def media_digest(media: Mapping[TrackKey, str]) -> str:
    """Return one identity for the media of many tracks, whatever order they were scored in."""
    return blake2b(repr(sorted(media.items())).encode(), digest_size=_DIGEST).hexdigest()


def faces_digest(faces: Sequence[UInt8Array | None]) -> str:
    """Return the digest over shapes and pixels, the one that a prepared store holds."""
    state = blake2b(digest_size=_DIGEST)
    for face in faces:
        add_face(state, face)
    return state.hexdigest()


def shown_digest(faces: LazyFaces, context: ContextFaces, landmarks: Float32Array | None) -> str:
    """Return the identity of all that a model is shown."""
    if not context and landmarks is None:
        return faces.digest
    state = blake2b(faces.digest.encode(), digest_size=_DIGEST)
    for others in context:
        state.update(faces_digest(others).encode())
    if landmarks is not None:
        state.update(landmarks.tobytes())
    return state.hexdigest()


def _same(face: UInt8Array | None, other: UInt8Array | None) -> bool:
    return face is other or (face is not None and other is not None and np.array_equal(face, other))
