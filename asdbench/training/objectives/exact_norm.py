"""Batch normalisation on a CPU that is as exact in channels-last order as in any other.

In that order torch sums all numbers of a channel in float32, one after the other, so that the variance over a batch of
a thousand frames of 56 x 56 numbers is wrong by 0.3 %.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

_Norm = nn.modules.batchnorm._BatchNorm
_PART = 1 << 13  # numbers of a channel that are summed in float32


def plain_norm(norm: _Norm, x: Tensor) -> Tensor:
    """Normalise ``[N, C, H, W]`` as torch does, and learn running statistics in training mode."""
    if norm.training and norm.num_batches_tracked is not None:
        norm.num_batches_tracked.add_(1)
    return functional.batch_norm(
        x, norm.running_mean, norm.running_var, norm.weight, norm.bias, norm.training, norm.momentum or 0.0, norm.eps
    )


def exact_norm(norm: _Norm, x: Tensor) -> Tensor:
    """Do what `plain_norm` does for ``[N, C, H, W]`` in channels-last order, with exact sums."""
    if not norm.training or norm.running_mean is None or norm.running_var is None:
        return plain_norm(norm, x)
    mean, variance = _statistics(x.detach())
    with torch.no_grad():
        count = x.numel() // x.shape[1]
        for running, value in ((norm.running_mean, mean), (norm.running_var, variance * (count / max(1, count - 1)))):
            running.lerp_(value.to(running.dtype), norm.momentum or 0.0)
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked.add_(1)
    normalised: Tensor = _Normalise.apply(  # type: ignore[no-untyped-call]
        x, norm.weight, norm.bias, mean.to(norm.weight.dtype), variance.to(norm.weight.dtype), norm.eps
    )
    return normalised


def _statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and biased variance of each channel, both float64, combined from those of small parts."""
    parts = torch.split(x.permute(0, 2, 3, 1).reshape(-1, x.shape[1]), _PART)
    found = [torch.batch_norm_update_stats(part[:, :, None, None], None, None, 0.0) for part in parts]
    means, variances = (torch.stack(each).double() for each in zip(*found, strict=True))
    counts = torch.tensor([len(part) for part in parts], dtype=torch.float64)[:, None] / sum(map(len, parts))
    mean = (counts * means).sum(dim=0)
    return mean, (counts * (variances + (means - mean).square())).sum(dim=0)


class _Normalise(torch.autograd.Function):
    """Normalise with the batch's own statistics, and go back through them too."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, eps: float
    ) -> Tensor:
        ctx.save_for_backward(x, weight, mean, (variance + eps).rsqrt())
        ctx.eps = eps
        return functional.batch_norm(x, mean, variance, weight, bias, False, 0.0, eps)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, inverse = ctx.saved_tensors
        gradient = gradients[0].contiguous(memory_format=torch.channels_last)
        found = torch.ops.aten.native_batch_norm_backward(
            gradient, x, weight, None, None, mean, inverse, True, ctx.eps, [True] * 3
        )
        return (*found, None, None, None)
