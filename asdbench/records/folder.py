"""The run folder: who may write to it, and what ``run.json`` says.

::

    run.json                  configuration with the source of each value, versions, identity, timings
    plan.parquet              one row per condition and speaking run (or track): what was changed, and how
    predictions/*.parquet     one file per condition
    rows.parquet              what is known of each row whatever the condition
    metrics.json              every number
    audit.json                what was measured of the plan before scoring, unless that was switched off
    media.json                sizes and times of the files that were scored
    skipped.csv               tracks, or conditions of tracks, that could not be scored, and why
    tables/ plots/ report.md  for people
    work/                     only while the run is unfinished
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import msgspec

from asdbench.atomic import replacing, write_json, write_text
from asdbench.errors import DataError, NotComparableError, ResourceError, UsageError

SCHEMA_VERSION = 2
"""Bumped when the layout of a run folder changes; older ones stay readable."""

AUDIT_FILE = "audit.json"
"""What the audit measured."""

_MAX_NAME = 200
_LOCK = ".lock"
_STAMPS = "media.json"


def fingerprint(identity: Mapping[str, Any]) -> str:
    """Return the sha256 over everything that two runs must share to be the same run."""
    return hashlib.sha256(msgspec.json.encode(identity, order="sorted")).hexdigest()


def default_folder(root: Path, model: str, suite: str, data: str, identity: Mapping[str, Any]) -> Path:
    """Return ``<root>/<model>-<suite>-<data>-<fingerprint8>``, so that the same command finds its folder again."""
    name = "-".join(quote(part, safe=" ()+,;=") for part in (model, suite, data))
    # File systems allow 255 bytes.
    return root / f"{name[:_MAX_NAME]}-{fingerprint(identity)[:8]}"


class RunFolder:
    """A run folder on disk.

    What holds something else, but is claimed, locked and continued in the same way, says so with its class attributes:
    ``noun`` and ``thing`` for messages, the name of its record, and the schema of that.
    """

    noun: ClassVar[str] = "run folder"
    thing: ClassVar[str] = "run"
    record_name: ClassVar[str] = "run.json"
    schema: ClassVar[int] = SCHEMA_VERSION

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def record_file(self) -> Path:
        """Path of ``run.json``."""
        return self.path / self.record_name

    def read_record(self) -> dict[str, Any]:
        """Return the content of ``run.json``.

        Raises:
            DataError: The folder is no run folder, or of a newer release.
        """
        try:
            record: dict[str, Any] = msgspec.json.decode(self.record_file.read_bytes(), type=dict)
        except OSError as error:
            raise DataError(
                f"{self.path}: not a {self.noun}, {self.record_name} is missing; give the folder of a {self.thing}."
            ) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{self.record_file}: not readable as JSON ({error}).") from error
        schema = record.get("schema")
        if not isinstance(schema, int):
            raise DataError(f"{self.record_file}: no schema version, so not the record of a {self.thing}.")
        if schema > self.schema:
            raise DataError(f"{self.record_file}: written by a newer asdbench (schema {schema}); upgrade.")
        return record

    def write_record(self, record: Mapping[str, Any]) -> None:
        """Write ``run.json``."""
        write_json(self.record_file, {"schema": self.schema, **record})

    def claim(self, identity: Mapping[str, Any]) -> dict[str, Any] | None:
        """Make the folder ready for a run; return the record of an earlier start of the same run, if there was one.

        Raises:
            NotComparableError: The folder belongs to another run; the message names the fields that differ.
            UsageError: The folder holds something else.
        """
        if not self.record_file.exists():
            if self.path.exists() and (not self.path.is_dir() or any(map(_foreign, self.path.iterdir()))):
                raise UsageError(f"{self.path}: exists and is not a {self.noun}; choose another --out.")
            try:
                self.path.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(f"{self.path}: cannot be created ({error.strerror}); choose another --out.") from error
            return None
        record = self.read_record()
        differing = _differences(record.get("identity", {}), identity)
        if differing:
            raise NotComparableError(
                f"{self.path}: holds another {self.thing}, which differs in {'; '.join(differing)}; "
                "choose another --out."
            )
        return record

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes from writing the folder; a process that dies gives its lock back.

        Raises:
            ResourceError: Another process holds it.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.path / _LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise ResourceError(f"{self.path}: another process is writing this {self.thing}; wait.") from error
        try:
            yield
        finally:
            # While it is still held, so that nobody else's lock is taken away; Windows keeps the file.
            with suppress(OSError):
                (self.path / _LOCK).unlink(missing_ok=True)
            lock.release()

    def write_stamps(self, stamps: Mapping[str, str]) -> None:
        """Write ``media.json``: ``video_id|entity_id`` to the stamp of the media that were scored."""
        write_json(self.path / _STAMPS, stamps)

    def read_stamps(self) -> dict[str, str]:
        """Return what ``media.json`` holds, nothing where it is missing or damaged."""
        try:
            return msgspec.json.decode((self.path / _STAMPS).read_bytes(), type=dict[str, str])
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return {}

    def read_audit(self) -> dict[str, Any] | None:
        """Return what ``audit.json`` holds, ``None`` where it is missing or damaged."""
        try:
            found: dict[str, Any] = msgspec.json.decode((self.path / AUDIT_FILE).read_bytes(), type=dict)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None
        return found if {"checks", "cues"} <= set(found) else None

    def write_skipped(self, rows: Sequence[Sequence[str]]) -> None:
        """Write ``skipped.csv``: video_id, entity_id, what was left out (``track`` or ``conditions``), reason."""
        listing = self.path / "skipped.csv"
        if not rows:
            listing.unlink(missing_ok=True)
            return
        buffer = io.StringIO()
        writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        writer.writerows([("video_id", "entity_id", "left_out", "reason"), *rows])
        write_text(listing, buffer.getvalue())

    def write_plan(self, records: Iterable[Mapping[str, object]]) -> None:
        """Write the plan file: one row per condition and target."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.Table.from_pylist([dict(record) for record in records], schema=_plan_schema())
        with replacing(self.path / "plan.parquet") as temporary:
            pq.write_table(table, temporary, compression="zstd")


def _foreign(path: Path) -> bool:
    """Whether something in a folder is not ours: a killed start may leave a lock or a half-written file."""
    return path.name != _LOCK and not (path.name.startswith(".") and path.name.endswith(".tmp"))


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    differing = []
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            differing += _differences(before, after, f"{prefix}{name}.")
        elif before != after:
            differing.append(f"{prefix}{name} ({_short(before)} there, {_short(after)} now)")
    return differing


def _short(value: object) -> str:
    text = str(value)
    return text[:12] + "..." if len(text) > 40 else text


def _plan_schema() -> Any:
    import pyarrow as pa

    return pa.schema(
        [
            ("condition", pa.string()),
            ("video_id", pa.string()),
            ("entity_id", pa.string()),
            ("run", pa.int32()),
            ("first_ms", pa.int64()),
            ("last_ms", pa.int64()),
            ("changed", pa.bool_()),
            ("ineligible", pa.string()),
            ("ignored_frames", pa.int32()),
            ("shift_ms", pa.float64()),
            ("edits", pa.string()),
        ]
    )
