"""What the first bytes of a file say about it."""

from __future__ import annotations

import gzip
from pathlib import Path

from asdbench.errors import DataError

_HEAD = 1 << 16


def head(path: Path) -> bytes:
    """Return the first 64 KiB of a file, unpacked where it is gzipped.

    Raises:
        DataError: It cannot be read.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return file.read(_HEAD)
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: the file cannot be read ({error}).") from error


def columns(path: Path) -> set[str]:
    """Return the fields of the first line of a csv file, gzipped or not; nothing for whatever is none.

    Raises:
        DataError: It cannot be read.
    """
    if not is_csv(path) or not path.is_file():
        return set()
    line = head(path).partition(b"\n")[0].decode("utf-8-sig", "replace")
    return {field.strip(' "\r') for field in line.split(",")}


def is_csv(path: Path) -> bool:
    """Tell whether a file is called a csv file."""
    return path.name.endswith((".csv", ".csv.gz"))
