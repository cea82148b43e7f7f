"""``asdbench report --gallery``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.gallery.made import make_run


@pytest.fixture(scope="module")
def run(fixture_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(fixture_root, tmp_path_factory.mktemp("run"), short=True).path


def test_report_writes_a_gallery_and_nothing_else(cli: Cli, run: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    out = tmp_path / "seen"
    found = cli("report", run, "--gallery", out, "--condition", "mismatch@1.00", "--worst", 1, "--json")
    assert found.exit_code == 0, found.err
    assert found.json[0]["model"]["name"] == "additive"
    last = found.err.splitlines()[-1]
    assert last.startswith(f"gallery: {out / 'gallery.html'} (errors: 1, clips: 2). ")
    assert last.endswith("Do not publish.")
    assert len(list((out / "clips").iterdir())) == 2
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--worst", "2"], 2, "add --gallery"),
        (["--gallery", "--data", "nowhere"], 5, "say where it is with --data FOLDER"),
        (["--gallery", "--condition", "mismach@1.00"], 2, "did you mean mismatch@1.00"),
        (["--gallery", "--worst", "0"], 2, "expected 1 to 100"),
    ],
)
def test_report_says_what_is_wrong(cli: Cli, run: Path, arguments: list[str], code: int, words: str) -> None:
    found = cli("report", run, *arguments)
    assert found.exit_code == code
    assert words in found.err
    assert not run.with_name("run.gallery-do-not-publish").exists()


def test_a_run_is_not_taken_for_the_folder(cli: Cli, run: Path) -> None:
    found = cli("report", run, "--gallery", run)
    assert found.exit_code == 2
    assert "lies in the run folder" in found.err
    assert cli("report", run, run, "--gallery", "x").exit_code == 2
