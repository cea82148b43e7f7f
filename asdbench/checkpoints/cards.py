"""Model cards: what is known about a published or shipped checkpoint, one TOML file each in ``baselines/models``."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec

from asdbench.errors import UsageError
from asdbench.resources import read_toml, resource_folder


class Published(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One published result of a checkpoint.

    Attributes:
        dataset: Data set and split as the source names them.
        protocol: Name of the scoring rule in asdbench.
        metric: What was measured, in the source's words.
        value: In percent, as printed by the source.
        source: Where it is printed.
    """

    dataset: str
    protocol: str
    metric: str
    value: float
    source: str

    def __str__(self) -> str:
        return f"{self.value:g} {self.metric} on {self.dataset} ({self.source})"


class ModelCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known about one checkpoint: shipped with asdbench (it has a ``file``), or published elsewhere.

    Attributes:
        name: ``architecture.weights``; also the file's name.
        architecture: Name in `asdbench.networks.ARCHITECTURES`.
        sha256: Of the checkpoint file.
        trained_on: Data, in order of training.
        licence: SPDX name of the licence of code and weights.
        code: Address of the code that trained it: the official repository, or ours.
        paper: Where the model is described.
        parameters: Number of trainable numbers, all heads included.
        commit: Commit of the official repository in which the file was found; not for shipped ones.
        weights: Path of the file in that repository; not for shipped ones.
        file: Path of the shipped file below ``baselines/``, with forward slashes.
        note: What whoever uses it must know, in one or two sentences.
        published: Results published for exactly these weights.
    """

    name: str
    architecture: str
    sha256: str
    trained_on: str
    licence: str
    code: str
    paper: str
    parameters: int
    commit: str | None = None
    weights: str | None = None
    file: str | None = None
    note: str | None = None
    published: tuple[Published, ...] = ()

    def __post_init__(self) -> None:
        origin = [value is not None for value in (self.commit, self.weights)]
        if not (all(origin) if self.file is None else not any(origin)):
            raise ValueError("expected either `file`, or `commit` and `weights`")


def read_card(path: Path) -> ModelCard:
    """Read one card.

    Raises:
        UsageError: The file is unreadable, no valid TOML, has an unknown or missing field, or another name inside.
    """
    try:
        card = msgspec.convert(read_toml(path, "model card"), ModelCard)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: not a valid model card ({error}); correct it or reinstall asdbench.") from error
    if card.name != path.stem:
        raise UsageError(f"the model card {path} calls itself {card.name!r}; file name and name must agree.")
    return card


@lru_cache(maxsize=1)
def model_cards() -> tuple[ModelCard, ...]:
    """Return all shipped cards, sorted by name."""
    files = resource_folder("baselines/models").glob("*.toml")
    return tuple(read_card(path) for path in sorted(files, key=lambda path: path.stem))


def card_for(sha256: str) -> ModelCard | None:
    """Return the card of the checkpoint with this sha256, if there is one."""
    return next((card for card in model_cards() if card.sha256 == sha256), None)
