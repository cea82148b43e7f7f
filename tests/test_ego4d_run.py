"""Ego4D from real mp4 files to numbers, through the command line: prepare, run, score."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import asdbench
from tests.cli.conftest import Cli, cli  # noqa: F401
from tests.data.ego4d_films import GONE, HEARD, LATE, OTHER, SILENT, write_small

TRACKS = {"official": 9, "talknet": 6}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small data set, one clip of which is missing and one silent; read only."""
    return write_small(tmp_path_factory.mktemp("ego4d") / "small")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The clips of the small data set that can be scored; read only."""
    return write_small(tmp_path_factory.mktemp("ego4d") / "whole", (HEARD, LATE, OTHER))


def record(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return found


@pytest.mark.parametrize("convention", ["official", "talknet"])
def test_run_and_score_count_the_clips_that_cannot_be_scored(cli: Cli, small: Path, convention: str) -> None:  # noqa: F811
    result = cli(
        "run", "--model", "additive", "--suite", "unsync", "--data", small, "--data-option", f"convention={convention}",
        "--on-error", "skip", "--out", "out", "--quiet",
    )  # fmt: skip
    assert result.exit_code == 0, result.err
    with Path("out/skipped.csv").open(encoding="utf-8", newline="") as file:
        skipped = {row["video_id"]: row["reason"] for row in csv.DictReader(file)}
    assert set(skipped) == {SILENT, GONE}
    assert "no audio stream" in skipped[SILENT]
    assert f"there is no {small / 'clips' / GONE}.mp4" in skipped[GONE]
    counts = record(Path("out"))["counts"]
    assert counts["skipped_tracks"] == 2
    rows = asdbench.open_run("out").predictions("clean")
    assert set(rows["video_id"]) == {HEARD, LATE, OTHER}
    assert len(rows.groupby(["video_id", "entity_id"])) == TRACKS[convention] - 2
    assert f"convention {convention}" in record(Path("out"))["data"]["notes"]
    assert cli("score", "out").exit_code == 0


def test_a_run_stops_at_a_clip_without_sound_and_names_it(cli: Cli, small: Path) -> None:  # noqa: F811
    result = cli("run", "--model", "additive", "--suite", "clean", "--data", small, "--out", "out", "--quiet")
    assert result.exit_code == 5
    assert result.err.startswith(f"error: {small / 'clips' / SILENT}.mp4: no audio stream")
    assert "Traceback" not in result.err


def test_an_unknown_convention_is_told_before_anything_is_read(cli: Cli, small: Path) -> None:  # noqa: F811
    result = cli("run", "--model", "additive", "--data", small, "--data-option", "convention=ava", "--quiet")
    assert result.exit_code == 2
    assert "the format ego4d has official and talknet" in result.err


@pytest.mark.parametrize("convention", ["official", "talknet"])
def test_prepared_and_direct_runs_are_the_same(cli: Cli, whole: Path, convention: str) -> None:  # noqa: F811
    """The same plan, the same media and the same scores, whether videos are decoded again or were prepared once."""
    option = ("--data-option", f"convention={convention}")
    result = cli("data", "prepare", whole, *option, "--out", "prepared", "--workers", 1, "--quiet")
    assert result.exit_code == 0, result.err
    for data, out in ((whole, "direct"), (Path("prepared"), "stored")):
        chosen = option if out == "direct" else ()
        result = cli(
            "run", "--model", "additive", "--suite", "unsync", "--data", data, *chosen, "--out", out, "--quiet"
        )
        assert result.exit_code == 0, result.err
    direct, stored = (asdbench.open_run(out) for out in ("direct", "stored"))
    assert direct.record["plan"]["sha256"] == stored.record["plan"]["sha256"]
    assert direct.record["data"]["media_digest"] == stored.record["data"]["media_digest"]
    assert direct.record["data"]["protocol"] == stored.record["data"]["protocol"] == "ego4d-ava"
    for condition in direct.conditions:
        pd.testing.assert_frame_equal(direct.predictions(condition), stored.predictions(condition))
    assert cli("score", "stored").exit_code == 0
