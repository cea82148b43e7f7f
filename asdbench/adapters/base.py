"""What a model that splits into two encoders and a head offers to the engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import msgspec

from asdbench.types import SAMPLE_RATE, Float32Array, Int16Array, UInt8Array

Embedding: TypeAlias = Any
"""What an encoder returns: a tensor on the model's device or a numpy array; only its own model looks inside."""


class AdapterOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a user may choose about a model beyond its weights; a subclass lists the choices with their defaults.

    What differs from the defaults is part of the model's name and identity, so each field must be a text, a number or
    a truth value.
    """


@dataclass(frozen=True)
class Needs:
    """What a model expects of its input. Crops are always gray uint8 of any size; the model resizes them itself.

    Attributes:
        crop_size: Side in pixels to which the model resizes each crop; ``None`` if it ignores faces.
        halo: Neighbouring frames on each side that one frame's visual embedding may depend on.
        needs_checkpoint: Whether the model is built from a file of weights.
        sample_rate: Of the audio, in Hz.
        context_speakers: Faces besides the target that the model can use; they are passed to ``embed_faces``.
        context_seed: Which of the faces present are chosen, where there are more.
        landmarks: File of lip landmarks (`asdbench.data.landmarks`), which are passed to ``embed_faces`` beside the
            context.
    """

    crop_size: int | None = None
    halo: int = 0
    needs_checkpoint: bool = False
    sample_rate: int = SAMPLE_RATE
    context_speakers: int = 0
    context_seed: int = 0
    landmarks: str | None = None


class Adapter(ABC):
    """A model whose two encoders do not see each other's input, so that embeddings can be reused across conditions.

    A subclass that needs a checkpoint also has a class method ``from_checkpoint(path, device="cpu", options=None)``;
    any other is built as ``cls(options=None)``. Labels never reach an adapter.

    Attributes:
        name: Name in the model registry.
        version: Bumped whenever a change alters any score; part of the model fingerprint.
        architecture: Name in `asdbench.networks.ARCHITECTURES` that its checkpoints must have, if any.
        needs: What it expects of its input; an object may differ from its class where a checkpoint says so.
        Options: Type of the options it takes.
        options: Those of this object.
    """

    name: str
    version: int = 1
    architecture: ClassVar[str | None] = None
    needs: Needs = Needs()
    Options: ClassVar[type[AdapterOptions]] = AdapterOptions

    def __init__(self, options: AdapterOptions | None = None) -> None:
        self.options = self.Options() if options is None else options

    @abstractmethod
    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> Embedding:
        """Embed the audio of one track.

        Args:
            audio: ``[num_samples]`` mono int16 at ``needs.sample_rate``.
            num_frames: Frames of the track.
            fps: Frames per second.

        Returns:
            One embedding per frame.

        Raises:
            DataError: The audio is empty or the frame rate unusable.
        """

    @abstractmethod
    def embed_faces(self, faces: Sequence[UInt8Array]) -> Embedding:
        """Embed the face crops of one track.

        Where ``needs.context_speakers`` is not 0, a second argument follows, ``context``: an
        `asdbench.types.ContextFaces` with at most so many faces that are seen together with this one.

        Args:
            faces: Gray crops ``[height, width]``, uint8, of any size, one per frame.

        Returns:
            One embedding per frame; each depends only on crops within ``needs.halo`` frames.
        """

    def embed_faces_many(self, tracks: Sequence[Sequence[UInt8Array]]) -> list[Embedding]:
        """Embed the face crops of several tracks; a subclass overrides it if its encoder is faster with more at a time.

        Only for models without context.

        Args:
            tracks: For each track its crops, as for `embed_faces`.

        Returns:
            For each track what `embed_faces` returns, up to ``1e-5 * max(1, |value|)``. The last digits may depend on
            which tracks are given together.
        """
        return [self.embed_faces(faces) for faces in tracks]

    @classmethod
    def embeds_many(cls) -> bool:
        """Whether `embed_faces_many` is more than a loop, and written for the `embed_faces` of this class."""
        for each in cls.__mro__:
            if "embed_faces_many" in vars(each):
                return each is not Adapter
            if "embed_faces" in vars(each):
                return False
        return False

    @abstractmethod
    def score(self, audio_embedding: Embedding, face_embedding: Embedding) -> Float32Array:
        """Fuse the embeddings of one whole track.

        Returns:
            ``[num_frames]`` float32 log-odds that the face speaks.
        """

    def score_faces(self, face_embedding: Embedding) -> Float32Array | None:
        """Score the faces of one whole track without any sound, by a head that was trained for it.

        A subclass overrides it only if its networks have such a head over what `embed_faces` returns.

        Returns:
            ``[num_frames]`` float32 log-odds that the face speaks; ``None`` from a model without such a head.
        """
        return None

    def forget(self) -> None:  # noqa: B027 - most models keep nothing
        """Drop whatever an earlier call has left for later ones; a subclass that keeps something overrides it."""

    def score_track(self, audio: Int16Array, faces: Sequence[UInt8Array], fps: float) -> Float32Array:
        """Score one face track from its medium: the three steps above in one call.

        Args:
            audio: ``[num_samples]`` mono int16.
            faces: Gray crops, one per frame.
            fps: Frames per second.

        Returns:
            ``[num_frames]`` float32 log-odds.
        """
        return self.score(self.embed_audio(audio, len(faces), fps), self.embed_faces(faces))
