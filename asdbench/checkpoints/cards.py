"""Model cards: what is known about a published or shipped checkpoint, one TOML file each in ``baselines/models``."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec

from asdbench.errors import UsageError
from asdbench.resources import read_toml, resource_folder

NO_LICENCE = "none stated"
"""Stands for the licence of a repository without one."""

_DEMO_PROTOCOL = "columbia-f1"  # of the data for which weights for such crops are published
_DEMO_CROPS = "TalkSet"  # what TalkSet is to its models: training for the faces that the authors' demo cuts


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
        return f"{self.protocol}: {self.value:g} {self.metric} on {self.dataset} ({self.source})"


class ModelCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known about one checkpoint: shipped with asdbench, in a public repository, or anywhere else.

    A shipped one has a ``file`` and a ``sha256``. One in a repository has a ``commit`` and, in ``weights``, its path
    there. Of any other, ``weights`` is the address of a page that offers it, or missing where nobody does.

    Attributes:
        name: ``architecture.weights``; also the file's name.
        architecture: Name in `asdbench.networks.ARCHITECTURES`.
        trained_on: Data, in order of training.
        licence: SPDX name of the licence of code and weights, or ``none stated``.
        paper: Where the model is described.
        sha256: Of the checkpoint file, where known.
        code: Address of the code that trained it: the official repository, or ours; missing where none is public.
        parameters: Number of trainable numbers, all heads included, where known.
        needs: What the model needs to score a track, one text each.
        commit: Commit of the official repository in which the file was found.
        weights: Path of the file in that repository, or the address of a page that offers it.
        file: Path of the shipped file below ``baselines/``, with forward slashes.
        note: What whoever uses it must know, in one or two sentences.
        published: Results published for these weights.
    """

    name: str
    architecture: str
    trained_on: str
    licence: str
    paper: str
    sha256: str | None = None
    code: str | None = None
    parameters: int | None = None
    needs: tuple[str, ...] = ()
    commit: str | None = None
    weights: str | None = None
    file: str | None = None
    note: str | None = None
    published: tuple[Published, ...] = ()

    def __post_init__(self) -> None:
        if self.file is not None:
            fits = self.sha256 is not None and self.commit is None and self.weights is None
        elif self.commit is not None:
            fits = self.code is not None and self.weights is not None and "://" not in self.weights
        else:
            fits = self.weights is None or self.weights.startswith("https://")
        if not fits:
            raise ValueError(
                "expected either `file` and `sha256`, or `code`, `commit` and a path in `weights`, or at most an "
                "address in `weights`"
            )

    def whereabouts(self) -> str:
        """Return in a few words where its file is to be had."""
        if self.weights is None:
            return "its authors offer no file"
        place = self.weights if self.commit is None else f"{self.weights} from {self.code} (commit {self.commit})"
        return f"download {place} and give its path"


def caution(trained_on: str | None, protocol: str) -> str | None:
    """Return what a reader must know where weights meet data for which they were not made, if they do.

    Args:
        trained_on: From the card of the weights; ``None`` where nothing is known.
        protocol: Of the data.
    """
    if protocol == _DEMO_PROTOCOL or _DEMO_CROPS not in (trained_on or ""):
        return None
    return (
        f"these weights were trained on {_DEMO_CROPS}, for faces as their authors' demo cuts them, and published for "
        "Columbia; on other data take weights trained on AVA-ActiveSpeaker alone"
    )


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
    """Return all cards, sorted by name."""
    files = resource_folder("baselines/models").glob("*.toml")
    return tuple(read_card(path) for path in sorted(files, key=lambda path: path.stem))


def card_for(sha256: str) -> ModelCard | None:
    """Return the card of the checkpoint with this sha256, if there is one."""
    return next((card for card in model_cards() if card.sha256 == sha256), None)
