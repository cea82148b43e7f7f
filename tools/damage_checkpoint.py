"""Spoil a checkpoint, to see a gate fail: noise on every weight.

    python tools/damage_checkpoint.py light-asd.demo damaged.safetensors --noise 0.2

Each tensor of weights gets Gaussian noise with a share of its own standard deviation; the same seed gives the same
bytes.
"""

from __future__ import annotations

from pathlib import Path

import click
import torch
from safetensors.torch import save_file
from torch import Tensor

from asdbench.checkpoints.load import load_checkpoint
from asdbench.checkpoints.shipped import checkpoint_path


def damaged(state: dict[str, Tensor], noise: float, seed: int) -> dict[str, Tensor]:
    """Return weights with noise; statistics of batches stay as they are, since a variance must not become negative."""
    generator = torch.Generator().manual_seed(seed)
    return {
        key: tensor + noise * tensor.std() * torch.randn(tensor.shape, generator=generator)
        if tensor.is_floating_point() and tensor.dim() > 1
        else tensor
        for key, tensor in state.items()
    }


@click.command()
@click.argument("checkpoint")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--noise", default=0.2, show_default=True, help="Standard deviation, as a share of each tensor's own.")
@click.option("--seed", default=0, show_default=True)
def main(checkpoint: str, out: Path, noise: float, seed: int) -> None:
    """Write CHECKPOINT, a file or a name, with noise on its weights to the safetensors file OUT."""
    read = load_checkpoint(checkpoint_path(checkpoint))
    save_file(damaged(read.state, noise, seed), out, metadata=dict(read.metadata))


if __name__ == "__main__":
    main()
