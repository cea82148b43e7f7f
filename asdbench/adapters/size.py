"""How large a model is."""

from __future__ import annotations

from typing import Any


def count_parameters(scorer: Any) -> int | None:
    """Return how many numbers the torch networks of a model have learned, each counted once.

    Args:
        scorer: The model; networks are found among its attributes, or it is one itself.

    Returns:
        ``None`` for a model without any, which need not mean that it has learned nothing.
    """
    import torch

    held = [scorer, *vars(scorer).values()] if hasattr(scorer, "__dict__") else [scorer]
    networks = [each for each in held if isinstance(each, torch.nn.Module)]
    sizes = {id(tensor): tensor.numel() for network in networks for tensor in network.parameters()}
    return sum(sizes.values()) or None
