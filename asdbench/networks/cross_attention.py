"""The attention layer and the linear heads that TalkNet, LoCoNet and their descendants share.

Attribute names are those of the published checkpoints, since they are the keys of the state dict.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

PositionsFactory = Callable[[int], nn.Module]
"""Builds, from a number of channels, what adds positions to ``[B, T, channels]``."""


class AttentionLayer(nn.Module):
    """Attention over time with eight heads, then a feed-forward part, each normalised after its residual sum.

    No mask: a padded clip scores differently from the same clip alone.

    Args:
        channels: Of both streams.
        dropout: In training.
        positions: Builds what adds positions to both inputs, hence also to the residual; without it frames are told
            apart by their content alone.
    """

    def __init__(self, channels: int, dropout: float = 0.1, positions: PositionsFactory | None = None) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(channels, 8, dropout=dropout, batch_first=True)
        self._has_positions = positions is not None
        if positions is not None:  # here, where the checkpoints list it
            self.positional_emb = positions(channels)
        self.linear1 = nn.Linear(channels, 4 * channels)
        self.dropout = nn.Dropout(dropout)
        self.linear2 = nn.Linear(4 * channels, channels)
        self.norm1 = nn.LayerNorm(channels)
        self.norm2 = nn.LayerNorm(channels)
        self.dropout1 = nn.Dropout(dropout)
        self.dropout2 = nn.Dropout(dropout)

    def forward(self, own: Tensor, query: Tensor) -> Tensor:
        """Let one stream be read by another.

        Args:
            own: ``[B, T, channels]``; keys, values *and* residual, a habit of the published code.
            query: ``[B, T, channels]``; the other stream, or ``own`` again for self-attention.

        Returns:
            ``[B, T, channels]``.
        """
        if self._has_positions:
            own, query = self.positional_emb(own), self.positional_emb(query)
        attended = self.self_attn(query, own, own, need_weights=False)[0]
        x = self.norm1(own + self.dropout1(attended))
        changed = self.linear2(self.dropout(functional.relu(self.linear1(x))))
        y: Tensor = self.norm2(x + self.dropout2(changed))
        return y


class LinearHead(nn.Module):
    """Two logits per frame: column 0 not speaking, column 1 speaking.

    Args:
        channels: Of what it reads.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.FC = nn.Linear(channels, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[..., channels]`` to ``[..., 2]``."""
        logits: Tensor = self.FC(x)
        return logits
