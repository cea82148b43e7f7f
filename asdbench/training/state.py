"""What a killed training goes on from: weights, the optimiser's memory, and the place in the course of batches.

Every random choice is a function of the seed and the place, so no generator needs to be kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from asdbench.atomic import replacing
from asdbench.errors import CheckpointError
from asdbench.training.files import STATE_FILE


@dataclass(frozen=True)
class State:
    """Where a training stands.

    Attributes:
        epoch: Of the next batch, from 0.
        batch: Number of the next batch in its epoch, from 0.
        rows: Batches in the log so far.
        seconds: Spent so far.
        network: State dict.
        optimizer: State dict.
    """

    epoch: int
    batch: int
    rows: int
    seconds: float
    network: dict[str, Any]
    optimizer: dict[str, Any]


def write_state(folder: Path, state: State) -> None:
    """Write the state whole or not at all."""
    with replacing(folder / STATE_FILE) as temporary:
        torch.save(vars(state), temporary)


def read_state(folder: Path) -> State | None:
    """Return what an earlier start left behind, ``None`` without one; nothing in the file is executed.

    Raises:
        CheckpointError: It is damaged.
    """
    path = folder / STATE_FILE
    if not path.exists():
        return None
    try:
        return State(**torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # broken archives raise whatever their bytes happen to lead to
        raise CheckpointError(
            f"{path} is damaged ({type(error).__name__}); delete it to begin this training anew."
        ) from error
