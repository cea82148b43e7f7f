"""Tracks as a training reads them; what a frozen front end makes of their faces is computed once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from asdbench.adapters.torch_adapter import in_chunks
from asdbench.training.augment import changes_faces
from asdbench.training.examples import ClipSource
from asdbench.training.objectives import Objective
from asdbench.training.recipe import Recipe
from asdbench.types import Track

_HALO = 8  # frames; no front end looks farther


def training_source(
    tracks: Sequence[Track], recipe: Recipe, objective: Objective, device: torch.device, quiet: bool
) -> ClipSource:
    """Return the tracks, with features in place of faces where the front end is frozen and nothing changes faces.

    Args:
        tracks: Of the data set.
        recipe: Says which of them, and whether they stay in memory.
        objective: With its weights.
        device: Where features are computed.
        quiet: Whether to show no progress bar.

    Raises:
        DataError: See `ClipSource`.
        UsageError: See `ClipSource`.
    """
    source = ClipSource(tracks, recipe, objective.sound, objective.mels, objective.sees, hidden=quiet)
    frozen = bool(objective.front) and objective.front.startswith(recipe.frozen)
    if recipe.keep and frozen and not changes_faces(recipe.augment):
        source.set_front(_features(source, objective, device))
    return source


@torch.no_grad()
def _features(source: ClipSource, objective: Objective, device: torch.device) -> list[Tensor]:
    objective.to(device).eval()

    def embed(faces: Tensor) -> Tensor:
        features: Tensor = objective.embed_front(faces.to(device)).float()
        return features

    found = []
    for index in range(len(source.lengths)):
        faces = torch.from_numpy(source.example(index).faces)[None]
        found.append(in_chunks(faces, embed, _HALO)[0].cpu())
    return found
