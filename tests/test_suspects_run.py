"""Videos whose sound is another's, found through the whole pipeline (docs/method.md, section 9)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import asdbench
from asdbench.resources import resource_folder
from asdbench.testing import Oracle

pytestmark = pytest.mark.slow

DUBBED = {"val-004": "val-013", "val-013": "val-031", "val-031": "val-004"}
"""Videos with a single face that speaks nearly all the time, and whose sound each of them gets."""


def swap_sound(source: Path, copy: Path) -> Path:
    """Copy a data set and give whole videos the sound of others; labels stay."""
    shutil.copytree(source, copy)
    for video, donor in DUBBED.items():
        shutil.copyfile(source / "audio" / f"{donor}.flac", copy / "audio" / f"{video}.flac")
    return copy


def test_three_dubbed_videos_are_the_lowest(tmp_path: Path) -> None:
    swapped = swap_sound(resource_folder("baselines") / "demo" / "demo-val", tmp_path / "swapped")
    run = asdbench.run(Oracle(), "clean", swapped, out=tmp_path / "run", audit="off", progress=False)
    videos = run.metrics["suspects"]["videos"]
    assert {video["video"] for video in videos[:3]} == set(DUBBED)
    assert [video["suspect"] for video in videos] == [True] * 3 + [False] * (len(videos) - 3)
    assert all(video["z"] < -10 for video in videos[:3])
    assert {row["suspect"] for row in run.tables["suspects"].rows[:3]} == {"yes"}
    assert (tmp_path / "run" / "plots" / "suspects.png").is_file()
