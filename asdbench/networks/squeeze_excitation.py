"""The audio encoder of TalkNet: a residual network with squeeze-and-excitation over MFCC.

Attribute names are those of the official checkpoints, since they are the keys of the state dict.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

EMBEDDING = 128
"""Channels of one frame's embedding."""

DEPTH = (3, 4, 6, 3)
"""Blocks of each stage in the published network."""

_REDUCTION = 8
_STAGES = ((16, 1), (32, 2), (64, 2), (EMBEDDING, 1))  # channels and stride


class _Gate(nn.Module):
    """Weighs every channel by a number in 0..1 computed from the means of all channels over the whole clip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // _REDUCTION),
            nn.ReLU(),
            nn.Linear(channels // _REDUCTION, channels),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        weights: Tensor = self.fc(x.mean(dim=(2, 3)))
        return x * weights[:, :, None, None]


class _Block(nn.Module):
    """Residual block; behind the first convolution the rectifier comes before the normalisation."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.se = _Gate(channels_out)
        self.downsample: nn.Module | None = None
        if stride != 1 or channels_in != channels_out:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride, bias=False), nn.BatchNorm2d(channels_out)
            )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        inner = self.bn1(functional.relu(self.conv1(x)))
        return functional.relu(self.se(self.bn2(self.conv2(inner))) + shortcut)


class SqueezeExcitationEncoder(nn.Module):
    """MFCC to embeddings: four stages, two of which halve time, then the mean over the coefficients.

    Args:
        depth: Blocks of each stage, at least one.
    """

    def __init__(self, depth: tuple[int, ...] = DEPTH) -> None:
        super().__init__()
        channels = _STAGES[0][0]
        self.conv1 = nn.Conv2d(1, channels, 7, (2, 1), padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        for number, (blocks, (width, stride)) in enumerate(zip(depth, _STAGES, strict=True), start=1):
            stage = [_Block(channels, width, stride), *(_Block(width, width, 1) for _ in range(blocks - 1))]
            self.add_module(f"layer{number}", nn.Sequential(*stage))
            channels = width

    def forward(self, mfcc: Tensor) -> Tensor:
        """Map ``[B, 4T, 13]`` to ``[B, T, 128]``."""
        x = mfcc.transpose(1, 2).unsqueeze(1)
        x = functional.relu(self.bn1(self.conv1(x)))
        for number in range(1, len(_STAGES) + 1):
            x = self.get_submodule(f"layer{number}")(x)
        return x.mean(dim=2).transpose(1, 2)
