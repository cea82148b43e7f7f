"""What goes into files: the bytes of a source file as they are, or of an edited medium, encoded once."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from asdbench.errors import ResourceError, UsageError

Origin = Literal["copied", "written", "lossy"]
"""Whether a file is the source's byte for byte, was written without loss, or with loss (JPEG)."""


@dataclass(eq=False)
class Content:
    """The content of a file that may be written in several places.

    Attributes:
        data: The bytes.
        origin: Where they come from.
        place: A file that holds these bytes already: that of the data set, else the first that was written.
    """

    data: bytes
    origin: Origin = "written"
    place: Path | None = None

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes."""
        return hashlib.sha256(self.data).hexdigest()


class Store:
    """Puts contents into files, each whole or not at all.

    Args:
        link: Make hard links where the bytes lie on the disk already, in the source or in a file that was put here
            before: they take no room, and a change in place of one is a change of all.
    """

    def __init__(self, link: bool) -> None:
        self._link = link

    def put(self, path: Path, content: Content) -> None:
        """Write one file.

        Raises:
            ResourceError: The disk is full, or the folder cannot be written.
            UsageError: A hard link is wanted and cannot be made.
        """
        with _making(path) as temporary:
            self._make(temporary, content)
        content.place = content.place or path

    def put_folder(self, folder: Path, contents: Mapping[str, Content]) -> None:
        """Write a folder of files, which is there with all of them or not at all.

        Raises:
            ResourceError: The disk is full, or the folder cannot be written.
            UsageError: A hard link is wanted and cannot be made.
        """
        with _making(folder) as temporary:
            temporary.mkdir()
            for name, content in contents.items():
                self._make(temporary / name, content)
        for name, content in contents.items():
            content.place = content.place or folder / name

    def _make(self, path: Path, content: Content) -> None:
        if self._link and content.place is not None:
            _make_link(content.place, path)
        else:
            path.write_bytes(content.data)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _make_link(existing: Path, path: Path) -> None:
    try:
        os.link(existing.resolve(), path)
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{path.parent}: no hard link to {existing} can be made ({reason}); leave out --link, or choose --out on "
            "the disk of the data set."
        ) from error


@contextmanager
def _making(path: Path) -> Iterator[Path]:
    """Give a temporary place; on success it takes that of ``path``, file or folder, on failure it is removed.

    Nothing is synced, since there may be millions of files; what a power cut leaves shorter than the journal says is
    written again when the set is continued.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove(temporary)
        yield temporary
        # Renaming one link of a file over another does nothing, and no folder goes over another.
        remove(path)
        temporary.replace(path)
    except OSError as error:
        raise ResourceError(
            f"{path}: cannot be written ({error.strerror or error}); what was finished before is kept, make room (or "
            "mend the permissions) and run the same command again."
        ) from error
    finally:
        with suppress(OSError):
            remove(temporary)
