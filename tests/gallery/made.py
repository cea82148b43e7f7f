"""Small runs with errors to show."""

from __future__ import annotations

import shutil
from pathlib import Path

import asdbench
from asdbench.report.run import Run

HOSTILE = "<img src=x onerror=document.title=1>"
"""A video whose name would be code; no system forbids it as the name of a folder."""

SUITE = """name = "own"
version = 3
seed = 11
summary = "Own."

[[condition]]
name = "clean"
role = "reference"

[[condition]]
name = "mismatch@0.50"
perturbation = "mismatch"
proportion = 0.5
labels = "negative"

[[condition]]
name = "mismatch@1.00"
perturbation = "mismatch"
labels = "negative"

[[condition]]
name = "white_noise@s{severity}"
perturbation = "white_noise"
each = { severity = [2, 5] }

[[condition]]
name = "lip_mask"
perturbation = "lip_mask"
role = "diagnostic"

[[condition]]
name = "near"
perturbation = "shift"
labels = "ignore"
options = { ms = 100 }
"""


def make_run(data: Path | str, folder: Path, short: bool = False, **settings: object) -> Run:
    """Score the additive model, which notices nothing, on a data set, under some conditions or under mismatch alone."""
    suite = folder / "own.toml"
    suite.write_text(SUITE[: SUITE.index('[[condition]]\nname = "white')] if short else SUITE, encoding="utf-8")
    options: dict[str, object] = {"audit": "off", "resamples": "off", "progress": False, **settings}
    return asdbench.run("additive", suite, data, out=folder / "run", **options)  # type: ignore[arg-type]


def rename_video(data: Path, old: str, new: str) -> None:
    """Give a video of the generated data set another name, in tables and on disk."""
    for table in (data / "csv").iterdir():
        table.write_text(table.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    for media in ("clips_audios", "clips_videos"):
        folder = data / media / "val"
        shutil.move(folder / old, folder / new)
        for path in list((folder / new).iterdir()):
            path.rename(path.with_name(path.name.replace(old, new)))
