"""The annotation of AVA-ActiveSpeaker on disk: one file of the community, or one file per video as published.

::

    ROOT/csv/<split>_orig.csv                      all videos of a split, with a header (TalkNet preprocessing)
    ROOT/csv/<split>/<video>-activespeaker.csv     or any other name there: one video, without a header or with one
    ROOT/<split>/<video>-activespeaker.csv         as it is unpacked: also in ROOT/ava_activespeaker_<split>_v1.0/ or,
                                                   where nothing says which split, in ROOT/csv/ or ROOT itself

Rows, labels and times mean the same in all of them (AVA-ActiveSpeaker, arXiv 1901.01342).
"""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from asdbench.data.ava_csv import Annotation, read_annotation
from asdbench.errors import DataError
from asdbench.types import TrackKey

_OFFICIAL = "*-activespeaker.csv"


def annotation_files(root: Path, split: str) -> list[Path]:
    """Return the annotation files of a split in order.

    Raises:
        DataError: There is none.
    """
    merged = root / "csv" / f"{split}_orig.csv"
    if merged.is_file():
        return [merged]
    name = glob.escape(split)
    for pattern in (
        f"csv/{name}/*.csv",
        f"{name}/{_OFFICIAL}",
        f"*_{name}_*/{_OFFICIAL}",
        f"csv/{_OFFICIAL}",
        _OFFICIAL,
    ):
        files = sorted(path for path in root.glob(pattern) if path.is_file())
        if files:
            return files
    found = sorted(path.name.removesuffix("_orig.csv") for path in (root / "csv").glob("*_orig.csv"))
    found += sorted({path.parent.name for path in root.glob(f"csv/*/{_OFFICIAL}")})
    hint = (
        f"splits found there: {', '.join(found)}"
        if found
        else f"expected the TalkNet preprocessing layout, or the official files ({_OFFICIAL})"
    )
    raise DataError(f"{merged}: the annotation file is missing; {hint}.")


def read_files(files: Iterable[Path]) -> tuple[Annotation, ...]:
    """Read annotation files as if they were one.

    Returns:
        One annotation per face track, sorted by (video_id, entity_id).

    Raises:
        DataError: As for `asdbench.data.ava_csv.read_annotation`, or two files hold rows of one track.
    """
    tracks: dict[TrackKey, Annotation] = {}
    for path in files:
        for rows in read_annotation(path):
            other = tracks.setdefault(rows.key, rows)
            if other is not rows:
                raise DataError(
                    f"{path}, line {rows.line(0)}: the entity {rows.entity_id!r} of the video {rows.video_id!r} has "
                    f"rows in {other.lines.path} too; keep one of the files."
                )
    return tuple(tracks[key] for key in sorted(tracks))
