"""Weights made from key names alone, so that reference outputs can be recorded without shipping a checkpoint."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
import torch


def seeded_array(key: str, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Array of one state-dict entry: normal draws seeded by its key, scaled by what the key stands for."""
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, dtype=np.int64)
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    draws = np.random.Generator(np.random.PCG64(seed)).standard_normal(shape)
    normal = np.asarray(draws, dtype=np.float64).astype(np.float32)
    if key.endswith("running_var"):
        values = 1 + 0.1 * np.abs(normal)
    elif key.endswith("running_mean"):
        values = 0.1 * normal
    elif len(shape) >= 2:
        values = normal / np.float32(math.sqrt(math.prod(shape[1:])))
    elif len(shape) == 1 and key.endswith("weight"):
        values = 1 + 0.1 * normal
    else:
        values = 0.1 * normal
    return np.asarray(values, dtype=np.float32).reshape(shape)


def seeded_state(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """State dict of a module with every entry replaced by its seeded array."""
    return {
        key: torch.from_numpy(np.array(seeded_array(key, tuple(tensor.shape))))
        for key, tensor in module.state_dict().items()
    }
