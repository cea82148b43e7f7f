"""Light-ASD: Liao et al., "A Light Weight Model for Active Speaker Detection", CVPR 2023 (arXiv 2303.04439).

Official code and weights: https://github.com/Junhua-Liao/Light-ASD (MIT). 1,021,636 parameters.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import tee

from torch import Tensor, nn
from torch.nn import functional

from asdbench.networks.apart import with_gaps
from asdbench.networks.fast import Across, Along, windows
from asdbench.networks.two_stream import EMBEDDING, Block, BlockRewrite, FusionNetwork, Stream, TwoStreamNetwork


class _Block(Block):
    """Two parallel branches (kernels 3 and 5), each across, then along time; a 1x1 convolution of their sum."""

    reach = 2

    def __init__(self, stream: Stream, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self._letter = stream.letter
        for size in (3, 5):
            self.add_module(f"{stream.letter}_{size}", stream.across(channels_in, channels_out, size, stride))
            self.add_module(f"bn_{stream.letter}_{size}", stream.norm(channels_out))
            self.add_module(f"t_{size}", stream.along(channels_out, channels_out, size))
            self.add_module(f"bn_t_{size}", stream.norm(channels_out))
        self.last = stream.along(channels_out, channels_out, 1)
        self.bn_last = stream.norm(channels_out)

    def forward(self, x: Tensor, gaps: Tensor | None = None) -> Tensor:
        return self._step("last", self._branch(x, 3, gaps) + self._branch(x, 5, gaps))

    def rewritten(self) -> BlockRewrite:
        across = [Across.of(*self._pair(f"{self._letter}_{size}"), rectified=False) for size in (3, 5)]
        narrow, wide = (Along.of(*self._pair(f"t_{size}")) for size in (3, 5))
        last = Along.of(*self._pair("last"))
        spare = wide.reach - narrow.reach

        def run(parts: Iterator[Tensor]) -> Iterator[Tensor]:
            branches = zip(across, tee(parts), strict=True)
            seen = [windows(map(convolve, branch), wide.reach) for convolve, branch in branches]
            for short, long in zip(*seen, strict=True):
                yield last(wide(long).add_(narrow(short[spare:-spare])))

        return run

    def _pair(self, name: str) -> tuple[nn.Conv3d, nn.BatchNorm3d]:
        return getattr(self, name), getattr(self, f"bn_{name}")

    def _branch(self, x: Tensor, size: int, gaps: Tensor | None) -> Tensor:
        return self._step(f"t_{size}", with_gaps(self._step(f"{self._letter}_{size}", x), gaps))

    def _step(self, name: str, x: Tensor) -> Tensor:
        convolved = self.get_submodule(name)(x)
        return functional.relu(self.get_submodule(f"bn_{name}")(convolved), inplace=True)


class _Detector(nn.Module):
    """Two GRUs in sequence, the second over the reversed output of the first.

    The names come from the checkpoint and mislead: this is not a bidirectional GRU.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gru_forward = nn.GRU(EMBEDDING, EMBEDDING, batch_first=True)
        self.gru_backward = nn.GRU(EMBEDDING, EMBEDDING, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        ahead = functional.gelu(self.gru_forward(x)[0])
        back = self.gru_backward(ahead.flip(1))[0].flip(1)
        return functional.gelu(back)


class _Network(FusionNetwork):
    """Plain sum of both embeddings, then the recurrent detector."""

    def __init__(self) -> None:
        super().__init__(_Block)
        self.GRU = _Detector()

    def fuse(self, audio_embedding: Tensor, visual_embedding: Tensor) -> Tensor:
        fused: Tensor = self.GRU(audio_embedding + visual_embedding)
        return fused


class LightASD(TwoStreamNetwork):
    """Light-ASD with the state-dict layout of the official checkpoints (192 entries)."""

    def __init__(self) -> None:
        super().__init__(_Network())
