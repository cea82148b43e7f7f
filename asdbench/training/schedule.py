"""The learning rate over a training."""

from __future__ import annotations

import math

from asdbench.training.recipe import Optimizer

_LEAST = 0.01


def learning_rate(optimizer: Optimizer, epoch: int, progress: float) -> float:
    """Return the rate of a batch.

    Args:
        optimizer: As the recipe has it.
        epoch: From 0.
        progress: Share of all batches that are done with this one, above 0 to 1.
    """
    if optimizer.schedule == "step":
        return optimizer.rate * optimizer.decay**epoch
    if progress < optimizer.warm_up:
        return optimizer.rate * progress / optimizer.warm_up
    fallen = (progress - optimizer.warm_up) / max(1 - optimizer.warm_up, 1e-9)
    return optimizer.rate * (_LEAST + (1 - _LEAST) * (1 + math.cos(math.pi * fallen)) / 2)
