"""What Light-ASD and LR-ASD share: factorised convolutions, the two encoders around their blocks, the linear heads.

Attribute names are those of the published checkpoints, since they are the keys of the state dict.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from asdbench.networks.fast import Rewritable, Rewrite, blocks, pooled, side_by_side, spans

EMBEDDING = 128
"""Channels of each stream's embedding, and of what the head reads."""

_FACE_MEAN, _FACE_STD = 0.4161, 0.1688  # of gray faces scaled to 0..1


@dataclass(frozen=True)
class Stream:
    """How the convolutions of one stream lie in space and time.

    A convolution *across* looks at one instant (face pixels, or MFCC coefficients), one *along* at one place over time.

    Attributes:
        letter: Letter of the first kind in the checkpoint's key names.
        conv: Convolution class.
        norm_class: Batch normalisation class.
        across_axes: 1 for each axis that a convolution *across* covers, in the order of the tensor.
        along_axes: Likewise for a convolution *along*.
    """

    letter: str
    conv: type[nn.Conv2d] | type[nn.Conv3d]
    norm_class: type[nn.BatchNorm2d] | type[nn.BatchNorm3d]
    across_axes: tuple[int, ...]
    along_axes: tuple[int, ...]

    def across(self, channels_in: int, channels_out: int, size: int, stride: int = 1) -> nn.Module:
        """Return a convolution over one instant, size kept but for the stride."""
        return self._conv(self.across_axes, channels_in, channels_out, size, stride)

    def along(self, channels_in: int, channels_out: int, size: int) -> nn.Module:
        """Return a convolution over time."""
        return self._conv(self.along_axes, channels_in, channels_out, size, 1)

    def norm(self, channels: int) -> nn.Module:
        """Return the batch normalisation both papers use; its eps is not the framework's default."""
        return self.norm_class(channels, eps=1e-3, momentum=0.01)

    def _conv(self, axes: tuple[int, ...], channels_in: int, channels_out: int, size: int, stride: int) -> nn.Module:
        kernel, steps, padding = (
            tuple(value if covered else other for covered in axes)
            for value, other in ((size, 1), (stride, 1), (size // 2, 0))
        )
        # The tuples are as long as the convolution has axes, which the type of ``conv`` cannot say.
        return self.conv(channels_in, channels_out, kernel, steps, padding, bias=False)  # type: ignore[arg-type]


VISUAL = Stream("s", nn.Conv3d, nn.BatchNorm3d, across_axes=(0, 1, 1), along_axes=(1, 0, 0))
"""Tensors ``[B, C, T, height, width]``."""

AUDIO = Stream("m", nn.Conv2d, nn.BatchNorm2d, across_axes=(1, 0), along_axes=(0, 1))
"""Tensors ``[B, C, coefficients, 4T]``."""

BlockRewrite = Callable[[Iterator[Tensor]], Iterator[Tensor]]
"""What a block does to consecutive frames ``[t, height, width, C]``, for as many as it can with those so far."""


class Block(nn.Module, ABC):
    """Convolutions with normalisation, all of which keep the number of frames.

    Attributes:
        reach: Frames to either side that the result for one depends on.
    """

    reach: int

    @abstractmethod
    def forward(self, x: Tensor, gaps: Tensor | None = None) -> Tensor:
        """Map one stream's tensor; ``gaps`` as for `VisualEncoder.forward`."""

    @abstractmethod
    def rewritten(self) -> BlockRewrite:
        """Return the faster way of a block of the visual stream; see `asdbench.networks.fast`."""


BlockFactory = Callable[[Stream, int, int, int], Block]
"""Builds a block from stream, channels in, channels out and stride across."""


class VisualEncoder(Rewritable[Rewrite]):
    """Face crops to embeddings: three blocks with spatial pooling, then the maximum over what is left of space."""

    def __init__(self, block: BlockFactory) -> None:
        super().__init__()
        self.block1 = block(VISUAL, 1, 32, 2)
        self.pool1 = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))
        self.block2 = block(VISUAL, 32, 64, 1)
        self.pool2 = nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1))
        self.block3 = block(VISUAL, 64, EMBEDDING, 1)

    def forward(self, faces: Tensor, gaps: Tensor | None = None) -> Tensor:
        """Map ``[B, T, 112, 112]``, 0..255, to ``[B, T, 128]``.

        Frames that are ``gaps`` lie between clips (`asdbench.networks.apart`); what they map to
        means nothing.
        """
        if self.faster is not None and gaps is None:
            return self.faster(faces)
        x = ((faces / 255 - _FACE_MEAN) / _FACE_STD).unsqueeze(1)
        x = self.pool1(self.block1(x, gaps))
        x = self.pool2(self.block2(x, gaps))
        x = self.block3(x, gaps)
        strongest: Tensor = x.amax(dim=(3, 4)).transpose(1, 2)
        return strongest

    def rewritten(self) -> Rewrite:
        """Return the faster way, in which frames pass all blocks some at a time."""
        steps = self.block1, self.block2, self.block3
        first, second, third = (block.rewritten() for block in steps)
        halo = sum(block.reach for block in steps)

        def embed(clip: Tensor) -> Tensor:
            pictures = (((part / 255 - _FACE_MEAN) / _FACE_STD).unsqueeze(3) for part in blocks(clip))
            maps = third(map(pooled, second(map(pooled, first(pictures)))))
            return torch.cat([part.amax(dim=(1, 2)) for part in maps])

        def run(clip: Tensor) -> Tensor:
            cuts = spans(len(clip), halo)
            found = side_by_side(embed, [clip[seen] for seen, _ in cuts])
            return torch.cat([part[kept] for part, (_, kept) in zip(found, cuts, strict=True)])

        return lambda faces: torch.stack([run(clip) for clip in faces])


