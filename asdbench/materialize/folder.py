"""The folder of a materialised set: its manifest, and the rows against which predictions are scored.

::

    manifest.json                  what was made of which data, with which versions; how to read it
    manifest.csv                   path, size, hash and origin of every other file
    plan.parquet                   one row per condition and target: what was changed, and how
    rows/<condition>.parquet       one row per labelled frame: key, source, labels, what was changed, voice, lips
    rows.parquet                   what is known of each row whatever the condition
    <condition>/                   the community layout: csv/, clips_audios/, clips_videos/
    skipped.csv                    tracks, or conditions of tracks, that could not be made, and why
    work/                          only while the set is unfinished
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec

from asdbench.data.ids import is_safe
from asdbench.errors import DataError
from asdbench.records.facts import FACTS_FILE
from asdbench.records.folder import RunFolder
from asdbench.records.predictions import Predictions, file_stem, read_predictions
from asdbench.types import Condition

MANIFEST = "manifest.json"
LISTING = "manifest.csv"
RESERVED = frozenset({"rows", "work", "plan.parquet", "skipped.csv", ".lock", MANIFEST, LISTING, FACTS_FILE})
"""Names in the folder that no condition can have."""


class SetFolder(RunFolder):
    """The folder of a materialised set, as it is claimed, locked and continued."""

    noun: ClassVar[str] = "materialised set"
    thing: ClassVar[str] = "set"
    record_name: ClassVar[str] = MANIFEST
    schema: ClassVar[int] = 1


def rows_path(root: Path, condition: str) -> Path:
    """Return the path of the rows of a condition."""
    return root / "rows" / f"{file_stem(condition)}.parquet"


class _Data(msgspec.Struct):
    name: str
    format: str
    fingerprint: str
    protocol: str
    notes: list[str]


class _Suite(msgspec.Struct):
    name: str
    version: int
    sha256: str
    seed: int
    conditions: Annotated[list[Condition], msgspec.Meta(min_length=1)]


class _Plan(msgspec.Struct):
    sha256: str
    conditions: dict[str, dict[str, Any]]


class _Identity(msgspec.Struct):
    data: dict[str, Any]
    suite: dict[str, Any]
    plan_sha256: str
    limit: int | None


class _Facts(msgspec.Struct):
    same_media_as_clean: bool
    left_out: list[tuple[str, str]]


class _Manifest(msgspec.Struct):
    """What of a manifest, which may come from anywhere, is relied on."""

    identity: _Identity
    custom: bool
    data: _Data
    suite: _Suite
    plan: _Plan
    counts: dict[str, int]
    files: dict[str, Any]
    conditions: dict[str, _Facts]


@dataclass(frozen=True)
class MaterializedSet:
    """A finished set.

    Attributes:
        path: The folder.
        manifest: Content of ``manifest.json``.
    """

    path: Path
    manifest: Mapping[str, Any] = field(repr=False)

    @property
    def conditions(self) -> dict[str, Condition]:
        """The conditions by name, the clean one first."""
        return {c["name"]: Condition(**c) for c in self.manifest["suite"]["conditions"]}

    def left_out(self, condition: str) -> list[tuple[str, str]]:
        """Return the tracks that could not be made under a condition, as (video_id, entity_id)."""
        return [(video, entity) for video, entity in self.manifest["conditions"][condition]["left_out"]]

    def unchanged(self, condition: str) -> bool:
        """Whether the media of a condition are those of the clean one."""
        return bool(self.manifest["conditions"][condition]["same_media_as_clean"])

    def rows(self, condition: str) -> Predictions:
        """Return the rows of a condition; their scores are NaN.

        Raises:
            DataError: The file is missing or broken.
        """
        return read_predictions(rows_path(self.path, condition), scored=False)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        names = ("data", "suite", "counts", "conditions", "files")
        return {"set": str(self.path)} | {name: self.manifest[name] for name in names}


def open_set(path: str | Path) -> MaterializedSet:
    """Open a materialised set.

    Raises:
        DataError: Not a materialised set, not a finished one, or its manifest is damaged.
    """
    folder = SetFolder(Path(path))
    manifest = folder.read_record()
    if manifest.get("state") != "complete":
        raise DataError(f"{folder.path}: the set is not finished; run the same command again, it continues.")
    _check(folder, manifest)
    return MaterializedSet(folder.path, manifest)


def _check(folder: SetFolder, manifest: Mapping[str, Any]) -> None:
    try:
        found = msgspec.convert(manifest, _Manifest)
    except msgspec.ValidationError as error:
        raise DataError(f"{folder.record_file}: not what asdbench data materialize writes ({error}).") from error
    names = [condition.name for condition in found.suite.conditions]
    if set(names) != set(found.conditions) or len(set(names)) < len(names) or not all(map(is_safe, names)):
        raise DataError(f"{folder.record_file}: the conditions of the suite are not those that were written.")
