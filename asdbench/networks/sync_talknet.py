"""Sync-TalkNet: TalkNet with positions in every attention layer, trained on exchanged voices.

Official code: https://github.com/zaocan666/SyncTalkNet (states no licence; nothing of it is used here but facts).
15,744,481 parameters, as TalkNet; the three tables of positions are buffers of the checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from asdbench.errors import UsageError
from asdbench.networks.talknet import TalkNet, TalkNetSizes

POSITIONS = 400
"""Frames that the tables of positions cover; no longer clip can be fused."""


class _Positions(nn.Module):
    """Adds row t of its table to frame t of every clip.

    For even i column i is ``sin(t / 10000^(2i/d))`` and column i + 1 ``cos(t / 10000^(2(i+1)/d))``. The exponent counts
    columns, not pairs of them as in the usual formula: frequencies fall twice as fast, and those of a pair differ.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        # On the CPU also where a layout is wanted on "meta": arithmetic there loads hundreds of modules of torch.
        frames = torch.arange(POSITIONS, dtype=torch.float64, device="cpu")[:, None]
        columns = torch.arange(channels, dtype=torch.float64, device="cpu")
        angles = frames / 10000 ** (2 * columns / channels)
        table = torch.where(columns % 2 == 0, angles.sin(), angles.cos())
        self.pe: Tensor
        self.register_buffer("pe", table.float()[None])

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, T, channels]`` to the same shape.

        Raises:
            UsageError: More frames than the table has rows.
        """
        if x.shape[1] > POSITIONS:
            raise UsageError(
                f"Sync-TalkNet knows positions of {POSITIONS} frames, but a clip has {x.shape[1]}; cut it into chunks."
            )
        return x + self.pe[:, : x.shape[1]]


class SyncTalkNet(TalkNet):
    """Sync-TalkNet with the state-dict layout of the official code (490 entries); stored tables are honoured."""

    def __init__(self, sizes: TalkNetSizes | None = None) -> None:
        super().__init__(sizes, _Positions)

    def with_computed_positions(self, talknet: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Complete a state dict of TalkNet, which has no tables, with those of this network as they are now."""
        tables = {key: value for key, value in self.state_dict().items() if key.endswith(".positional_emb.pe")}
        return {**talknet, **tables}
