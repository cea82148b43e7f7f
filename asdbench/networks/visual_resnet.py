"""The visual side that TalkNet, LoCoNet and their descendants share: a 3-D stem, a residual trunk, temporal blocks.

Attribute names are those of the published checkpoints, since they are the keys of the state dict. The stem sees two
frames to either side, the trunk one frame at a time, and the temporal blocks the whole clip, because their
normalisation averages over time.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

FRONTEND = 512
"""Channels of the trunk's output."""

EMBEDDING = 128
"""Channels of the visual embedding."""

STEM_HALO = 2
"""Frames to either side that one frame's trunk output depends on."""

_FACE_MEAN, _FACE_STD = 0.4161, 0.1688  # of gray faces scaled to 0..1
_STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))  # channels and stride of each residual stage


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
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int, unused_shortcut: bool = False) -> None:
        super().__init__()
        self._strided = stride != 1
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


class ResidualTrunk(nn.Module):
    """Four residual stages over single frames, then the mean over what is left of space.

    Args:
        unused_shortcut: See `ResidualStage`; concerns the first stage.
    """

    def __init__(self, unused_shortcut: bool = False) -> None:
        super().__init__()
        channels_in = 64
        for number, (channels, stride) in enumerate(_STAGES, 1):
            self.add_module(f"layer{number}", ResidualStage(channels_in, channels, stride, unused_shortcut))
            channels_in = channels

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, 64, height, width]`` to ``[N, 512]``."""
        for number in range(1, len(_STAGES) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return x.mean(dim=(2, 3))


class VisualFrontend(nn.Module):
    """Face crops to per-frame features: 3-D stem, then the trunk.

    Args:
        unused_shortcut: See `ResidualStage`.
    """

    def __init__(self, unused_shortcut: bool = False) -> None:
        super().__init__()
        self.frontend3D = nn.Sequential(
            nn.Conv3d(1, 64, (5, 7, 7), (1, 2, 2), (2, 3, 3), bias=False),
            nn.BatchNorm3d(64, eps=1e-3, momentum=0.01),
            nn.ReLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )
        self.resnet = ResidualTrunk(unused_shortcut)

    def stem(self, faces: Tensor) -> Tensor:
        """Map faces ``[B, T, height, width]``, gray values 0..255, to ``[B, T, 64, height / 4, width / 4]``."""
        x = ((faces / 255 - _FACE_MEAN) / _FACE_STD).unsqueeze(1)
        maps: Tensor = self.frontend3D(x).transpose(1, 2)
        return maps

    def trunk(self, maps: Tensor) -> Tensor:
        """Map ``[B, T, 64, height, width]`` to ``[B, T, 512]``."""
        features: Tensor = self.resnet(maps.flatten(0, 1))
        return features.view(*maps.shape[:2], FRONTEND)

    def forward(self, faces: Tensor) -> Tensor:
        """Map faces ``[B, T, height, width]``, gray values 0..255, to ``[B, T, 512]``; each clip on its own."""
        return self.trunk(self.stem(faces))


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
    """Five temporal blocks; keys under ``net.``."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(*(TemporalBlock() for _ in range(5)))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, 512, T]`` to the same shape."""
        y: Tensor = self.net(x)
        return y


class VisualConv1D(nn.Module):
    """From the trunk's channels to those of the embedding; keys under ``net.``."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(FRONTEND, 256, 5, padding=2), nn.BatchNorm1d(256), nn.ReLU(), nn.Conv1d(256, EMBEDDING, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, 512, T]`` to ``[B, 128, T]``."""
        y: Tensor = self.net(x)
        return y
