"""Reads a data set once, all of it, and lists what is wrong: tables, files, pictures, sound."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from asdbench.atomic import write_text
from asdbench.data.check_media import Findings, check_clip
from asdbench.data.check_problems import KINDS, Problem
from asdbench.data.check_tables import check_loader, check_tables
from asdbench.data.ids import find_child
from asdbench.data.layout import CommunityLayout
from asdbench.data.media import wav_length
from asdbench.data.prepare_clip import Clip
from asdbench.data.workers import run_all
from asdbench.errors import DataError
from asdbench.types import Dataset, Track


@dataclass(frozen=True)
class Checked:
    """What was found.

    Attributes:
        problems: All problems: errors first, in the order of `KINDS`, then by key.
        tracks: How many tracks were read.
        frames: How many crops were read.
        notes: What the reader said of the data set.
    """

    problems: tuple[Problem, ...]
    tracks: int
    frames: int
    notes: tuple[str, ...] = ()

    @property
    def errors(self) -> int:
        """Number of problems that are errors."""
        return sum(problem.severity == "error" for problem in self.problems)

    @property
    def by_kind(self) -> dict[str, list[Problem]]:
        """Problems by kind, in the order of the table."""
        found: dict[str, list[Problem]] = {}
        for problem in self.problems:
            found.setdefault(problem.kind, []).append(problem)
        return found

    def to_dict(self, examples: int | None = None) -> dict[str, Any]:
        """Return everything for JSON.

        Args:
            examples: How many problems of each kind; all by default.
        """
        kinds = [
            {
                "kind": kind,
                "severity": KINDS[kind].severity,
                "meaning": KINDS[kind].meaning,
                "count": sum(problem.count for problem in problems),
                "places": len(problems),
                "examples": [_fields(problem) for problem in problems[:examples]],
            }
            for kind, problems in self.by_kind.items()
        ]
        return {
            "tracks": self.tracks,
            "frames": self.frames,
            "errors": self.errors,
            "warnings": len(self.problems) - self.errors,
            "notes": list(self.notes),
            "problems": kinds,
        }

    def write(self, path: Path) -> None:
        """Write all problems as a csv file."""
        buffer = io.StringIO()
        writer = csv.DictWriter(
            buffer, ["severity", "kind", "video_id", "entity_id", "count", "message"], lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(_fields(problem) for problem in self.problems)
        write_text(path, buffer.getvalue())


def _fields(problem: Problem) -> dict[str, Any]:
    names = ("severity", "kind", "video_id", "entity_id", "count", "message")
    return {name: getattr(problem, name) for name in names}


def check(
    root: Path,
    split: str,
    opener: Callable[[], Dataset],
    *,
    workers: int | None = None,
    limit: int | None = None,
    progress: bool | None = None,
) -> Checked:
    """Read a data set and list its problems.

    Args:
        root: Its folder.
        split: Part of it.
        opener: Opens it; a ``DataError`` becomes a problem of its own.
        workers: Processes; as many as there are CPUs by default.
        limit: Read only the first so many tracks; tables are read whole.
        progress: Whether to show a progress bar; on a terminal by default.

    Raises:
        AsdbenchError: What has nothing to do with the data: no such format or option, out of memory.
    """
    problems = check_tables(root, split)
    try:
        dataset = opener()
    except DataError as error:
        problems += check_loader(root, split, ())
        return Checked(_ordered([*problems, Problem("refused", "", "", str(error))]), 0, 0)
    # What else is odd would have been refused; a format with tables of its own has other columns.
    problems = [problem for problem in problems if problem.kind == "out of range"]
    tracks = dataset.tracks[:limit]
    clips = [Clip(video, tuple(group)) for video, group in groupby(tracks, key=lambda track: track.video_id)]
    hidden = None if progress is None else not progress
    frames = [sum(map(len, clip.tracks)) for clip in clips]
    media = [track.media for track in tracks]
    found = sorted(
        run_all(check_clip, [(clip,) for clip in clips], frames, workers, media=media, hidden=hidden),
        key=lambda findings: findings.video_id,
    )
    problems += check_loader(root, split, dataset.tracks)
    problems += _films(root, split, tracks)
    problems += [problem for findings in found for problem in findings.problems]
    problems += _duplicates(found)
    return Checked(_ordered(problems), len(tracks), sum(findings.frames for findings in found), dataset.notes)


def _ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    order = {kind: number for number, kind in enumerate(KINDS)}
    return tuple(sorted(problems, key=lambda problem: (order[problem.kind], problem)))


def _films(root: Path, split: str, tracks: Sequence[Track]) -> list[Problem]:
    """Return the films of the community layout that the reader does not use."""
    problems = []
    for video, group in groupby(tracks, key=lambda track: track.video_id):
        film = CommunityLayout(root, split).film(video)
        film = find_child(film.parent, f"{video}.wav")
        if not film.is_file() or any(getattr(track.media, "film", film) is not None for track in group):
            continue
        try:
            message = f"{film}: {wav_length(film) / 16_000:.2f} s, shorter than the annotation of its tracks"
        except DataError as error:
            message = str(error)
        problems.append(Problem("film not used", video, "", message))
    return problems


def _duplicates(found: Sequence[Findings]) -> list[Problem]:
    """Return what has the same content under two ids; the sound of one video is that of all its faces."""
    problems = []
    for kind in ("faces", "sounds", "videos"):
        seen: dict[str, tuple[str, str]] = {}
        for findings in found:
            digests: dict[str, str] = getattr(findings, kind)
            for name, digest in sorted(digests.items()):
                video, other = seen.setdefault(digest, (findings.video_id, name))
                if (video, other) != (findings.video_id, name) and (kind == "faces" or video != findings.video_id):
                    problems.append(_duplicate(kind, (findings.video_id, name), (video, other)))
    return problems


def _duplicate(kind: str, found: tuple[str, str], other: tuple[str, str]) -> Problem:
    if kind == "videos":
        return Problem("duplicate video", found[0], "", f"{found[1]}: the same content as {other[1]}")
    what = "the same crops" if kind == "faces" else "the same sound"
    message = f"{what} as the face {other[1]!r} of the video {other[0]!r}"
    return Problem("duplicate faces" if kind == "faces" else "duplicate sound", *found, message)
