"""Clips one after the other on the frame axis, each computed as if it were alone.

A GPU computes many short clips in one go much faster than one by one, but clips of different lengths make no batch. The
encoders look at other frames in convolutions over time alone, to which there are zeros before and after a clip. So
frames between two clips that are zero before each such convolution are to a clip what its padding would be: nothing is
added to what it sees, and a clip's results differ from those that it has alone by rounding only.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

GAP = 2
"""Frames between two clips: as many as any one convolution over time looks to either side."""


def laid_out(clips: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Lay clips end to end.

    Args:
        clips: ``[T, ...]`` each, on the CPU.

    Returns:
        ``[1, N, ...]``, with ``GAP`` frames between two clips, and which frames of it are between clips, ``[G]``.
    """
    nothing = clips[0].new_zeros(GAP, *clips[0].shape[1:])
    rows, end = [clips[0]], len(clips[0])
    gaps: list[int] = []
    for clip in clips[1:]:
        rows += [nothing, clip]
        gaps += range(end, end + GAP)
        end += GAP + len(clip)
    return torch.cat(rows)[None], torch.tensor(gaps, dtype=torch.long)


def taken_apart(embedded: Tensor, lengths: Sequence[int]) -> list[Tensor]:
    """Return what ``[1, N, ...]`` holds of each clip, ``[1, T, ...]`` each."""
    found, start = [], 0
    for length in lengths:
        found.append(embedded[:, start : start + length])
        start += length + GAP
    return found


def with_gaps(x: Tensor, gaps: Tensor | None) -> Tensor:
    """Set what is between clips to zero, in place; for a convolution over time, and where no gradients are wanted.

    Args:
        x: ``[B, C, N, height, width]``.
        gaps: From `laid_out`; ``None`` for clips that are not laid end to end.
    """
    return x if gaps is None else x.index_fill_(2, gaps, 0)
