"""A network and its loss as one module: all that a training loop needs to know of an architecture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, ClassVar, Literal, TypeVar

import msgspec
import torch
from torch import Tensor, nn

from asdbench.errors import UsageError
from asdbench.training.batch import Batch, Moment
from asdbench.training.recipe import Loss, Recipe

_Sizes = TypeVar("_Sizes")


class Objective(nn.Module, ABC):
    """Maps a batch to the loss to minimise.

    Under ``torch.autocast`` the network runs in lower precision, the loss in float32.

    Args:
        recipe: What is trained; of its loss the subclass must know all that is not the default.
        network: In the official state-dict layout.

    Attributes:
        network: As given.
        loss: Weights of the terms.
        mels: Rows of the log-mel spectrogram, where ``sound`` is ``mel``; else 0.
        sound: What ``batch.sound`` holds; ``none`` where it is never looked at.
        sees: Whether it ever looks at ``batch.faces``.
        front: Prefix of the keys of the visual front end whose output may stand in place of faces; empty for none.
        terms: Names of the fields of `Loss` that mean something here.

    Raises:
        UsageError: The recipe names a term that the subclass does not know.
    """

    sound: ClassVar[Literal["mfcc", "mel", "none"]]
    sees: ClassVar[bool] = True
    front: ClassVar[str] = ""
    terms: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, recipe: Recipe, network: nn.Module) -> None:
        super().__init__()
        _check_terms(recipe, self.terms)
        self.network = network
        self.loss = recipe.loss
        self.mels = 0

    @abstractmethod
    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Return ``loss``, the scalar to minimise, and its terms by name, unweighted and without a gradient.

        The names are the same for all batches of a recipe. What is drawn follows from ``moment`` alone, but for
        dropout, which draws from torch's own generator.
        """

    def embed_front(self, faces: Tensor) -> Tensor:
        """Map faces ``[B, T, side, side]``, 0..255, to what ``batch.faces`` may hold instead, ``[B, T, C]``.

        Raises:
            UsageError: There is no such front end.
        """
        raise UsageError(f"{type(self).__name__} has no visual front end whose output could be computed ahead.")

    def state(self) -> dict[str, Tensor]:
        """Return the weights of the network under their official keys."""
        return self.network.state_dict()

    def about(self) -> dict[str, str]:
        """Return what a checkpoint's metadata must say for it to be used as it was trained; usually nothing."""
        return {}

    def seen(self, faces: Tensor) -> Tensor:
        """Return the output of the front end, ``[B, T, C]``, of pictures (uint8), or of what it already is."""
        return self.embed_front(faces) if faces.dtype == torch.uint8 else faces


def _check_terms(recipe: Recipe, known: frozenset[str]) -> None:
    default = Loss()
    named = [name for name in Loss.__struct_fields__ if getattr(recipe.loss, name) != getattr(default, name)]
    unknown = [name for name in named if name not in known]
    if unknown:
        listed = ", ".join(name for name in Loss.__struct_fields__ if name in known) or "none"
        raise UsageError(
            f"recipe {recipe.name}: loss.{unknown[0]} = {getattr(recipe.loss, unknown[0])!r} means nothing to "
            f"{recipe.model.architecture}, whose loss knows: {listed}; leave it out."
        )


def sizes_of(recipe: Recipe, kind: type[_Sizes], sizes: Mapping[str, Any], where: str = "model.sizes") -> _Sizes:
    """Build a dataclass of sizes from what a recipe says of them.

    Args:
        recipe: For the message.
        kind: A frozen dataclass of integers and tuples of them.
        sizes: By name; what is left out keeps its default.
        where: In the recipe, for the message.

    Raises:
        UsageError: An unknown name, or a value that is no positive integer or tuple of such.
    """
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    unknown = sorted(set(sizes) - set(known))
    if unknown:
        named = ", ".join(known)
        raise UsageError(f"recipe {recipe.name}: {where} has no {unknown[0]!r}; expected some of {named}.")
    for name, value in sizes.items():
        if any(each < 1 for each in _integers(value)):
            raise UsageError(f"recipe {recipe.name}: {where}.{name} = {value!r}; expected at least 1.")
    try:
        return msgspec.convert(dict(sizes), kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"recipe {recipe.name}: {where}: {error}.") from error


def _integers(value: object) -> list[int]:
    each = value if isinstance(value, list | tuple) else [value]
    return [one for one in each if isinstance(one, int)]


def without_sizes(recipe: Recipe) -> None:
    """Refuse sizes for a network that comes in one only.

    Raises:
        UsageError: The recipe names some.
    """
    if recipe.model.sizes:
        named = ", ".join(recipe.model.sizes)
        raise UsageError(
            f"recipe {recipe.name}: {recipe.model.architecture} comes in one size; leave model.sizes ({named}) out."
        )


def own_sound(sound: Tensor, batch: Batch) -> Tensor:
    """Cut the embeddings ``[B, T, D]`` of the clips out of those of the sound around them ``[B, S, D]``."""
    frames = batch.labels.shape[1]
    if sound.shape[1] == frames:
        return sound
    rows = batch.offsets[:, None] + torch.arange(frames, device=batch.offsets.device)
    return sound.gather(1, rows[..., None].expand(-1, -1, sound.shape[2]))


@contextmanager
def in_float32(like: Tensor) -> Iterator[None]:
    """Compute as written, whatever ``torch.autocast`` is on for the device of ``like``."""
    with torch.autocast(like.device.type, enabled=False):
        yield


def detached(loss: Tensor, **terms: Tensor) -> dict[str, Tensor]:
    """Return what `Objective.forward` returns: the loss, and its terms without their gradient."""
    return {"loss": loss, **{name: term.detach() for name, term in terms.items()}}
