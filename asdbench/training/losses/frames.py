"""Cross-entropy over the frames of clips, which every loss is made of."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def frame_cross_entropy(
    logits: Tensor, labels: Tensor, temperature: float = 1.0, clip_weights: Tensor | None = None
) -> Tensor:
    """Mean cross-entropy over frames, ``sum_bt w_b (-log softmax(z_bt / r)[y_bt]) / sum_bt w_b``.

    Args:
        logits: ``[B, T, 2]``.
        labels: ``[B, T]`` of 0 and 1.
        temperature: ``r``.
        clip_weights: ``[B]``, ``w``; 1 for every clip without them.

    Returns:
        A scalar; 0, with a gradient of 0, without frames or without any weight.
    """
    each = functional.cross_entropy((logits / temperature).flatten(0, 1), labels.flatten(), reduction="none")
    each = each.view(labels.shape)
    weights = torch.ones_like(each) if clip_weights is None else clip_weights[:, None].expand_as(each)
    total = weights.sum()
    return (weights * each).sum() / torch.where(total > 0, total, 1)
