"""What AV-HuBERT does to each picture: a convolution over five frames, a residual network of eighteen layers, a mean.

Attribute names are those of the published checkpoints, since they are the keys of the state dict.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

TRUNK_HALO = 2
"""Frames to either side that one frame's trunk features depend on."""

_MEAN, _STD = 0.421, 0.165  # of gray pictures scaled to 0..1


def normalised(pictures: Tensor) -> Tensor:
    """Return gray pictures of any shape, 0..255, as the network reads them: ``(x / 255 - 0.421) / 0.165``."""
    return (pictures.float() / 255 - _MEAN) / _STD


class VideoFeatures(nn.Module):
    """The trunk, and the projection of its features to the width of the transformer."""

    def __init__(self, stem: int, width: int) -> None:
        super().__init__()
        self.resnet = _ResNet(stem)
        self.proj = nn.Linear(8 * stem, width)


class _ResNet(nn.Module):
    """Pictures to features, frame by frame but for the first convolution. Pictures may have any size."""

    def __init__(self, stem: int) -> None:
        super().__init__()
        self.frontend3D = nn.Sequential(
            nn.Conv3d(1, stem, (5, 7, 7), (1, 2, 2), (TRUNK_HALO, 3, 3), bias=False),
            nn.BatchNorm3d(stem),
            nn.PReLU(stem),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )
        self.trunk = _Trunk(stem)

    def forward(self, pictures: Tensor, valid: Tensor | None) -> Tensor:
        """Map ``[B, T, height, width]`` to ``[B, T, 8 * stem]``; zeros where ``valid`` is False."""
        convolution, *others = self.frontend3D
        # From here on no frame sees another, so frames that only fill up a batch are left out: they would cost time
        # and enter the statistics of the batch normalisation.
        frames = convolution(pictures[:, None]).transpose(1, 2)
        if valid is None:
            valid = torch.ones(pictures.shape[:2], dtype=torch.bool, device=pictures.device)
        x = frames[valid].transpose(0, 1)[None]
        for layer in others:
            x = layer(x)
        features: Tensor = self.trunk(x[0].transpose(0, 1))
        batch = features.new_zeros(*valid.shape, features.shape[1])
        batch[valid] = features
        return batch


class _Trunk(nn.Module):
    """Four stages of two residual blocks, then the mean over the picture."""

    def __init__(self, stem: int) -> None:
        super().__init__()
        self.layer1 = nn.Sequential(_Residual(stem, stem, 1), _Residual(stem, stem, 1))
        self.layer2 = nn.Sequential(_Residual(stem, 2 * stem, 2), _Residual(2 * stem, 2 * stem, 1))
        self.layer3 = nn.Sequential(_Residual(2 * stem, 4 * stem, 2), _Residual(4 * stem, 4 * stem, 1))
        self.layer4 = nn.Sequential(_Residual(4 * stem, 8 * stem, 2), _Residual(8 * stem, 8 * stem, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[N, stem, height, width]`` to ``[N, 8 * stem]``."""
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return x.mean(dim=(2, 3))


class _Residual(nn.Module):
    """Two convolutions around a shortcut; one learned slope per channel below zero."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.relu1 = nn.PReLU(channels_out)
        self.relu2 = nn.PReLU(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.downsample = None
        if stride != 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride, bias=False), nn.BatchNorm2d(channels_out)
            )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        out: Tensor = self.relu2(self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x))))) + shortcut)
        return out
