"""A checkpoint as a file: there or not, and which one. Imports no torch."""

from __future__ import annotations

import hashlib
from pathlib import Path

from asdbench.errors import CheckpointError


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
