from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

ARGUMENTS = ("--out", "set", "--workers", 1, "--limit", 4)


@pytest.fixture
def made(cli: Cli, fixture_root: Path) -> Path:
    """A small set, and the predictions of a model for it."""
    assert cli("data", "materialize", "--suite", "unsync", "--data", fixture_root, *ARGUMENTS).exit_code == 0
    run = ("run", "--suite", "unsync", "--model", "additive", "--data", fixture_root, "--limit", 4, "--out", "there")
    assert cli(*run).exit_code == 0
    return Path("set")


def test_what_was_written_is_said(cli: Cli, fixture_root: Path):
    result = cli("data", "materialize", "--suite", "unsync", "--data", fixture_root, *ARGUMENTS)
    assert result.exit_code == 0
    assert "set: 10 conditions of 4 tracks" in result.out
    assert "writing set" in result.err
    again = cli("data", "materialize", "--suite", "unsync", "--data", fixture_root, *ARGUMENTS, "--json")
    assert "complete" in again.err
    assert again.json["counts"]["tracks"] == 4
    assert again.json["conditions"]["clean"]["folder"] == "clean"


def test_there_and_back(cli: Cli, made: Path):
    result = cli(
        "score", made, "--predictions", "there/predictions", "--scores", "logit", "--name", "mine", "--out", "b"
    )
    assert result.exit_code == 0
    assert "mine" in result.out
    assert json.loads(Path("b/metrics.json").read_text()) == json.loads(Path("there/metrics.json").read_text())
    assert cli("score", "b").exit_code == 0
    assert cli("report", "b").exit_code == 0
    as_json = cli("score", made, "--predictions", "there", "--scores", "logit", "--json")
    assert as_json.json["model"]["name"] == "given"
    assert as_json.json["run"].startswith("runs/given-unsync-")


def test_a_condition_can_be_run_as_a_data_set(cli: Cli, made: Path):
    result = cli("run", "--suite", "clean", "--model", "additive", "--data", made / "misalign@0.50", "--out", "one")
    assert result.exit_code == 0, result.err


def test_wrong_calls(cli: Cli, made: Path):
    for arguments, code, message in (
        ((made,), 2, "add --predictions"),
        ((made, "--predictions", "there"), 2, "--scores is missing: say logit"),
        (("there", "--scores", "logit"), 2, "belong to --predictions"),
        (("there", "--predictions", "there", "--scores", "logit"), 5, "not a materialised set"),
        ((made, "--predictions", "nowhere", "--scores", "logit"), 5, "nowhere: no such file"),
        ((made, "--predictions", "there", "--scores", "probability"), 5, "is no probability"),
    ):
        result = cli("score", *arguments)
        assert (result.exit_code, result.out) == (code, "")
        assert message in result.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--condition", "mismatch@0.5"), 2, "mismatch@0.50"),
        (("--suite", "unsnc"), 2, "unsync"),
        (("--data-option", "crop"), 2, "name=value"),
        (("--split", "none"), 5, "none_orig.csv"),
    ],
)
def test_wrong_orders(cli: Cli, fixture_root: Path, arguments: tuple[str, ...], code: int, message: str):
    result = cli("data", "materialize", "--data", fixture_root, "--out", "set", *arguments)
    assert (result.exit_code, result.out) == (code, "")
    assert message in result.err
    assert not Path("set").exists()
