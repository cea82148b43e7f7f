"""One process at a time writes into a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from asdbench.errors import ResourceError

LOCK = ".lock"


@contextmanager
def locked(folder: Path, where: Path | None = None) -> Iterator[None]:
    """Keep other processes from writing a folder; a process that dies gives its lock back.

    Args:
        folder: The folder.
        where: In which of its folders the lock lies; itself by default.

    Raises:
        ResourceError: Another process holds the lock.
    """
    from filelock import FileLock, Timeout

    file = (where or folder) / LOCK
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ResourceError(f"{folder}: another process is writing there; wait for it to finish.") from error
    try:
        yield
    finally:
        with suppress(OSError):  # while it is still held; Windows keeps the file
            file.unlink(missing_ok=True)
        lock.release()
