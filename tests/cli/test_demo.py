from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import asdbench
from tests.cli.conftest import Cli
from tests.standin import NAMES

pytestmark = pytest.mark.usefixtures("standin")


def test_the_demo_compares_both_checkpoints(cli: Cli):
    result = cli("demo", "--out", "here")
    assert result.exit_code == 0
    found = json.loads(Path("here/contrast.json").read_text())
    assert list(found["runs"]) == list(NAMES)
    assert all(
        Path(path, "report.md").is_file() and Path(path).parent == Path("here") for path in found["runs"].values()
    )
    for extension in ("md", "csv", "png", "svg"):
        assert Path(f"here/contrast.{extension}").stat().st_size > 100
    assert found["conclusion"] in result.out
    assert str(Path("here/contrast.md")) in result.out
    assert "planning unsync@1" in result.err
    table = pd.read_csv("here/contrast.csv").set_index("condition")
    for name, path in found["runs"].items():
        run = asdbench.open_run(path)
        assert run.model == name
        for condition, key in (("mismatch@0.50", "retention"), ("clean", "ava")):
            # Older pandas reads the last digit of a CSV inexactly.
            wanted = pytest.approx(run.table.set_index("condition").loc[condition, key], rel=1e-14)
            assert table.loc[condition, f"{name}.{key}"] == wanted


def test_the_same_command_finds_its_runs_and_writes_the_same(cli: Cli):
    first = cli("demo", "--suite", "clean", "--json", "--quiet")
    files = [path for path in Path("runs/demo-clean").iterdir() if path.is_file()]
    before = {path.name: path.read_bytes() for path in files}
    assert len(before) == 6
    for path in files:
        path.unlink()
    second = cli("demo", "--suite", "clean", "--json")
    assert second.json == first.json == json.loads(Path("runs/demo-clean/contrast.json").read_text())
    assert first.err == ""
    assert second.err.count("this run is complete") == 2
    assert {name: Path("runs/demo-clean", name).read_bytes() for name in before} == before


def test_a_limit_makes_other_runs_in_the_same_folder(cli: Cli):
    assert cli("demo", "--suite", "clean", "--out", "here", "--limit", 4).exit_code == 0
    assert cli("demo", "--suite", "clean", "--out", "here").exit_code == 0
    assert len([path for path in Path("here").iterdir() if path.is_dir()]) == 4


def test_settings_of_the_user_do_not_enter_the_demo(cli: Cli, monkeypatch: pytest.MonkeyPatch):
    Path("asdbench.toml").write_text('[run]\nmodel = "deaf"\ndata = "nowhere"\nlimit = 3\n')
    monkeypatch.setenv("ASDBENCH_SEED", "1")
    Path("demo-val").mkdir()
    Path(NAMES[1]).write_bytes(b"not the shipped one")
    result = cli("demo", "--suite", "clean", "--json")
    assert list(result.json["runs"]) == list(NAMES)
    assert result.json["warnings"] == []


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [(("--suite", "unsnc"), 2, "did you mean unsync"), (("--limit", "0"), 2, "expected at least 1 track")],
)
def test_mistakes(cli: Cli, arguments: tuple[str, ...], exit_code: int, words: str):
    result = cli("demo", *arguments)
    assert result.exit_code == exit_code
    assert words in result.err
    assert not Path("runs").exists()
