"""Ids come from files that anyone may have written: what of them may become a path."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

_FORBIDDEN = set("/\\")
_MAX_BYTES = 200


def is_safe(identifier: str) -> bool:
    """Whether an id can name a file or folder, without leaving its parent and without control characters."""
    if not identifier or identifier in (".", "..") or _FORBIDDEN & set(identifier) or not identifier.isprintable():
        return False
    return len(identifier.encode()) <= _MAX_BYTES


def find_child(parent: Path, name: str) -> Path:
    """Return ``parent / name`` as it is on disk: verbatim, or percent-encoded where a file system allows no colon.

    The verbatim path is returned when neither exists, so that an error can name it.
    """
    encoded = parent / quote(name, safe=" ()+,;=@")
    verbatim = parent / name
    return encoded if _exists(encoded) and not _exists(verbatim) else verbatim


def new_child(parent: Path, name: str) -> Path:
    """Return where to write a file named after an id: verbatim, as other code bases expect it, where possible."""
    return parent / (quote(name, safe=" ()+,;=@") if os.name == "nt" else name)


def _exists(path: Path) -> bool:
    # Path.exists() fails where a name is too long, and encoded, a letter may take nine signs.
    return os.path.exists(path)  # noqa: PTH110
