"""Scores of Ego4D's faces as published code writes them.

- a folder of ``<clip>.txt`` with lines ``frame person x1 y1 x2 y2 score label``, as the official evaluation reads them
  (``format_asd.py`` of EGO4D/audio-visual); the clip is its id, or its number in the list ``v.txt`` beside them;
- a folder of ``<clip>:<track>:<piece>.json``, lists of boxes with a score, as the TalkNet baseline writes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from asdbench.data.ego4d_tracks import OFFICIAL_FRAMES
from asdbench.errors import DataError
from asdbench.protocols.ego4d_files import SIDES, Boxes, Collected, is_number
from asdbench.protocols.sniff import head

_FIELDS = 8


def has_detections(path: Path) -> bool:
    """Tell whether a file, or a folder, holds scores as published code for Ego4D writes them."""
    return bool(_text_files(path) or _json_files(path))


def read_detections(path: Path) -> Boxes:
    """Read a file or a folder of scores; boxes at frames that no clip has are left out, as in the official evaluation.

    Raises:
        DataError: A file cannot be read, or a line or box is not one.
    """
    found, numbers = Collected(), _numbers(path if path.is_dir() else path.parent)
    of_number = {number: clip for clip, number in numbers.items()}
    texts = _text_files(path)
    clips: dict[str, None] = {}
    outside = 0
    for file in texts or _json_files(path):
        stem = file.stem.partition(":")[0]
        clip = of_number.get(int(stem), stem) if is_number(stem) else stem
        clips[clip] = None
        lines = list(_text_lines(file) if texts else _json_lines(file))
        rows = [line for line in lines if 0 <= line[0] < OFFICIAL_FRAMES]
        outside += len(lines) - len(rows)
        table = np.array([(line[0], *line[2:]) for line in rows], dtype=np.float64).reshape(-1, 6)
        found.add(clip, table[:, 0].astype(np.int64), table[:, 1:5], [line[1] for line in rows], None, table[:, 5])
    boxes = replace(found.boxes(str(path), tuple(clips), {}, numbers), outside=outside)
    if not len(boxes):
        raise DataError(f"{path}: no detected face at the frames of a clip, 0 to {OFFICIAL_FRAMES - 1}.")
    return boxes


def _text_files(path: Path) -> list[Path]:
    return [file for file in _files(path, ".txt") if file.name != "v.txt"]


def _json_files(path: Path) -> list[Path]:
    return [file for file in _files(path, ".json") if head(file).lstrip()[:1] == b"["]


def _files(path: Path, suffix: str) -> list[Path]:
    return sorted(path.glob(f"*{suffix}")) if path.is_dir() else [path] * (path.suffix == suffix)


def _numbers(folder: Path) -> dict[str, int]:
    """Return the number of each clip in the list that the official evaluation goes by."""
    path = folder / "v.txt"
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8-sig").split("\n")
    return {Path(line.strip()).name.split(".")[0]: number for number, line in enumerate(lines) if line.strip()}


_Line = tuple[int, str, float, float, float, float, float]


def _text_lines(path: Path) -> Iterator[_Line]:
    for number, line in enumerate(_read(path).splitlines(), start=1):
        fields = line.split()
        if fields:
            if len(fields) != _FIELDS:
                raise DataError(
                    f"{path}, line {number}: {len(fields)} fields; expected frame, person, x1, y1, x2, y2, score and "
                    "label with spaces between."
                )
            yield _line(f"{path}, line {number}", fields[:7])


def _json_lines(path: Path) -> Iterator[_Line]:
    try:
        items = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not readable as JSON ({error}).") from error
    for number, item in enumerate(items):
        where = f"{path}, item {number}"
        if not isinstance(item, dict):
            raise DataError(f"{where}: expected a box with frame, x1, y1, x2, y2, pid and score.")
        values = [item.get("frame", item.get("frameNumber")), item.get("pid", ""), *map(item.get, (*SIDES, "score"))]
        if None in values:
            raise DataError(f"{where}: expected a box with frame, x1, y1, x2, y2, pid and score; it lacks one of them.")
        yield _line(where, values)


def _line(where: str, fields: Sequence[Any]) -> _Line:
    try:
        frame, sides = float(fields[0]), [float(value) for value in fields[2:7]]
    except (TypeError, ValueError, OverflowError):
        frame, sides = np.nan, []
    if not (frame == frame // 1 and np.isfinite(sides).all()):
        raise DataError(f"{where}: a frame, side or score is no finite number: {' '.join(map(str, fields))[:80]!r}.")
    x1, y1, x2, y2, score = sides
    return int(frame), str(fields[1]), x1, y1, x2, y2, score


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the file cannot be read ({error}).") from error
