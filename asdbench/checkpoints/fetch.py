"""Download published checkpoints into a cache, or wherever they are wanted. Imports no torch.

Only what a model card names by address and sha256 is downloaded. A file appears under its name when it is whole and
its sha256 is right, and not before; nothing is resumed.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from asdbench.checkpoints.cards import ModelCard
from asdbench.checkpoints.files import refuse_bad_download, sha256_of
from asdbench.errors import CheckpointError, MissingDependencyError, ResourceError, UsageError

CACHE = "ASDBENCH_CACHE"
"""Variable that names the folder of downloaded checkpoints."""

_TIMEOUT = 30  # seconds without a byte


def address_of(card: ModelCard) -> str | None:
    """Return the address of the raw file that a card names in a repository, if it names one and its sha256."""
    if card.commit is None or card.weights is None or card.sha256 is None:
        return None
    return f"{card.code}/raw/{card.commit}/{quote(card.weights)}"


def cache_folder() -> Path | None:
    """Return where downloaded checkpoints lie: ``$ASDBENCH_CACHE``, else the user's own cache.

    Without pooch, which knows the user's cache on each system, there is none: nothing was ever downloaded into it.
    """
    if named := os.environ.get(CACHE):
        return Path(named)
    try:
        import pooch
    except ImportError:
        return None
    return Path(pooch.os_cache("asdbench"))


def fetched_file(card: ModelCard) -> Path | None:
    """Return the file of a card in the cache, if it is there with the right sha256."""
    if address_of(card) is None:
        return None
    folder = cache_folder()
    path = folder / _file_name(card) if folder else None
    return path if path and path.is_file() and sha256_of(path) == card.sha256 else None


def fetch(card: ModelCard, folder: Path | None = None, progress: bool = False) -> Path:
    """Download the file of a card, unless it is there.

    Args:
        card: Names repository, commit, file and sha256.
        folder: Where to put it; the cache by default, in which ``--checkpoint NAME`` finds it.
        progress: Whether to show a progress bar.

    Raises:
        CheckpointError: The card names no file to download, the server cannot be reached, has no such file, or sends
            something else.
        MissingDependencyError: pooch is not installed.
        ResourceError: The folder cannot be written.
        UsageError: Another file of that name is in ``folder``.
    """
    address = address_of(card)
    if address is None:
        raise CheckpointError(f"the checkpoint {card.name} cannot be fetched: {card.whereabouts()}.")
    _require_pooch()
    target = (folder or cache_folder() or Path()) / _file_name(card)
    if target.exists() and (not target.is_file() or sha256_of(target) != card.sha256) and folder is not None:
        raise UsageError(f"{target} exists and is not the checkpoint {card.name}; move it away, or name another --out.")
    with _clear_errors(card, address, target):
        _download(card, address, target, progress)
    return target


def _file_name(card: ModelCard) -> str:
    # Two repositories call a file finetuning_TalkSet.model.
    return card.name + PurePosixPath(str(card.weights)).suffix


def _require_pooch() -> None:
    try:
        import pooch  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError("asdbench fetch needs pooch; pip install 'asdbench[fetch]'.") from error


def _download(card: ModelCard, address: str, target: Path, progress: bool) -> None:
    import pooch

    def download(url: str, output: str, caller: Any) -> None:
        pooch.HTTPDownloader(timeout=_TIMEOUT, progressbar=progress)(url, output, caller)
        # Before the sha256 is compared, so that the message says what came instead.
        refuse_bad_download(Path(output), address)

    pooch.get_logger().setLevel(logging.WARNING)
    pooch.retrieve(address, f"sha256:{card.sha256}", target.name, target.parent, downloader=download)


@contextmanager
def _clear_errors(card: ModelCard, address: str, target: Path) -> Iterator[None]:
    import requests

    try:
        yield
    except requests.HTTPError as error:
        if error.response is not None:
            error.response.close()  # pooch leaves its connection open
        raise CheckpointError(
            f"there is no checkpoint {card.name} at the address on its model card ({error}); look for it at "
            f"{card.code}, and give its path."
        ) from error
    except requests.RequestException as error:
        raise CheckpointError(
            f"{address} cannot be downloaded ({type(error).__name__}); check the network, or download it elsewhere and "
            "give its path."
        ) from error
    except ValueError as error:  # how pooch says that the sha256 differs
        raise CheckpointError(
            f"what {address} sends is not the checkpoint {card.name}: its sha256 does not begin with "
            f"{str(card.sha256)[:12]}, as that on the model card does; nothing was kept."
        ) from error
    except OSError as error:
        raise ResourceError(f"{target} cannot be written ({error.strerror or error}).") from error
