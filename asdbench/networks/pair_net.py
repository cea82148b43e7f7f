"""PAIR-Net (Wang, Ha and Crandall): Whisper hears, AV-HuBERT sees, the two are added frame by frame.

There is neither official code nor official weights, so the key names are our own: ``audio_encoder.`` as in
``transformers``, ``visual_encoder.`` as in AV-HuBERT's files, and ``fusion.`` for what PAIR-Net adds to the two. The
paper contradicts itself about Whisper's size (large-v3, but 24 blocks and 80 rows), so every size is read from the
checkpoint. Nothing here looks at context: what happens over time happens within the two encoders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from asdbench.errors import UsageError
from asdbench.networks.av_hubert import LARGE, AvHubertSizes, AvHubertTraining, AvHubertVisualEncoder
from asdbench.networks.av_hubert_trunk import normalised
from asdbench.networks.whisper import MEDIUM, WhisperSizes, encode_alone, encode_window, pool_to_frames, whisper_encoder

AUDIO, VISUAL, FUSION = PARTS = ("audio_encoder.", "visual_encoder.", "fusion.")
"""Prefixes of the three parts in a state dict."""

FROZEN_BLOCKS = 10
"""Blocks of the audio encoder, from the first, that the paper leaves as they were trained."""


@dataclass(frozen=True)
class PairNetSizes:
    """Sizes of both encoders; those of the fusion follow."""

    audio: WhisperSizes = MEDIUM
    visual: AvHubertSizes = LARGE

    @classmethod
    def of(cls, state: Mapping[str, Tensor], source: object) -> PairNetSizes:
        """Read the sizes from a state dict with both encoders.

        Raises:
            CheckpointError: A key that tells a size is missing or has an impossible shape.
        """
        return cls(
            WhisperSizes.of(part_of(state, AUDIO), f"{source} (below {AUDIO!r})"),
            AvHubertSizes.of(part_of(state, VISUAL), f"{source} (below {VISUAL!r})"),
        )


class PairNetLogits(NamedTuple):
    """Two logits per frame of each head, ``[B, T, 2]``; column 1 is *speaking*, and only ``fused`` is the answer."""

    fused: Tensor
    visual: Tensor
    audio: Tensor


class Freezing(NamedTuple):
    """Names of the parameters that training leaves alone, and of those that it changes."""

    frozen: tuple[str, ...]
    trained: tuple[str, ...]


class PairNet(nn.Module):
    """Both encoders and the fusion.

    Args:
        sizes: As the checkpoint has them.
        training: What acts on the visual encoder in training only.

    Raises:
        MissingDependencyError: ``transformers`` is not installed.
    """

    def __init__(self, sizes: PairNetSizes | None = None, training: AvHubertTraining | None = None) -> None:
        super().__init__()
        self.sizes = PairNetSizes() if sizes is None else sizes
        self.visual_encoder = AvHubertVisualEncoder(self.sizes.visual, training)
        self.audio_encoder = whisper_encoder(self.sizes.audio)
        self.fusion = PairNetFusion(self.sizes.visual.width, self.sizes.audio.width)

    @classmethod
    def recognises(cls, shapes: Mapping[str, tuple[int, ...]]) -> bool:
        """Say whether keys and shapes are those of a PAIR-Net of any size, with its encoders or without them."""
        heads = [shapes.get(f"{FUSION}{head}.weight", ()) for head in ("head", "visual_head", "audio_head")]
        width = shapes.get(f"{FUSION}projector.weight", ())[:1]
        return bool(width) and heads == [(2, *width)] * 3 and all(key.startswith(PARTS) for key in shapes)

    def embed_audio(self, mel: Tensor, alone: bool = False) -> Tensor:
        """Return what Whisper hears, 50 vectors per second.

        Args:
            mel: ``[B, mels, 2 * positions]``; with ``alone`` any shorter one, without the silence behind the clip.
            alone: `encode_alone` instead of `encode_window`.

        Returns:
            ``[B, positions, width]``, the silence included; with ``alone`` ``[B, L, width]``.
        """
        return encode_alone(self.audio_encoder, mel) if alone else encode_window(self.audio_encoder, mel)

    def embed_faces(self, faces: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return ``[B, T, width of the visual encoder]``, where each frame depends on its whole clip.

        Args:
            faces: ``[B, T, height, width]`` gray values, 0..255.
            valid: ``[B, T]``, True where a clip has a frame; without it everywhere.
        """
        pictures = normalised(faces)
        if valid is not None:
            pictures = pictures * valid[..., None, None]  # beyond a clip's end, as before its start: zeros, not black
        embedded: Tensor = self.visual_encoder(pictures, valid)
        return embedded

    def head(self, audio_embedding: Tensor, face_embedding: Tensor) -> PairNetLogits:
        """Return all logits of pooled audio ``[B, T, width]`` and visual vectors; see `PairNetFusion`."""
        logits: PairNetLogits = self.fusion(audio_embedding, face_embedding)
        return logits

    def forward(
        self, mel: Tensor, vectors: Sequence[int], faces: Tensor, frames: Sequence[int], alone: bool = False
    ) -> PairNetLogits:
        """Return the logits ``[B, T, 2]`` of a batch, in which no clip sees another.

        Args:
            mel: As for `embed_audio`; ``alone`` takes clips of one length only, since nothing masks what fills them up.
            vectors: Of each clip, how many of the encoder's outputs belong to its own sound: 50 per second, rounded up.
            faces: ``[B, T, height, width]`` gray values, anything beyond the end of a clip.
            frames: Of each clip, how many video frames it has; at most T.
            alone: See `embed_audio`.

        Raises:
            UsageError: ``alone`` with clips of several lengths.
        """
        if alone and len(set(vectors)) > 1:
            raise UsageError(f"with alone=True the clips of a batch must be equally long, not {list(vectors)} vectors.")
        heard = self.embed_audio(mel, alone)
        # Each clip is pooled before the batch is filled up: of its own sound, to its own number of frames.
        audio = nn.utils.rnn.pad_sequence(
            [pool_to_frames(heard[clip, :own], frames[clip]) for clip, own in enumerate(vectors)], batch_first=True
        )
        valid = torch.arange(faces.shape[1], device=faces.device) < torch.tensor(frames, device=faces.device)[:, None]
        beyond = faces.shape[1] - audio.shape[1]
        return self.head(nn.functional.pad(audio, (0, 0, 0, beyond)), self.embed_faces(faces, valid))


