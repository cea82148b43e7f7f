"""The visual path of AV-HuBERT (Shi et al., ICLR 2022): a residual trunk, fusion with silence, a transformer.

Written from the paper and from recorded inputs and outputs; the official code, whose licence is not open, was neither
copied nor consulted. Attribute names are those of the published checkpoints, since they are the keys of the state dict.
Sizes are read from the checkpoint: large has 24 blocks of 1024 channels, base 12 of 768.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from asdbench.errors import CheckpointError
from asdbench.networks.av_hubert_trunk import VideoFeatures

HEAD_WIDTH = 64
"""Channels of one attention head, in both published sizes."""

_STEM = "feature_extractor_video.resnet.frontend3D.0.weight"
_PROJECTION = "feature_extractor_video.proj.weight"
_TAPS = "encoder.pos_conv.0.weight_v"
_FEED_FORWARD = "encoder.layers.0.fc1.weight"
_VISUAL = ("feature_extractor_video.", "post_extract_proj.", "encoder.", "layer_norm.")
_OTHER = ("mask_emb", "label_embs_concat", "feature_extractor_audio.", "final_proj.", "decoder.")
_PREFIXES = ("", "model.", "encoder.w2v_model.", "model.encoder.w2v_model.")


@dataclass(frozen=True)
class AvHubertSizes:
    """Sizes of the visual path.

    Attributes:
        stem: Channels of the trunk's first convolution; its last stage has eight times as many.
        width: Channels of the transformer, a multiple of 64.
        blocks: Transformer blocks.
        feed_forward: Channels within a block's two-layer network.
        taps: Frames that the positional convolution sees.
        groups: Groups of channels of that convolution.
    """

    stem: int = 64
    width: int = 1024
    blocks: int = 24
    feed_forward: int = 4096
    taps: int = 128
    groups: int = 16

    @classmethod
    def of(cls, state: Mapping[str, Tensor], source: object) -> AvHubertSizes:
        """Read the sizes from a state dict in the layout of `visual_path`.

        Raises:
            CheckpointError: A key that tells a size is missing or has a shape that no such network has.
        """
        stem, projection, taps, feed_forward = (
            _shape(state, key, sides, source)
            for key, sides in ((_STEM, 5), (_PROJECTION, 2), (_TAPS, 3), (_FEED_FORWARD, 2))
        )
        width = projection[0]
        if not width or width % HEAD_WIDTH or taps[0] != width or not taps[1] or width % taps[1]:
            raise CheckpointError(
                f"{source} is no AV-HuBERT checkpoint: its transformer is {width} wide (a multiple of {HEAD_WIDTH} is "
                f"needed) and {_TAPS} has the shape {list(taps)}."
            )
        return cls(stem[0], width, count_blocks(state, "encoder.layers."), feed_forward[0], taps[2], width // taps[1])


LARGE = AvHubertSizes()
"""``large_vox_iter5``: 324.5 M parameters."""

BASE = AvHubertSizes(width=768, blocks=12, feed_forward=3072)
"""``base_vox_iter5``: 102.5 M parameters."""


@dataclass(frozen=True)
class AvHubertTraining:
    """What acts in training only; without effect in evaluation mode. PAIR-Net's paper names none of it.

    Attributes:
        dropout: Within the transformer, as AV-HuBERT was trained.
        layer_drop: Probability that a block is skipped.
        trunk_gradient: Factor on the gradient of the trunk: AV-HuBERT's own training has 0.1.
        batch_norm: Whether the trunk's batch normalisation uses (and learns) the statistics of the batch.
    """

    dropout: float = 0.1
    layer_drop: float = 0.05
    trunk_gradient: float = 1.0
    batch_norm: Literal["train", "eval"] = "train"


class AvHubertVisualEncoder(nn.Module):
    """Pictures to one vector per frame.

    Args:
        sizes: As the checkpoint has them.
        training: What acts in training only.
    """

    def __init__(self, sizes: AvHubertSizes = LARGE, training: AvHubertTraining | None = None) -> None:
        super().__init__()
        self.choices = AvHubertTraining() if training is None else training
        self.feature_extractor_video = VideoFeatures(sizes.stem, sizes.width)
        self.post_extract_proj = nn.Linear(2 * sizes.width, sizes.width)
        self.encoder = _Transformer(sizes, self.choices)
        self.layer_norm = nn.LayerNorm(2 * sizes.width)

    def trunk(self, pictures: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return the trunk's features ``[B, T, 8 * stem]``; each depends on two frames to either side.

        Args:
            pictures: ``[B, T, height, width]``, normalised (`asdbench.networks.av_hubert_trunk.normalised`); zeros
                beyond the end of a clip.
            valid: ``[B, T]``, True where there is a frame; everywhere without it.
        """
        features: Tensor = self.feature_extractor_video.resnet(pictures, valid)
        scale = self.choices.trunk_gradient
        return features if scale == 1 else features * scale + features.detach() * (1 - scale)

    def transform(self, features: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return ``[B, T, width]`` of the trunk's features; each depends on all valid frames of its clip."""
        encoded: Tensor = self.encoder(self.fuse_with_silence(self.feature_extractor_video.proj(features)), valid)
        return encoded

    def fuse_with_silence(self, projected: Tensor) -> Tensor:
        """Return what the transformer reads, ``[B, T, width]``.

        Without sound the first half of what is normalised, the audio half, is zeros: not the projection of silence,
        whose bias would show. The mean and the variance are over both halves.
        """
        both = torch.cat([torch.zeros_like(projected), projected], dim=-1)
        fused: Tensor = self.post_extract_proj(self.layer_norm(both))
        return fused

    def forward(self, pictures: Tensor, valid: Tensor | None = None) -> Tensor:
        """Return ``[B, T, width]`` of normalised pictures ``[B, T, height, width]``; see `trunk`."""
        return self.transform(self.trunk(pictures, valid), valid)

    def train(self, mode: bool = True) -> AvHubertVisualEncoder:
        """Set training mode; batch normalisation keeps its statistics where the choices say so."""
        super().train(mode)
        if self.choices.batch_norm == "eval":
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self


class _Transformer(nn.Module):
    """Positions by convolution, pre-norm blocks, a final normalisation."""

    def __init__(self, sizes: AvHubertSizes, choices: AvHubertTraining) -> None:
        super().__init__()
        self._choices = choices
        self.pos_conv = nn.ModuleList([_PositionalConvolution(sizes)])
        self.layers = nn.ModuleList([_Block(sizes, choices.dropout) for _ in range(sizes.blocks)])
        self.layer_norm = nn.LayerNorm(sizes.width)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        if valid is not None:
            x = x * valid[..., None]
        x = x + functional.gelu(self.pos_conv[0](x))
        x = functional.dropout(x, self._choices.dropout, self.training)
        for block in self.layers:
            if not (self.training and float(torch.rand(())) < self._choices.layer_drop):
                x = block(x, valid)
        normalised: Tensor = self.layer_norm(x)
        return normalised


class _PositionalConvolution(nn.Module):
    """A grouped convolution over time whose kernel has one learned gain per tap."""

    def __init__(self, sizes: AvHubertSizes) -> None:
        super().__init__()
        self._groups = sizes.groups
        self.bias = nn.Parameter(torch.zeros(sizes.width))
        self.weight_g = nn.Parameter(torch.ones(1, 1, sizes.taps))
        self.weight_v = nn.Parameter(torch.randn(sizes.width, sizes.width // sizes.groups, sizes.taps))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, T, width]`` to the same shape."""
        taps = self.weight_v.shape[2]
        weight = self.weight_g * self.weight_v / torch.linalg.vector_norm(self.weight_v, dim=(0, 1), keepdim=True)
        moved = functional.conv1d(x.transpose(1, 2), weight, self.bias, padding=taps // 2, groups=self._groups)
        return moved[..., : x.shape[1]].transpose(1, 2)  # an even kernel gives one step too many


class _Attention(nn.Module):
    """Attention of every frame to every valid frame."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self._dropout = dropout
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.q_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        query, key, value = (
            projection(x).unflatten(2, (-1, HEAD_WIDTH)).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        mask = None if valid is None else valid[:, None, None, :]
        dropout = self._dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(query, key, value, mask, dropout)
        attended: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return attended


class _Block(nn.Module):
    """One transformer block, normalised before attention and before the two-layer network."""

    def __init__(self, sizes: AvHubertSizes, dropout: float) -> None:
        super().__init__()
        self._dropout = dropout
        self.self_attn = _Attention(sizes.width, dropout)
        self.self_attn_layer_norm = nn.LayerNorm(sizes.width)
        self.fc1 = nn.Linear(sizes.width, sizes.feed_forward)
        self.fc2 = nn.Linear(sizes.feed_forward, sizes.width)
        self.final_layer_norm = nn.LayerNorm(sizes.width)

    def forward(self, x: Tensor, valid: Tensor | None) -> Tensor:
        attended = self.self_attn(self.self_attn_layer_norm(x), valid)
        x = x + functional.dropout(attended, self._dropout, self.training)
        mapped = self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x))))
        return x + functional.dropout(mapped, self._dropout, self.training)


def visual_path(state: Mapping[str, Tensor], source: object) -> dict[str, Tensor]:
    """Return the entries of an AV-HuBERT checkpoint that pictures pass through, under the keys of the encoder above.

    Args:
        state: Of a pre-training file (the entry ``model`` of what fairseq saved), or of a fine-tuned one, where the
            same keys stand below ``encoder.w2v_model.``.
        source: Where it came from, for the message.

    Raises:
        CheckpointError: It holds no visual path, or, beside it, keys that no AV-HuBERT checkpoint has.
    """
    prefix = next((prefix for prefix in _PREFIXES if prefix + _STEM in state), None)
    if prefix is None:
        raise CheckpointError(
            f"{source} is no AV-HuBERT checkpoint: it has no {_STEM!r}, alone or below "
            f"{' or '.join(repr(prefix) for prefix in _PREFIXES[1:])}; give an official file or a converted one."
        )
    inner = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    strays = [key for key in inner if not key.startswith((*_VISUAL, *_OTHER))]
    if strays:
        raise CheckpointError(
            f"{source} holds {len(strays)} keys that no AV-HuBERT checkpoint has (the first: {strays[0]!r}); "
            "give an official file or a converted one."
        )
    return {key: value for key, value in inner.items() if key.startswith(_VISUAL)}


def count_blocks(state: Mapping[str, Tensor], prefix: str) -> int:
    """Return the highest block number below a prefix, plus one; a gap shows as missing keys later."""
    found = (re.match(re.escape(prefix) + r"(\d{1,3})\.", key) for key in state)
    return max((int(match[1]) + 1 for match in found if match), default=0)


def _shape(state: Mapping[str, Tensor], key: str, sides: int, source: object) -> tuple[int, ...]:
    if key not in state or state[key].ndim != sides:
        found = f"has the shape {list(state[key].shape)}" if key in state else "is missing"
        raise CheckpointError(f"{source} is no AV-HuBERT checkpoint: {key!r}, which tells a size, {found}.")
    return tuple(state[key].shape)
