"""Turns the generated data set into folders of its kin: other ids, other files beside the same media."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from asdbench.types import Dataset

KINDS = ("clips_videos", "clips_audios")


def rename_videos(root: Path, names: Mapping[str, str]) -> None:
    """Rename videos and the beginnings of their entities, in tables and on disk."""
    for kind in KINDS:
        for old, new in names.items():
            folder = (root / kind / "val" / old).rename(root / kind / "val" / new)
            for entity in list(folder.iterdir()):
                entity.rename(folder / entity.name.replace(old, new, 1))
    for table in ("csv/val_orig.csv", "csv/val_loader.csv"):
        lines = (root / table).read_text(encoding="utf-8").splitlines()
        for old, new in names.items():
            lines = [
                line.replace(f"{old},", f"{new},").replace(f"{old}_", f"{new}_") if line.startswith(old) else line
                for line in lines
            ]
        (root / table).write_text("\n".join(lines) + "\n", encoding="utf-8")


def videos_of(dataset: Dataset) -> list[str]:
    """Return the ids of the videos, sorted."""
    return sorted({track.video_id for track in dataset.tracks})


def categories_of(dataset: Dataset) -> dict[str, tuple[str, ...]]:
    """Return the categories of every video."""
    return {track.video_id: track.categories for track in dataset.tracks}


def load_all(dataset: Dataset) -> None:
    """Read the media of all tracks."""
    for track in dataset.tracks:
        assert len(track.media.faces()) == len(track)
        assert abs(len(track.media.audio()) - track.num_samples) <= 1280
