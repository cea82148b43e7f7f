"""Say what a checkpoint is from its content: architecture by keys and shapes, published weights by sha256."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from asdbench.checkpoints.cards import ModelCard, card_for
from asdbench.checkpoints.convert import SOURCE
from asdbench.checkpoints.files import sha256_of
from asdbench.checkpoints.load import load_checkpoint
from asdbench.networks import ARCHITECTURES

Shapes = Mapping[str, tuple[int, ...]]

_BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class CheckpointInfo:
    """What a checkpoint file turned out to be.

    Attributes:
        path: The file.
        sha256: Of the file.
        architecture: Name in `asdbench.networks.ARCHITECTURES`, or ``None`` when no layout matches; the first, where
            several networks have one layout and no card tells which it is.
        name: ``light-asd.ava`` and the like, when the file is one that a model card describes.
        parameters: Trainable numbers; for an unknown architecture everything but batch statistics.
        entries: Keys in the state dict.
        trained_on: Data it was trained on, from its card, or from that of the weights in ``says_from``.
        published: Published results of exactly this file, one sentence each.
        note: What whoever uses it must know, from the same card.
        face_size: Side in pixels at which it sees faces, where the file names one; else the adapter's.
        metadata: What the file says about itself.
        architectures: All whose layout matches.
        says_from: Name of the published weights from which the file says that it was converted; nobody checked that,
            so ``name`` and ``published`` stay empty.
    """

    path: Path
    sha256: str
    architecture: str | None
    name: str | None
    parameters: int
    entries: int
    trained_on: str | None
    published: tuple[str, ...]
    note: str | None = None
    face_size: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    architectures: tuple[str, ...] = ()
    says_from: str | None = None


def identify(path: Path | str) -> CheckpointInfo:
    """Identify a checkpoint.

    Raises:
        CheckpointError: The file cannot be loaded safely; see `asdbench.checkpoints.load.load_checkpoint`.
    """
    path = Path(path)
    checkpoint = load_checkpoint(path)
    state = checkpoint.state
    digest = sha256_of(path)
    card = card_for(digest)
    fitting = architectures_of(state)
    known = card is not None and card.architecture in fitting
    claimed = None if card else _claimed(checkpoint.metadata, fitting)
    about = card or claimed
    return CheckpointInfo(
        path=path,
        sha256=digest,
        architecture=card.architecture if card and known else next(iter(fitting), None),
        name=card.name if card else None,
        parameters=sum(tensor.numel() for key, tensor in state.items() if not key.endswith(_BUFFERS)),
        entries=len(state),
        trained_on=about.trained_on if about else None,
        published=tuple(str(result) for result in card.published) if card else (),
        note=" ".join(filter(None, (about.note if about else None, None if known else _shared(fitting)))) or None,
        face_size=checkpoint.face_size,
        metadata=checkpoint.metadata,
        architectures=fitting,
        says_from=claimed.name if claimed else None,
    )


def _claimed(metadata: Mapping[str, str], fitting: Sequence[str]) -> ModelCard | None:
    """Return the card of the file from which this one says it was converted, unless its layout is another."""
    source = re.match("sha256:([0-9a-f]{64})(?![0-9a-f])", metadata.get(SOURCE, ""))
    card = card_for(source[1]) if source else None
    return card if card and card.architecture in fitting else None


def architectures_of(state: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Return the architectures to which a state dict belongs.

    A class that takes its sizes from the checkpoint says so itself, in a class method ``recognises(shapes)``; of any
    other, keys and shapes must be exactly those of the state dict.
    """
    shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
    return tuple(name for name in ARCHITECTURES.names() if _fits(name, shapes))


def _fits(architecture: str, shapes: Shapes) -> bool:
    recognises = getattr(ARCHITECTURES.load(architecture), "recognises", None)
    return bool(recognises(shapes)) if recognises else layout_of(architecture) == shapes


def _shared(architectures: Sequence[str]) -> str | None:
    if len(architectures) < 2:
        return None
    names = ", ".join(architectures)
    return f"The file alone does not tell which of these it is: {names}; the network is the same."


@cache
def layout_of(architecture: str) -> Shapes:
    """Return key to shape of an architecture; built on the "meta" device, so no memory is taken."""
    with torch.device("meta"):
        module = ARCHITECTURES.load(architecture)()
    return {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}
