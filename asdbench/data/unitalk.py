"""UniTalk: AVA's columns and layout at 25 fps, and lists of the videos of each sub-category.

::

    ROOT/csv/<split>_orig.csv                as its downloader merges them, or ROOT/csv/<split>/<video>.csv
    ROOT/clips_videos/, ROOT/clips_audios/   as for AVA (`asdbench.data.ava`)
    ROOT/sub_categories/test_<category>.csv  ids of videos, one per line, no header

These are the files of github.com/plnguyen2908/UniTalk-ASD. The data set has no loader file, and needs none here: frame
rates are measured, everything is joined by key.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from asdbench.data.ava import Kin, open_kin
from asdbench.errors import DataError
from asdbench.types import Dataset

_PREFIX = "test_"


def open_unitalk(
    root: Path, split: str = "val", name: str | None = None, *, crop: str = "box", lists: str = ""
) -> Dataset:
    """Read UniTalk; see `asdbench.data.ava.open_ava` for what the arguments share with AVA.

    Args:
        root: The folder of the data set.
        split: ``train`` or ``val``.
        name: Short name for tables and folders.
        crop: How faces are cut out of films.
        lists: Folder with the lists of sub-categories, where it is not ``sub_categories`` in the folder.

    Raises:
        DataError: A file is missing or contradicts itself or another.
        UsageError: An option has another value.
    """
    folder = Path(lists) if lists else root / "sub_categories"
    videos = {path.stem.removeprefix(_PREFIX): read_ids(path) for path in sorted(folder.glob(f"{_PREFIX}*.csv"))}
    if lists and not videos:
        raise DataError(
            f"{folder}: no {_PREFIX}<category>.csv lies there; give the folder of UniTalk's sub-categories."
        )
    notes = [] if videos else ["no sub_categories/: the tracks have no categories"]
    if split == "val":
        notes.append("the split val is the test set of UniTalk: choose nothing on it")
    kin = Kin("unitalk", categories=_categories_of(videos), notes=tuple(notes), protocol="unitalk")
    return open_kin(kin, root, split, name, crop=crop)


def read_ids(path: Path) -> frozenset[str]:
    """Read a list of ids, one per line.

    Raises:
        DataError: The file cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable list of videos ({error}).") from error
    return frozenset(line.strip() for line in lines if line.strip())


def _categories_of(videos: dict[str, frozenset[str]]) -> Callable[[str], tuple[str, ...]]:
    return lambda video_id: tuple(sorted(category for category, ids in videos.items() if video_id in ids))
