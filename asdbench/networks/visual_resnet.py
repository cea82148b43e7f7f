"""The visual side that TalkNet, LoCoNet and their descendants share: a 3-D stem, a residual trunk, temporal blocks.

Attribute names are those of the published checkpoints, since they are the keys of the state dict. The stem sees two
frames to either side, the trunk one frame at a time, and the temporal blocks the whole clip, because their
normalisation averages over time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from asdbench.networks.apart import with_gaps
from asdbench.networks.fast import Rewritable, Rewrite, blocks, channels_last, normalised_weights, side_by_side

STEM = 64
"""Channels of the stem in every published network; the trunk's output has eight times as many."""

FRONTEND = 8 * STEM
"""Channels of the trunk's output in every published network."""

EMBEDDING = 128
"""Channels of the visual embedding."""

STEM_HALO = 2
"""Frames to either side that one frame's trunk output depends on."""

EVERY_FRAME = slice(None)
"""All frames of a clip: the default where only some are wanted, and the others are there to be seen beside them."""

_FACE_MEAN, _FACE_STD = 0.4161, 0.1688  # of gray faces scaled to 0..1
_STAGES = ((1, 1), (2, 2), (4, 2), (8, 2))  # channels, in those of the stem, and stride of each residual stage


def _norm2d(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


def _conv3x3(channels_in: int, channels_out: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)


class ResidualStage(nn.Module):
    """Two residual units; the identity of the second is the sum of the first *before* its normalisation.

    Args:
        channels_in: Channels of the input.
        channels_out: Channels of the output.
        stride: Of the first convolution.
        unused_shortcut: Keep the weights of a strided shortcut although the stage does not need it, as TalkNet's
            checkpoints do.
        last: Whether no other stage follows.
    """

    def __init__(
        self, channels_in: int, channels_out: int, stride: int, unused_shortcut: bool = False, last: bool = False
    ) -> None:
        super().__init__()
        self._strided = stride != 1
        self._last = last
        self.conv1a = _conv3x3(channels_in, channels_out, stride)
        self.bn1a = _norm2d(channels_out)
        self.conv2a = _conv3x3(channels_out, channels_out)
        if self._strided or unused_shortcut:
            self.downsample = nn.Conv2d(channels_in, channels_out, 1, stride, bias=False)
        self.outbna = _norm2d(channels_out)
        self.conv1b = _conv3x3(channels_out, channels_out)
        self.bn1b = _norm2d(channels_out)
        self.conv2b = _conv3x3(channels_out, channels_out)
        self.outbnb = _norm2d(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, channels_in, height, width]`` to ``[N, channels_out, height / stride, width / stride]``."""
        shortcut = self.downsample(x) if self._strided else x
        kept = self.conv2a(functional.relu(self.bn1a(self.conv1a(x)))) + shortcut
        x = functional.relu(self.outbna(kept))
        x = self.conv2b(functional.relu(self.bn1b(self.conv1b(x)))) + kept
        return functional.relu(self.outbnb(x))

    def rewritten(self) -> Rewrite:
        """Return the faster way.

        The last stage has pictures so small that it is faster with the channels first in memory, the others last.
        """
        arranged = Tensor.contiguous if self._last else channels_last
        stride = 2 if self._strided else 1
        first, third = normalised_weights(self.conv1a, self.bn1a), normalised_weights(self.conv1b, self.bn1b)
        second, fourth = self.conv2a.weight.detach(), self.conv2b.weight.detach()
        weights = [arranged(weight) for weight in (first[0], second, third[0], fourth)]
        shortened = arranged(self.downsample.weight.detach()) if self._strided else None

        def run(x: Tensor) -> Tensor:
            x = arranged(x)
            shortcut = x if shortened is None else functional.conv2d(x, shortened, stride=stride)
            x = functional.conv2d(x, weights[0], first[1], stride, 1).relu_()
            kept = functional.conv2d(x, weights[1], padding=1).add_(shortcut)
            x = functional.conv2d(self.outbna(kept).relu_(), weights[2], third[1], padding=1).relu_()
            x = functional.conv2d(x, weights[3], padding=1).add_(kept)
            return self.outbnb(x).relu_()  # type: ignore[no-any-return]

        return run


class ResidualTrunk(nn.Module):
    """Four residual stages over single frames, then the mean over what is left of space.

    Args:
        unused_shortcut: See `ResidualStage`; concerns the first stage.
        stem: Channels of what comes in.
    """

    def __init__(self, unused_shortcut: bool = False, stem: int = STEM) -> None:
        super().__init__()
        channels_in = stem
        for number, (factor, stride) in enumerate(_STAGES, 1):
            last = number == len(_STAGES)
            stage = ResidualStage(channels_in, factor * stem, stride, unused_shortcut, last)
            self.add_module(f"layer{number}", stage)
            channels_in = factor * stem

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, stem, height, width]`` to ``[N, 8 * stem]``."""
        for number in range(1, len(_STAGES) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return x.mean(dim=(2, 3))

    def rewritten(self) -> Rewrite:
        """Return the faster way."""
        stages = [cast(ResidualStage, stage).rewritten() for stage in self.children()]

        def run(x: Tensor) -> Tensor:
            for stage in stages:
                x = stage(x)
            return x.mean(dim=(2, 3))

        return run


@dataclass(frozen=True, eq=False)
class FasterFrontend:
    """What `asdbench.networks.fast` makes of a front end; the methods are those of `VisualFrontend`.

    Attributes:
        weight: Of the stem, ``[64, 5, 7, 7]``: frames are channels.
        bias: ``[64]``.
        features: Maps ``[t, 64, height, width]`` to ``[t, 512]``.
    """

    weight: Tensor
    bias: Tensor
    features: Rewrite

    def stem(self, faces: Tensor, wanted: slice = EVERY_FRAME) -> Tensor:
        """See `VisualFrontend.stem`."""
        return torch.stack([torch.cat(side_by_side(self._maps, _around(clip, wanted))) for clip in faces])

    def trunk(self, maps: Tensor) -> Tensor:
        """See `VisualFrontend.trunk`."""
        features = torch.cat(side_by_side(self.features, list(blocks(maps.flatten(0, 1)))))
        return features.view(*maps.shape[:2], -1)

    def __call__(self, faces: Tensor, wanted: slice = EVERY_FRAME) -> Tensor:
        """See `VisualFrontend.forward`."""

        def both(part: Tensor) -> Tensor:
            return self.features(self._maps(part))

        return torch.stack([torch.cat(side_by_side(both, _around(clip, wanted))) for clip in faces])

    def _maps(self, part: Tensor) -> Tensor:
        """Map frames with those around them, ``[t, 5, height, width]``, to ``[t, 64, height / 4, width / 4]``."""
        x = functional.conv2d(channels_last(part), self.weight, self.bias, 2, 3).relu_()
        return functional.max_pool2d(x, 3, 2, 1)


def _around(clip: Tensor, wanted: slice) -> list[Tensor]:
    """Return blocks ``[t, 5, height, width]``, views of normalised frames with their neighbours as channels."""
    pictures = functional.pad((clip / 255 - _FACE_MEAN) / _FACE_STD, (0, 0, 0, 0, STEM_HALO, STEM_HALO))
    return list(blocks(pictures.unfold(0, 2 * STEM_HALO + 1, 1).permute(0, 3, 1, 2)[wanted]))


class VisualFrontend(Rewritable[FasterFrontend]):
    """Face crops to per-frame features: 3-D stem, then the trunk.

    Args:
        unused_shortcut: See `ResidualStage`.
        stem: Channels of the stem; the features have eight times as many.
    """

    def __init__(self, unused_shortcut: bool = False, stem: int = STEM) -> None:
        super().__init__()
        self.frontend3D = nn.Sequential(
            nn.Conv3d(1, stem, (5, 7, 7), (1, 2, 2), (2, 3, 3), bias=False),
            nn.BatchNorm3d(stem, eps=1e-3, momentum=0.01),
            nn.ReLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )
        self.resnet = ResidualTrunk(unused_shortcut, stem)

    def stem(self, faces: Tensor, wanted: slice = EVERY_FRAME, gaps: Tensor | None = None) -> Tensor:
        """Map faces ``[B, T, height, width]``, gray values 0..255, to ``[B, T, 64, height / 4, width / 4]``.

        Only the wanted frames come back; each is seen with its neighbours all the same. Frames that are ``gaps`` lie
        between clips (`asdbench.networks.apart`); what they map to means nothing.
        """
        if self.faster is not None and gaps is None:
            return self.faster.stem(faces, wanted)
        x = ((faces / 255 - _FACE_MEAN) / _FACE_STD).unsqueeze(1)
        maps: Tensor = self.frontend3D(with_gaps(x, gaps)).transpose(1, 2)[:, wanted]
        return maps

    def trunk(self, maps: Tensor) -> Tensor:
        """Map ``[B, T, 64, height, width]`` to ``[B, T, 512]``."""
        if self.faster is not None:
            return self.faster.trunk(maps)
        features: Tensor = self.resnet(maps.flatten(0, 1))
        return features.view(*maps.shape[:2], -1)

    def forward(self, faces: Tensor, wanted: slice = EVERY_FRAME, gaps: Tensor | None = None) -> Tensor:
        """Map faces ``[B, T, height, width]``, gray values 0..255, to ``[B, T, 512]``; each clip on its own.

        Only the wanted frames come back, as from `stem`; ``gaps`` as there.
        """
        if self.faster is not None and gaps is None:
            return self.faster(faces, wanted)
        return self.trunk(self.stem(faces, wanted, gaps))

    def rewritten(self) -> FasterFrontend:
        """Return the faster way, in which frames pass stem and trunk some at a time."""
        convolution, norm = self.frontend3D[0], self.frontend3D[1]
        weight, bias = normalised_weights(cast(nn.Conv3d, convolution), cast(nn.BatchNorm3d, norm))
        return FasterFrontend(channels_last(weight), bias, self.resnet.rewritten())


class GlobalLayerNorm(nn.Module):
    """Normalises over channels *and* time of a clip, so that every frame depends on the length of the clip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(1, channels, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, channels, T]`` to the same shape."""
        mean = x.mean(dim=(1, 2), keepdim=True)
        variance = ((x - mean) ** 2).mean(dim=(1, 2), keepdim=True)
        return self.gamma * (x - mean) / torch.sqrt(variance + 1e-8) + self.beta


class TemporalBlock(nn.Module):
    """Depthwise convolution over time in a residual unit; keys under ``net.``."""

    def __init__(self, channels: int = FRONTEND) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.ReLU(),
            nn.BatchNorm1d(channels),
            nn.Conv1d(channels, channels, 3, padding=1, groups=channels, bias=False),
            nn.PReLU(),
            GlobalLayerNorm(channels),
            nn.Conv1d(channels, channels, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, channels, T]`` to the same shape."""
        changed: Tensor = self.net(x)
        return changed + x


class VisualTCN(nn.Module):
    """Five temporal blocks; keys under ``net.``.

    Args:
        channels: Of the trunk's output.
    """

    def __init__(self, channels: int = FRONTEND) -> None:
        super().__init__()
        self.net = nn.Sequential(*(TemporalBlock(channels) for _ in range(5)))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, channels, T]`` to the same shape."""
        y: Tensor = self.net(x)
        return y


class VisualConv1D(nn.Module):
    """From the trunk's channels to those of the embedding; keys under ``net.``.

    Args:
        channels: Of the trunk's output.
    """

    def __init__(self, channels: int = FRONTEND) -> None:
        super().__init__()
        half = channels // 2
        self.net = nn.Sequential(
            nn.Conv1d(channels, half, 5, padding=2), nn.BatchNorm1d(half), nn.ReLU(), nn.Conv1d(half, EMBEDDING, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, channels, T]`` to ``[B, 128, T]``."""
        y: Tensor = self.net(x)
        return y
