"""LR-ASD: Liao et al., "LR-ASD: Lightweight and Robust Network for Active Speaker Detection", IJCV 2025.

doi 10.1007/s11263-025-02399-2. Official code and weights: https://github.com/Junhua-Liao/LR-ASD (MIT).
837,156 parameters.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from asdbench.networks.apart import with_gaps
from asdbench.networks.fast import Across, Along, windows
from asdbench.networks.two_stream import EMBEDDING, Block, BlockRewrite, FusionNetwork, Stream, TwoStreamNetwork

_ACROSS = 2  # of the four convolutions of a block; the others are along time


class _Block(Block):
    """Four convolutions in series: kernels 5 and 3 across (half, then all channels), kernels 5 and 3 along time."""

    reach = 3

    def __init__(self, stream: Stream, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        half = channels_out // 2
        self._names = tuple((f"{kind}_{i}", f"{kind}_norm_{i}") for kind in (stream.letter, "t") for i in (1, 2))
        convolutions = (
            stream.across(channels_in, half, 5, stride),
            stream.across(half, channels_out, 3),
            stream.along(channels_out, channels_out, 5),
            stream.along(channels_out, channels_out, 3),
        )
        widths = (half, channels_out, channels_out, channels_out)
        for (conv_name, norm_name), convolution, width in zip(self._names, convolutions, widths, strict=True):
            self.add_module(conv_name, convolution)
            self.add_module(norm_name, stream.norm(width))

    def forward(self, x: Tensor, gaps: Tensor | None = None) -> Tensor:
        for number, (conv_name, norm_name) in enumerate(self._names):
            seen = x if number < _ACROSS else with_gaps(x, gaps)
            normed = self.get_submodule(norm_name)(self.get_submodule(conv_name)(seen))
            x = functional.relu(normed, inplace=True)
        return x

    def rewritten(self) -> BlockRewrite:
        pairs = [(getattr(self, conv_name), getattr(self, norm_name)) for conv_name, norm_name in self._names]
        across = [Across.of(*pairs[0]), Across.of(*pairs[1], rectified=False)]
        along = [Along.of(*pairs[2], rectified=False), Along.of(*pairs[3])]

        def run(parts: Iterator[Tensor]) -> Iterator[Tensor]:
            for convolve in across:
                parts = map(convolve, parts)
            for step in along:
                parts = map(step, windows(parts, step.reach))
            return parts

        return run


class _Gate(nn.Module):
    """Weighs every channel of every frame by a number in 0..1 computed from all channels of that frame."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attention = nn.Conv1d(channels, channels, 1, bias=False)
        self.bn = nn.BatchNorm1d(channels, eps=1e-3, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, T, channels]`` to the same shape."""
        weight = torch.sigmoid(self.bn(self.attention(x.transpose(1, 2)))).transpose(1, 2)
        return x * weight


class _Detector(nn.Module):
    """Two GRUs in parallel, one over each direction of time, and a gate over their concatenation."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.gru_forward = nn.GRU(2 * EMBEDDING, EMBEDDING // 2, batch_first=True)
        self.gru_backward = nn.GRU(2 * EMBEDDING, EMBEDDING // 2, batch_first=True)
        self.attention = _Gate(EMBEDDING)

    def forward(self, x: Tensor) -> Tensor:
        ahead = self.gru_forward(self.dropout(x))[0]
        back = self.gru_backward(self.dropout(x.flip(1)))[0].flip(1)
        gated: Tensor = self.attention(torch.cat((ahead, back), dim=2))
        return gated


class _Network(FusionNetwork):
    """Both embeddings side by side, audio first, a gate over them, then the recurrent detector."""

    def __init__(self) -> None:
        super().__init__(_Block)
        self.fusion = _Gate(2 * EMBEDDING)
        self.detector = _Detector()

    def fuse(self, audio_embedding: Tensor, visual_embedding: Tensor) -> Tensor:
        both = torch.cat((audio_embedding, visual_embedding), dim=2)
        fused: Tensor = self.detector(self.fusion(both))
        return fused


class LRASD(TwoStreamNetwork):
    """LR-ASD with the state-dict layout of the official checkpoints (168 entries)."""

    def __init__(self) -> None:
        super().__init__(_Network())
