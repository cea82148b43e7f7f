"""The folder of a materialised set: its manifest, and the rows against which predictions are scored.

::

    manifest.json                  what was made of which data, with which versions; how to read it
    manifest.csv                   path, size, hash and origin of every other file
    plan.parquet                   one row per condition and target: what was changed, and how
    rows/<condition>.parquet       one row per labelled frame: key, source, labels, what was changed
    <condition>/                   the community layout: csv/, clips_audios/, clips_videos/
    skipped.csv                    tracks, or conditions of tracks, that could not be made, and why
    work/                          only while the set is unfinished
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from asdbench.errors import DataError
from asdbench.records.folder import RunFolder
from asdbench.records.predictions import Predictions, file_stem, read_predictions
from asdbench.types import Condition

MANIFEST = "manifest.json"
LISTING = "manifest.csv"
RESERVED = frozenset({"rows", "work", "plan.parquet", "skipped.csv", ".lock", MANIFEST, LISTING})
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
        DataError: Not a materialised set, or not a finished one.
    """
    folder = SetFolder(Path(path))
    manifest = folder.read_record()
    if manifest.get("state") != "complete":
        raise DataError(f"{folder.path}: the set is not finished; run the same command again, it continues.")
    return MaterializedSet(folder.path, manifest)