class AudioEncoder(nn.Module):
    """MFCC to embeddings: three blocks that pool four rows into one frame, then the mean over the coefficients."""

    def __init__(self, block: BlockFactory) -> None:
        super().__init__()
        self.block1 = block(AUDIO, 1, 32, 1)
        self.pool1 = nn.MaxPool2d((1, 3), (1, 2), (0, 1))
        self.block2 = block(AUDIO, 32, 64, 1)
        self.pool2 = nn.MaxPool2d((1, 3), (1, 2), (0, 1))
        self.block3 = block(AUDIO, 64, EMBEDDING, 1)

    def forward(self, mfcc: Tensor) -> Tensor:
        """Map ``[B, 4T, 13]`` to ``[B, T, 128]``."""
        x = mfcc.transpose(1, 2).unsqueeze(1)
        x = self.pool1(self.block1(x))
        x = self.pool2(self.block2(x))
        x = self.block3(x)
        average: Tensor = x.mean(dim=2).transpose(1, 2)
        return average


class LinearHead(nn.Module):
    """Two logits per frame: column 0 not speaking, column 1 speaking."""

    def __init__(self) -> None:
        super().__init__()
        self.FC = nn.Linear(EMBEDDING, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[..., 128]`` to ``[..., 2]``."""
        logits: Tensor = self.FC(x)
        return logits


class FusionNetwork(nn.Module, ABC):
    """Both encoders; each architecture adds what its fusion needs. Keys under ``model.``."""

    def __init__(self, block: BlockFactory) -> None:
        super().__init__()
        self.visualEncoder = VisualEncoder(block)
        self.audioEncoder = AudioEncoder(block)

    @abstractmethod
    def fuse(self, audio_embedding: Tensor, visual_embedding: Tensor) -> Tensor:
        """Fuse two embeddings ``[B, T, 128]`` over the whole track into ``[B, T, 128]``."""


class TwoStreamNetwork(nn.Module):
    """An audio encoder, a visual encoder and a head that fuses them.

    The head over the visual stream alone (``lossV``) belongs to the checkpoint and to training; scores never use it.
    """

    def __init__(self, network: FusionNetwork) -> None:
        super().__init__()
        self.model = network
        self.lossAV = LinearHead()
        self.lossV = LinearHead()

    def embed_audio(self, mfcc: Tensor) -> Tensor:
        """Embed audio.

        Args:
            mfcc: ``[B, 4T, 13]`` float32, as `asdbench.features.mfcc_for_frames` computes them.

        Returns:
            ``[B, T, 128]``.
        """
        embedding: Tensor = self.model.audioEncoder(mfcc)
        return embedding

    def embed_faces(self, faces: Tensor, gaps: Tensor | None = None) -> Tensor:
        """Embed face crops.

        Args:
            faces: ``[B, T, 112, 112]`` float32 gray values, 0..255.
            gaps: Which frames lie between clips that are laid end to end (`asdbench.networks.apart`).

        Returns:
            ``[B, T, 128]``.
        """
        embedding: Tensor = self.model.visualEncoder(faces, gaps)
        return embedding

    def fuse(self, audio_embedding: Tensor, visual_embedding: Tensor) -> Tensor:
        """Return what the head reads, ``[B, T, 128]``: the official code's ``outsAV``, there as ``[B * T, 128]``."""
        return self.model.fuse(audio_embedding, visual_embedding)

    def head(self, audio_embedding: Tensor, visual_embedding: Tensor) -> Tensor:
        """Return the logits ``[B, T, 2]`` of two embeddings ``[B, T, 128]``; column 1 is *speaking*."""
        logits: Tensor = self.lossAV(self.fuse(audio_embedding, visual_embedding))
        return logits

    def forward(self, mfcc: Tensor, faces: Tensor) -> Tensor:
        """Return the logits ``[B, T, 2]`` of MFCC ``[B, 4T, 13]`` and faces ``[B, T, 112, 112]``."""
        return self.head(self.embed_audio(mfcc), self.embed_faces(faces))
