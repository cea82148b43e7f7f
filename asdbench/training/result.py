"""What a training leaves behind: weights under official keys, as safetensors and as ``torch.save`` writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch

from asdbench.atomic import replacing
from asdbench.checkpoints.load import FACE_SIZE
from asdbench.training.files import EPOCHS_FOLDER, OFFICIAL_FILE, WEIGHTS_FILE
from asdbench.training.objectives import Objective
from asdbench.training.recipe import Recipe


def write_weights(folder: Path, objective: Objective, recipe: Recipe, about: Mapping[str, str]) -> None:
    """Write the final weights in both forms."""
    _write_safetensors(folder / WEIGHTS_FILE, objective, recipe, about)
    with replacing(folder / OFFICIAL_FILE) as temporary:
        torch.save(_plain(objective), temporary)


def write_epoch(folder: Path, epoch: int, objective: Objective, recipe: Recipe, about: Mapping[str, str]) -> Path:
    """Write the weights of an epoch (from 0) into a folder of its own; return the file."""
    path = folder / EPOCHS_FOLDER / f"{epoch + 1:03d}" / WEIGHTS_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_safetensors(path, objective, recipe, {**about, "asdbench.epoch": str(epoch + 1)})
    return path


def _write_safetensors(path: Path, objective: Objective, recipe: Recipe, about: Mapping[str, str]) -> None:
    from safetensors.torch import save_file

    name = f"{recipe.name}@{recipe.version}"
    metadata = {FACE_SIZE: str(recipe.model.face_size), "asdbench.recipe": name, **objective.about(), **about}
    with replacing(path) as temporary:
        save_file(_plain(objective), temporary, metadata=metadata)
        _sort_header(temporary)


def _sort_header(path: Path) -> None:
    """Bring the header of a safetensors file into one order: the library writes metadata in any, so bytes differ."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # tensors begin at multiples of eight
    path.write_bytes(len(header).to_bytes(8, "little") + header + content[8 + length :])


def _plain(objective: Objective) -> dict[str, torch.Tensor]:
    return {key: tensor.detach().cpu().contiguous() for key, tensor in objective.state().items()}
