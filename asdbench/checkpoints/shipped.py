"""Checkpoints by name: shipped ones, fetched ones, and where to get the others. Imports no torch."""

from __future__ import annotations

import difflib
from pathlib import Path, PurePosixPath

from asdbench.checkpoints.cards import ModelCard, model_cards
from asdbench.checkpoints.fetch import address_of, fetched_file
from asdbench.checkpoints.files import sha256_of
from asdbench.errors import CheckpointError
from asdbench.registry import unknown_name
from asdbench.resources import resource_folder

_NEARLY = 0.8  # how like a name a text must be to be taken for a mistyped one


def checkpoint_path(checkpoint: Path | str) -> Path:
    """Return the file that a user means by a path, or by the name of a shipped or fetched checkpoint.

    A file wins over a name, and a name over a folder. A path at which no file is comes back as it is, for whoever
    opens it.

    Raises:
        CheckpointError: The name is that of a checkpoint which is neither shipped nor fetched, or the shipped file is
            missing or another than its card describes.
        UnknownNameError: Nearly the name of a checkpoint, and no file either.
    """
    path = Path(checkpoint)
    if path.is_file():
        return path
    name = str(checkpoint)
    card = _card(name)
    if card is not None:
        return (fetched_file(card) if card.file is None else None) or shipped_file(card)
    names = [card.name for card in model_cards()]
    if not path.exists() and difflib.get_close_matches(name, names, n=1, cutoff=_NEARLY):
        raise unknown_name("checkpoint", name, names)
    return path


def shipped_checkpoint(name: str) -> Path:
    """Return the file of a shipped checkpoint, whatever lies in the current folder.

    Raises:
        CheckpointError: As for `shipped_file`.
        UnknownNameError: No such checkpoint.
    """
    return shipped_file(named_card(name))


def named_card(name: str) -> ModelCard:
    """Return the card of a name.

    Raises:
        UnknownNameError: No such checkpoint.
    """
    card = _card(name)
    if card is None:
        raise unknown_name("checkpoint", name, [card.name for card in model_cards()])
    return card


def _card(name: str) -> ModelCard | None:
    return next((card for card in model_cards() if card.name == name), None)


def shipped_file(card: ModelCard) -> Path:
    """Return the file of a shipped checkpoint, after comparing it with its card.

    Raises:
        CheckpointError: It is not shipped, missing, not the one of the card, or the card points out of the data folder.
    """
    if card.file is None:
        fetch = f"run `asdbench fetch {card.name}`, or " if address_of(card) else ""
        raise CheckpointError(f"the checkpoint {card.name} is not shipped with asdbench; {fetch}{card.whereabouts()}.")
    root = resource_folder("baselines").resolve()
    inner = PurePosixPath(card.file)
    path = root.joinpath(*inner.parts).resolve()
    if inner.is_absolute() or ".." in inner.parts or not path.is_relative_to(root):
        raise CheckpointError(f"the model card {card.name} names {card.file!r}, which lies outside of {root}.")
    if not path.is_file():
        raise CheckpointError(f"{path}, the checkpoint {card.name}, is missing; reinstall asdbench.")
    digest = sha256_of(path)
    if digest != card.sha256:
        raise CheckpointError(
            f"{path} is not the checkpoint {card.name}: its sha256 begins with {digest[:12]}, that on the model card "
            f"with {str(card.sha256)[:12]}; reinstall asdbench."
        )
    return path
