"""LoCoNet and LASER with seeded weights, built once: they have 34 million parameters."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch

from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_array

SAVED_WITH = "model.module."
"""What stands before every key of a published file; the seeded weights are made from the whole keys."""

FIXTURES = {"loconet": "loconet", "talknce": "loconet", "laser-loconet": "laser-loconet"}
"""Folder of recorded numbers to architecture."""


@cache
def _seeded_tensor(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    return torch.from_numpy(np.array(seeded_array(key, shape)))


@cache
def seeded_network(architecture: str) -> torch.nn.Module:
    """The network in evaluation mode; shared, so leave its weights as they are."""
    # Whoever asks first may be in inference mode, whose tensors would be of no use to the others.
    with torch.inference_mode(False):
        with torch.device("meta"):
            network = ARCHITECTURES.load(architecture)()
        shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
        state = {key: _seeded_tensor(SAVED_WITH + key, shape) for key, shape in shapes.items()}
        network.load_state_dict(state, assign=True)
        return network.eval()


def arrays(shared: Path, fixture: str, name: str) -> dict[str, np.ndarray]:
    """All arrays of ``inputs`` or ``outputs`` of a folder of recorded numbers."""
    with np.load(shared / "parity" / fixture / f"{name}.npz") as file:
        return dict(file)
