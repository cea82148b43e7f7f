"""Weights made from key names alone, so that outputs can be recorded without shipping a checkpoint."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


def seeded_array(key: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the array of one state-dict entry: normal draws seeded by its key, scaled by what the key stands for.

    Args:
        key: The whole key; the first 8 bytes of its sha256 seed PCG64.
        shape: Of the entry.
    """
    if key.endswith("num_batches_tracked"):
        return np.zeros(shape, dtype=np.int64)
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "little")
    draws = np.random.Generator(np.random.PCG64(seed)).standard_normal(shape)
    normal: NDArray[Any] = np.asarray(draws, dtype=np.float64).astype(np.float32)
    values: NDArray[Any]
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


def seeded_state(module: nn.Module, prefix: str = "") -> dict[str, Tensor]:
    """Return the state dict of a module with every entry replaced by its seeded array.

    Args:
        module: Gives keys and shapes.
        prefix: What stood before every key in the files of the official code.
    """
    return {
        key: torch.from_numpy(np.array(seeded_array(prefix + key, tuple(tensor.shape))))
        for key, tensor in module.state_dict().items()
    }
