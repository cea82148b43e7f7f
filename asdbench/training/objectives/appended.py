"""Pairs of sound and faces that do not belong together, as a recipe asks for them; see `asdbench.training.losses`."""

from __future__ import annotations

import torch
from torch import Tensor

from asdbench.errors import UsageError
from asdbench.training.batch import Batch, Moment
from asdbench.training.losses.pairs import Pairs, derangement, misaligned_pairs, mismatched_pairs, positive_clips
from asdbench.training.recipe import Loss, Recipe


def check_pairs(recipe: Recipe) -> None:
    """Refuse pairs for which the clips of a recipe have no sound.

    Raises:
        UsageError: Sound of another time is asked for, but whole tracks leave none.
    """
    if recipe.loss.other_times and not recipe.clips.clip_frames:
        raise UsageError(
            f"recipe {recipe.name}: loss.other_times needs sound around each clip, which whole tracks do not have; set "
            "clips.clip_frames, or leave it out."
        )


def with_pairs(
    sound: Tensor, audio: Tensor, faces: Tensor, batch: Batch, loss: Loss, moment: Moment
) -> tuple[Tensor, Tensor]:
    """Append all pairs that the loss asks for to those of a batch.

    Args:
        sound: ``[B, S, D]``, embeddings of the clips' sound and of the time around them.
        audio: ``[B, T, D]``, those of the clips alone.
        faces: ``[B, T, D']``, embeddings of the faces.
        batch: Where labels and offsets are.
        loss: How many of which kind.
        moment: What is drawn follows from it.

    Returns:
        ``[B + N, T, D]`` and ``[B + N, T, D']``, the clips as they are first.

    Raises:
        UsageError: A clip's sound has no time that is far enough away.
    """
    generator = moment.generator()
    found = [Pairs(audio, faces)]
    speaking = positive_clips(batch.labels) if loss.other_voices or loss.other_times else None
    if speaking is not None:
        for _ in range(loss.other_voices):
            order = derangement(len(speaking), generator)
            found.append(mismatched_pairs(audio, faces, batch.labels, order))
        last, offsets = sound.shape[1] - faces.shape[1], batch.offsets[speaking].tolist()
        for _ in range(loss.other_times):
            starts = torch.tensor([_start(offset, last, loss, generator) for offset in offsets], dtype=torch.int64)
            found.append(misaligned_pairs(sound, faces, batch.labels, starts.to(faces.device)))
    return torch.cat([pairs.audio for pairs in found]), torch.cat([pairs.faces for pairs in found])


def _start(offset: int, last: int, loss: Loss, generator: torch.Generator) -> int:
    """Draw where a window of sound begins, each place at least so far from the clip's own equally likely."""
    early, late = max(0, offset - loss.least_shift + 1), max(0, last - offset - loss.least_shift + 1)
    if not early + late:
        raise UsageError(
            f"no sound of a clip that begins at frame {offset} of {last} lies {loss.least_shift} frames away; lower "
            "loss.least_shift."
        )
    place = int(torch.randint(early + late, (), generator=generator))
    return place if place < early else offset + loss.least_shift + place - early
