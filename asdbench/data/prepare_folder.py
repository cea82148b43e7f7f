"""The folder of prepared data: who may write it, and what ``prepared.json`` says of its splits."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from asdbench.atomic import write_json, write_text
from asdbench.data.lock import locked
from asdbench.data.prepare_clip import RECORDS
from asdbench.errors import DataError, NotComparableError, UsageError

MANIFEST = "prepared.json"
_SCHEMA = 1


class _Manifest(msgspec.Struct):
    schema: int
    splits: dict[str, dict[str, Any]]


def prepared_protocol(path: Path, split: str) -> str | None:
    """Return the protocol of the data that a folder was prepared out of; ``None`` where it was not prepared.

    Raises:
        DataError: The manifest is broken.
    """
    if not (path / MANIFEST).is_file():
        return None
    told = PreparedFolder(path, split).splits().get(split, {}).get("protocol")
    return None if told is None else str(told)


class PreparedFolder:
    """The folder that is written: who may, and what ``prepared.json`` says of its splits."""

    def __init__(self, path: Path, split: str) -> None:
        self.path, self.split = path, split

    def claim(self, identity: Mapping[str, Any]) -> dict[str, Any] | None:
        """Make the folder ready; return what an earlier start of the same said."""
        manifest = self.path / MANIFEST
        if not manifest.exists():
            if self.path.exists() and (not self.path.is_dir() or any(map(_foreign, self.path.iterdir()))):
                raise UsageError(f"{self.path}: exists and was not written by data prepare; choose another --out.")
            try:
                self.path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(f"{self.path}: cannot be created ({error.strerror}); choose another --out.") from error
            return None
        earlier: dict[str, Any] | None = self.splits().get(self.split)
        told = earlier.get("identity") if earlier else None
        before = told if isinstance(told, dict) else {}
        differing = [name for name in identity if earlier and before.get(name) != identity[name]]
        if differing:
            what = "; ".join(f"{name} ({before.get(name)!r} there, {identity[name]!r} now)" for name in differing)
            raise NotComparableError(
                f"{self.path}: the split {self.split!r} was prepared otherwise: {what}; choose another --out."
            )
        return earlier

    def splits(self) -> dict[str, Any]:
        """Return what the manifest says of each split.

        Raises:
            DataError: It is broken.
        """
        manifest = self.path / MANIFEST
        try:
            content = msgspec.json.decode(manifest.read_bytes(), type=_Manifest)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{manifest}: not readable as a manifest ({error}); choose another --out.") from error
        if content.schema != _SCHEMA:
            raise DataError(f"{manifest}: not what this asdbench writes; choose another --out.")
        return content.splits

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from writing the folder; a process that dies gives its lock back."""
        (self.path / RECORDS).mkdir(exist_ok=True)
        with locked(self.path, self.path / RECORDS):
            yield

    def write(self, manifest: Mapping[str, Any]) -> None:
        """Write what is known of the split, beside that of others."""
        splits = self.splits() if (self.path / MANIFEST).exists() else {}
        write_json(
            self.path / MANIFEST,
            {"schema": _SCHEMA, "splits": dict(sorted({**splits, self.split: dict(manifest)}.items()))},
        )

    @property
    def listing(self) -> Path:
        """The file that lists what was left out."""
        return self.path / "csv" / f"{self.split}_skipped.csv"

    def write_skipped(self, skipped: Iterable[tuple[str, str, str]]) -> None:
        """Write what was left out, and why."""
        listing = self.listing
        buffer = io.StringIO()
        writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        rows = [(video, entity, "track" if entity else "film", reason) for video, entity, reason in skipped]
        writer.writerows([("video_id", "entity_id", "left_out", "reason"), *rows])
        if rows:
            write_text(listing, buffer.getvalue())
        else:
            listing.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove the empty folder of work."""
        with suppress(OSError):
            (self.path / RECORDS / "work").rmdir()


def _foreign(path: Path) -> bool:
    # A killed start may leave a lock or a half-written file.
    return path.name != RECORDS and not (path.name.startswith(".") and path.name.endswith(".tmp"))
