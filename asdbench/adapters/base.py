"""What a model that splits into two encoders and a head offers to the engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from asdbench.types import SAMPLE_RATE, Float32Array, Int16Array, UInt8Array

Embedding: TypeAlias = Any
"""What an encoder returns: a tensor on the model's device or a numpy array; only its own model looks inside."""


@dataclass(frozen=True)
class Needs:
    """What a model expects of its input. Crops are always gray uint8 of any size; the model resizes them itself.

    Attributes:
        crop_size: Side in pixels to which the model resizes each crop; ``None`` if it ignores faces.
        halo: Neighbouring frames on each side that one frame's visual embedding may depend on.
        needs_checkpoint: Whether the model is built from a file of weights.
        sample_rate: Of the audio, in Hz.
    """

    crop_size: int | None = None
    halo: int = 0
    needs_checkpoint: bool = False
    sample_rate: int = SAMPLE_RATE


class Adapter(ABC):
    """A model whose two encoders do not see each other's input, so that embeddings can be reused across conditions.

    A subclass that needs a checkpoint also has a class method ``from_checkpoint(path, device="cpu")``; any other is
    built without arguments. Labels never reach an adapter.

    Attributes:
        name: Name in the model registry.
        version: Bumped whenever a change alters any score; part of the model fingerprint.
        architecture: Name in `asdbench.networks.ARCHITECTURES` that its checkpoints must have, if any.
        needs: What it expects of its input; an object may differ from its class where a checkpoint says so.
    """

    name: str
    version: int = 1
    architecture: ClassVar[str | None] = None
    needs: Needs = Needs()

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

        Args:
            faces: Gray crops ``[height, width]``, uint8, of any size, one per frame.

        Returns:
            One embedding per frame; each depends only on crops within ``needs.halo`` frames.
        """

    @abstractmethod
    def score(self, audio_embedding: Embedding, face_embedding: Embedding) -> Float32Array:
        """Fuse the embeddings of one whole track.

        Returns:
            ``[num_frames]`` float32 log-odds that the face speaks.
        """

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
