"""Which tracks are on disk: one small file per track, until the set is complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import msgspec

from asdbench.atomic import replacing
from asdbench.errors import DataError
from asdbench.materialize.track import FileLine, TrackFiles
from asdbench.types import TrackKey


@dataclass(frozen=True)
class Journal:
    """The journal of a set that is being written.

    Attributes:
        root: Folder of the set; the journal is its folder ``work``.
    """

    root: Path

    def add(self, written: TrackFiles) -> None:
        """Note a track whose files are all there.

        Raises:
            ResourceError: The disk is full.
        """
        with replacing(self._path(TrackKey(written.video_id, written.entity_id))) as temporary:
            temporary.write_bytes(msgspec.json.encode(written))

    def read(self, key: TrackKey) -> TrackFiles | None:
        """Return what was written of a track, ``None`` where nothing was."""
        path = self._path(key)
        try:
            return msgspec.json.decode(path.read_bytes(), type=TrackFiles)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: damaged ({error}); delete it and run the same command again.") from error

    def intact(self, key: TrackKey, made_with: str) -> TrackFiles | None:
        """Return what was written of a track if every file of it still has its size, and no donor was broken.

        Args:
            key: The track.
            made_with: What it must have been measured with.
        """
        written = self.read(key)
        if written is None or written.failures or written.made_with != made_with:
            # A broken donor may have been mended since, and a package installed.
            return None
        return written if all(_size(self.root / line.path) == line.bytes for line in _lines(written)) else None

    def remove(self) -> None:
        """Remove the journal."""
        shutil.rmtree(self.root / "work", ignore_errors=True)

    def _path(self, key: TrackKey) -> Path:
        name = blake2b(repr(tuple(key)).encode(), digest_size=16).hexdigest()
        return self.root / "work" / f"{name}.json"


def _lines(written: TrackFiles) -> Iterator[FileLine]:
    for files in written.files.values():
        yield from files


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1
