"""A checkpoint as a file: there or not, which one, and what downloads go wrong as. Imports no torch."""

from __future__ import annotations

import hashlib
from pathlib import Path

from asdbench.errors import CheckpointError

_WEB_PAGE = (b"<!doctype", b"<html", b"<head", b"<?xml", b"\xef\xbb\xbf<")


def existing_file(path: Path | str) -> Path:
    """Return the path of a checkpoint that is there.

    Raises:
        CheckpointError: The file is missing, or a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder; give the checkpoint file in it.")
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist; check the path, or download the checkpoint first.")
    return path


def sha256_of(path: Path | str) -> str:
    """Return the sha256 of a file as 64 hexadecimal digits.

    Raises:
        CheckpointError: The file is missing, a folder, or unreadable.
    """
    path = existing_file(path)
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}); check its permissions.") from error
    return digest.hexdigest()


def refuse_bad_download(path: Path, origin: str | None = None) -> None:
    """Recognise by its first bytes what downloads go wrong as, before torch says something less clear about it.

    Args:
        path: The file.
        origin: Where it came from, for the message, while it is downloaded; its path by default.

    Raises:
        CheckpointError: It is empty, a web page or a Git LFS pointer, or cannot be read.
    """
    what = origin or str(path)
    try:
        with path.open("rb") as file:
            start = file.read(512).lstrip().lower()
    except OSError as error:
        raise CheckpointError(f"{what} cannot be read ({error.strerror}); check its permissions.") from error
    if not start:
        raise CheckpointError(f"{what} is empty; download it again.")
    if start.startswith(_WEB_PAGE):
        raise CheckpointError(f"{what} is a web page, not a checkpoint; download the raw file behind that page.")
    if start.startswith(b"version https://git-lfs"):
        raise CheckpointError(f"{what} is a Git LFS pointer, not the checkpoint itself; run `git lfs pull` there.")


def damaged(path: Path, reason: str | None = None) -> CheckpointError:
    """Return the error for a file that is not what ``torch.save`` writes."""
    why = f"; {reason}" if reason else ""
    return CheckpointError(
        f"{path} is truncated, damaged or no PyTorch checkpoint ({path.stat().st_size} bytes{why}); "
        "download it again and compare its sha256."
    )
