"""WASD, Wilder Active Speaker Detection: AVA's columns and layout, five categories, frame rates from 10 to 30.

::

    ROOT/csv/<split>_orig.csv, clips_videos/, clips_audios/   as for AVA (`asdbench.data.ava`)
    ROOT/dataset_division.txt                                 sources by category; also in ROOT/csv/ or ROOT/eval/

Videos are pieces of 30 s, named by the 11 characters of their source, an underscore, start and end. A track belongs to
every category under which its source is listed: one is listed under two. The published headings and what they mean, and
the rule that a listed id counts where it stands anywhere in the id of a video, are those of WASD's evaluation
(github.com/Tiago-Roxo/WASD, ``eval/``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from asdbench.data.ava import Kin, open_kin
from asdbench.errors import DataError
from asdbench.types import Dataset

CATEGORIES = {"Interview": "OC", "Debate": "SI", "Podcast": "FO", "React": "HVN", "Police": "SS"}
"""Headings of the published list, and the names that the paper and the evaluation give to them."""

_EASY = ("OC", "SI")
_PLACES = ("dataset_division.txt", "csv/dataset_division.txt", "eval/dataset_division.txt")
_SOURCE_LETTERS = 11


def open_wasd(
    root: Path,
    split: str = "val",
    name: str | None = None,
    *,
    crop: str = "box",
    inaudible: str = "keep",
    division: str = "",
) -> Dataset:
    """Read WASD; see `asdbench.data.ava.open_ava` for what the arguments share with AVA.

    Args:
        root: The folder of the data set.
        split: ``train`` or ``val``.
        name: Short name for tables and folders.
        crop: How faces are cut out of films.
        inaudible: ``drop`` leaves out rows labelled SPEAKING_NOT_AUDIBLE, of which WASD's extraction makes no crops.
        division: Path of ``dataset_division.txt``, where it does not lie in the folder.

    Raises:
        DataError: A file is missing, contradicts itself or another, or has an unknown heading.
        UsageError: An option has another value.
    """
    found = next((root / each for each in _PLACES if (root / each).is_file()), None)
    path = Path(division) if division else found
    notes = () if path is not None else ("no dataset_division.txt: the tracks have no categories",)
    categories = Kin().categories if path is None else _categories_of(read_division(path))
    return open_kin(Kin("wasd", _source, categories, notes, "wasd"), root, split, name, crop=crop, inaudible=inaudible)


def read_division(path: Path) -> dict[str, frozenset[str]]:
    """Read which sources belong to which category.

    Returns:
        Category to ids of sources.

    Raises:
        DataError: The file cannot be read, has an unknown heading, or an id before the first.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable list of categories ({error}).") from error
    found: dict[str, set[str]] = {}
    heading: str | None = None
    for number, text in enumerate(map(str.strip, lines), start=1):
        if text.startswith("#"):
            title = text.lstrip("# ")
            heading = CATEGORIES.get(title, title)
            if heading not in CATEGORIES.values():
                known = ", ".join(f"{each} or {short}" for each, short in CATEGORIES.items())
                raise DataError(f"{path}, line {number}: the heading {title!r} is none of {known}.")
        elif text and heading is None:
            raise DataError(f"{path}, line {number}: {text[:80]!r} stands under no heading; expected one such as # OC.")
        elif text and heading is not None:
            found.setdefault(heading, set()).add(text)
    return {category: frozenset(ids) for category, ids in found.items()}


def _source(video_id: str) -> str:
    cut_out = video_id[_SOURCE_LETTERS : _SOURCE_LETTERS + 1] == "_"
    return video_id[:_SOURCE_LETTERS] if cut_out else video_id


def _categories_of(division: dict[str, frozenset[str]]) -> Callable[[str], tuple[str, ...]]:
    @cache
    def categories(video_id: str) -> tuple[str, ...]:
        found = {category for category, ids in division.items() if any(each in video_id for each in ids)}
        groups = {"easy" if category in _EASY else "hard" for category in found}
        return tuple(sorted(found | groups))

    return categories
