"""Finds the data folders (``suites/``, ``baselines/``) in a wheel or in a checkout, and reads TOML files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from asdbench.errors import UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

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


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """Return the content of a TOML file.

    Args:
        path: The file.
        what: What it is, for the message: "suite", "configuration", ...

    Raises:
        UsageError: The file cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: the {what} cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: not a valid {what} ({error}).") from error


def toml_value(text: str) -> Any:
    """Return what text means as a value of TOML (``3``, ``true``, ``[1, 2]``), or the text where it means nothing."""
    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return found["value"] if set(found) == {"value"} else text