class PairNetFusion(nn.Module):
    """What PAIR-Net adds to its encoders: a projection, the sum, and three heads of which two serve training only."""

    def __init__(self, visual_width: int, audio_width: int) -> None:
        super().__init__()
        self.projector = nn.Linear(visual_width, audio_width)
        self.head = nn.Linear(audio_width, 2)
        self.visual_head = nn.Linear(audio_width, 2)
        self.audio_head = nn.Linear(audio_width, 2)

    def forward(self, audio: Tensor, faces: Tensor) -> PairNetLogits:
        """Return the logits: equations (1), (3), (5) and (6).

        Args:
            audio: ``[B, T, audio_width]``, pooled to frames.
            faces: ``[B, T, visual_width]``.
        """
        seen = self.projector(faces)
        return PairNetLogits(self.head(seen + audio), self.visual_head(seen), self.audio_head(audio))


def part_of(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the entries below a prefix, without it."""
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}


def freezing(network: PairNet, blocks: int = FROZEN_BLOCKS) -> Freezing:
    """Say which parameters training leaves alone: both convolutions, the positions and the first blocks of Whisper.

    Args:
        network: Whose parameters are meant.
        blocks: How many blocks of the audio encoder are frozen; the paper says 10 of 24.

    Raises:
        UsageError: The audio encoder has fewer blocks.
    """
    if not 0 <= blocks <= network.sizes.audio.blocks:
        raise UsageError(
            f"{blocks} blocks of the audio encoder are to be frozen, but it has {network.sizes.audio.blocks}; name "
            "a number from 0 to that."
        )
    parts = ["conv1", "conv2", "embed_positions", *(f"layers.{block}" for block in range(blocks))]
    prefixes = tuple(f"{AUDIO}{part}." for part in parts)
    names = [name for name, _ in network.named_parameters()]
    return Freezing(
        tuple(name for name in names if name.startswith(prefixes)),
        tuple(name for name in names if not name.startswith(prefixes)),
    )


def freeze(network: PairNet, blocks: int = FROZEN_BLOCKS) -> Freezing:
    """Let gradients reach the trained parameters only; see `freezing`."""
    found = freezing(network, blocks)
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name not in found.frozen)
    return found
