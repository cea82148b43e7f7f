"""Weights that stay as they began, and what batch normalisation keeps of a training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import nn

from asdbench.errors import UsageError

_Norm = nn.modules.batchnorm._BatchNorm


def freeze(network: nn.Module, prefixes: Sequence[str]) -> None:
    """Let no gradient reach the parameters below some prefixes; those of all others are trained.

    Args:
        network: In the official layout.
        prefixes: Of keys, such as ``model.visualFrontend.``.

    Raises:
        UsageError: A prefix is that of no parameter.
    """
    names = [name for name, _ in network.named_parameters()]
    for prefix in prefixes:
        if not any(name.startswith(prefix) for name in names):
            raise UsageError(f"frozen = {prefix!r} is the beginning of no key of {type(network).__name__}.")
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(not name.startswith(tuple(prefixes)))


def train_unfrozen(network: nn.Module) -> None:
    """Put a network into training mode, but for modules whose parameters are all frozen.

    Their batch normalisation would otherwise go on learning, and their dropout would change what they compute.
    """
    network.train()
    for module in network.modules():
        parameters = list(module.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            module.eval()


@torch.no_grad()
def settle_norms(network: nn.Module, batches: int, show: Callable[[int], None]) -> None:
    """Replace the running statistics of batch normalisation by plain means over fresh batches.

    Running ones lag behind the weights by some hundred batches, which a short training does not have.

    Args:
        network: In training mode.
        batches: How many are shown.
        show: Runs the network on a batch of that number, from 0.
    """
    norms = [module for module in _norms(network) if module.training]
    momenta = [norm.momentum for norm in norms]
    try:
        for number in range(batches):
            for norm in norms:
                norm.momentum = 1 / (number + 1)
            show(number)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def _norms(network: nn.Module) -> Iterator[_Norm]:
    return (module for module in network.modules() if isinstance(module, _Norm))
