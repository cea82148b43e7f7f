"""``asdbench data prepare``, ``verify`` and ``info`` as they are called."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.data.good import write_good


@pytest.fixture(scope="module")
def good_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_good(tmp_path_factory.mktemp("good") / "good")


@pytest.fixture
def good(good_root: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good_root, tmp_path / "good"))


def test_prepare_then_everything_else(cli: Cli, good_root: Path) -> None:
    done = cli("data", "prepare", good_root, "--out", "out", "--workers", 1)
    assert done.exit_code == 0, done.err
    assert done.out.startswith("out: 4 tracks, 140 face crops of 3 clips, ")
    assert "next: asdbench run --data out --format ava --split val" in done.err
    again = cli("data", "prepare", good_root, "--out", "out", "--quiet", "--json")
    assert again.err == ""
    assert again.json["counts"]["tracks"] == 4
    assert cli("data", "verify", "out", "--quiet").out == "4 tracks, 140 face crops read: 0 error(s), 0 warning(s)\n"
    assert cli("data", "info", "out").exit_code == 0


def test_prepare_takes_splits_limits_and_formats(cli: Cli, good_root: Path) -> None:
    done = cli(
        "data", "prepare", good_root, "--out", "out", "--split", "train", "--limit", 2, "--faces", "jpg",
        "--workers", 1, "--format", "folder", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.err
    assert done.json["counts"]["tracks"] == 2
    assert Path("out/csv/train_orig.csv").exists()
    assert cli("data", "info", "out", "--split", "train", "--json").json["tracks"] == 2


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("data", "prepare", "GOOD"), 2, "--out"),
        (("data", "prepare", "nowhere", "--out", "out"), 5, "nowhere: no such folder"),
        (("data", "prepare", "GOOD", "--out", "GOOD"), 2, "was not written by data prepare"),
        (("data", "prepare", "GOOD", "--out", "out", "--format", "fodler"), 2, "did you mean"),
        (("data", "prepare", "GOOD", "--out", "out", "--data-option", "a=b"), 2, "has no option 'a'"),
        (("data", "prepare", "GOOD", "--out", "out", "--workers", "0"), 2, "--workers"),
        (("data", "verify", "nowhere"), 5, "nowhere: no such folder"),
        (("data", "info", "nowhere"), 5, "nowhere: no such folder"),
        (("data", "verify", "GOOD", "--format", "fodler"), 2, "did you mean"),
    ],
)
def test_mistakes_are_one_sentence(
    cli: Cli, good_root: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    result = cli(*(str(good_root) if argument == "GOOD" else argument for argument in arguments))
    assert result.exit_code == code
    assert message in result.err
    assert "Traceback" not in result.err


def test_prepare_skips_and_counts(cli: Cli, good: Path) -> None:
    (good / "videos/one.mp4").unlink()
    stopped = cli("data", "prepare", good, "--out", "out", "--workers", 1)
    assert stopped.exit_code == 5
    assert "one.mp4: the file is missing" in stopped.err
    skipped = cli("data", "prepare", good, "--out", "out", "--workers", 1, "--on-error", "skip", "--json")
    assert skipped.exit_code == 0
    assert "left out: 2 track(s)" in skipped.err
    assert [row["entity_id"] for row in skipped.json["skipped"]] == ["one:a", "one:b"]


def test_verify_finds_and_says_so_with_its_exit_code(cli: Cli, good: Path, tmp_path: Path) -> None:
    (good / "videos/one.mp4").unlink()
    report = tmp_path / "problems.csv"
    found = cli("data", "verify", good, "--report", report, "--workers", 1, "--examples", 1)
    assert found.exit_code == 5
    assert "error    missing" in found.out
    assert "[one/one:a] " in found.out
    assert "... and 1 more" in found.out
    assert "4 tracks, 78 face crops read: 2 error(s), 0 warning(s)" in found.out
    with report.open(encoding="utf-8") as file:
        assert [row["entity_id"] for row in csv.DictReader(file)] == ["one:a", "one:b"]
    machine = cli("data", "verify", good, "--json", "--workers", 1)
    assert machine.exit_code == 5
    assert [kind["kind"] for kind in machine.json["problems"]] == ["missing"]


def test_warnings_alone_are_no_failure(cli: Cli, good: Path) -> None:
    rows = (good / "labels.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (good / "labels.csv").write_text("".join(rows[:10] + rows[14:]), encoding="utf-8")
    found = cli("data", "verify", good, "--workers", 1)
    assert found.exit_code == 0
    assert "warning  gap in time" in found.out


def test_what_the_reader_refuses_is_a_row_of_the_table(cli: Cli, good: Path) -> None:
    text = (good / "labels.csv").read_text(encoding="utf-8")
    (good / "labels.csv").write_text(text.replace("NOT_SPEAKING", "SILENT"), encoding="utf-8")
    found = cli("data", "verify", good)
    assert found.exit_code == 5
    assert "error    refused" in found.out
    assert "error    unknown label" in found.out
    assert "labels.csv, line 2: the label 'SILENT'" in found.out


def test_info(cli: Cli, good_root: Path) -> None:
    shown = cli("data", "info", good_root)
    assert "speaking         80 (base rate 72.7%)" in shown.out
    assert "faces per frame  " in shown.out
    facts = cli("data", "info", good_root, "--json").json
    assert facts["base_rate"] == pytest.approx(80 / 110)
    assert json.dumps(facts)


def test_info_of_the_shipped_data(cli: Cli) -> None:
    facts = cli("data", "info", "demo-val", "--json").json
    assert (facts["tracks"], facts["dubbed_tracks"], facts["eligible_runs"]) == (72, 11, 54)
