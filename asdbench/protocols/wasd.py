"""WASD: the AVA rule on the rows of each of five categories, and on all rows pooled.

The overall number is the pooled AP, not the mean of the five.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asdbench.errors import DataError
from asdbench.protocols.ava_rows import JoinedRows
from asdbench.protocols.frame_ap import FrameAp, frame_ap, frame_ap_or_reason

CATEGORIES = {
    "OC": "Optimal Conditions",
    "SI": "Speech Impairment",
    "FO": "Face Occlusion",
    "HVN": "Human Voice Noise",
    "SS": "Surveillance Settings",
}
"""Short name to meaning, in the order of the paper."""

_SHIPPED = {"Interview": "OC", "Debate": "SI", "Podcast": "FO", "React": "HVN", "Police": "SS"}
"""Headings of the published file, which its own script does not know."""


@dataclass(frozen=True)
class Division:
    """Which sources belong to which category.

    Attributes:
        sources: Category to its source ids, each once.
        notes: What the official script would have stumbled over, one sentence each.
    """

    sources: dict[str, tuple[str, ...]]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class WasdScores:
    """AP per category and over all.

    Attributes:
        categories: Short name to AP, or to ``{"undefined": reason}``.
        overall: AP over all rows, those outside every category included.
        outside: Rows of videos that no category lists.
        notes: Where the official scorer would not give these numbers.
    """

    categories: dict[str, FrameAp | dict[str, str]]
    overall: FrameAp
    outside: int
    notes: tuple[str, ...]


def read_division(path: Path) -> Division:
    """Read ``dataset_division.txt``: headings ``# NAME``, below each its source ids, one per line.

    The headings may be those that the script asks for (OC, SI, FO, HVN, SS) or those of the published file (Interview,
    Debate, Podcast, React, Police).

    Raises:
        DataError: The file cannot be read, an id stands above the first heading, or a heading is unknown or missing.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the file cannot be read ({error}).") from error
    sources: dict[str, list[str]] = {}
    notes: dict[str, None] = {}
    category = None
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if text.startswith("#"):
            heading = text.lstrip("# ")
            category = _SHIPPED.get(heading, heading)
            if category not in CATEGORIES:
                known = ", ".join([*CATEGORIES, *_SHIPPED])
                raise DataError(f"{path}, line {number}: no category {heading!r}; expected one of {known}.")
            if heading in _SHIPPED:
                notes["the official script does not know the headings of its own division file"] = None
            sources.setdefault(category, [])
        elif text and category is None:
            raise DataError(f"{path}, line {number}: the source {text!r} stands above the first heading (# OC, ...).")
        elif text and category is not None and text in sources[category]:
            notes[
                f"the source {text} stands twice under {category}, where the official script fails; it counts once"
            ] = None
        elif text and category is not None:
            sources[category].append(text)
    missing = [name for name in CATEGORIES if name not in sources]
    if missing:
        raise DataError(f"{path}: no heading for {', '.join(missing)}; expected a line '# OC' and so on for all five.")
    return Division({name: tuple(sources[name]) for name in CATEGORIES}, tuple(f"{note}." for note in notes))


def score_wasd(rows: JoinedRows, division: Division) -> WasdScores:
    """Score rows per category and pooled.

    A video belongs to a category if its id *contains* one of the category's source ids, as in the official script
    (which takes the id for a regular expression; here it is plain text). A source listed under two categories counts
    in both.

    Raises:
        DataError: Non-finite scores.
        UndefinedMetricError: No rows, or no positive rows at all. A category without any is undefined on its own.

    Source:
        Roxo et al., WASD: A Wilder Active Speaker Detection Dataset, 2023; its ``eval/WASD_evaluation.py``.
    """
    members = category_videos(rows.truth.videos, division)
    positive = rows.positive
    categories: dict[str, FrameAp | dict[str, str]] = {}
    notes = [*rows.notes, *division.notes]
    for name, videos in members.items():
        chosen = rows.of_videos(videos)
        categories[name] = frame_ap_or_reason(positive[chosen], rows.score[chosen], f"wasd {name}")
        if not chosen.any():
            notes.append(
                f"{name} has no rows; the official script prints 0.0 or fails, depending on the version of pandas."
            )
        elif isinstance(categories[name], dict):
            notes.append(f"{name} has no positive rows; one of the two official scripts prints nan, the other fails.")
    outside = ~rows.of_videos(np.logical_or.reduce(list(members.values())))
    return WasdScores(
        categories, frame_ap(positive, rows.score, "wasd overall"), int(np.count_nonzero(outside)), tuple(notes)
    )


def category_videos(
    videos: tuple[str, ...], division: Division
) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """Return which of the videos belong to each category: those whose id contains one of its source ids."""
    return {name: _videos(videos, ids) for name, ids in division.sources.items()}


def _videos(videos: tuple[str, ...], ids: tuple[str, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    if not ids:
        return np.zeros(len(videos), dtype=np.bool_)
    pattern = re.compile("|".join(map(re.escape, ids)))
    return np.array([pattern.search(video) is not None for video in videos], dtype=np.bool_)
