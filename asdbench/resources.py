"""Finds the data folders (``suites/``, ``baselines/``) in an installed wheel or in a checkout."""

from __future__ import annotations

from pathlib import Path

from asdbench.errors import UsageError

_PACKAGE = Path(__file__).resolve().parent


def resource_folder(name: str) -> Path:
    """Return the folder of a shipped data set of files.

    Args:
        name: ``suites`` or ``baselines``, with sub-folders if wanted (``baselines/models``).

    Raises:
        UsageError: The installation is incomplete.
    """
    for parent in (_PACKAGE / "_data", _PACKAGE.parent):
        folder = parent / name
        if folder.is_dir():
            return folder
    raise UsageError(f"the folder {name!r} is not part of this installation; reinstall asdbench.")
