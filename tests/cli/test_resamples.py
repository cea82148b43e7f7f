"""``--resamples``: what the intervals of a run rest on, and how that is changed without scoring again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def run(cli: Cli, fixture_root: Path) -> list[object]:
    call = ["run", "--suite", "clean", "--model", "additive", "--data", fixture_root, "--out", "here", "--quiet"]
    assert cli(*call, "--resamples", 200).exit_code == 0
    return call


def metrics() -> Any:
    return json.loads(Path("here/metrics.json").read_text())


def ends() -> tuple[float, float]:
    found = metrics()["conditions"][0]["intervals"]["ava"]
    return found["low"], found["high"]


def test_a_run_keeps_its_number_of_resamples(cli: Cli, run: list[object]) -> None:
    assert metrics()["units"]["resamples"] == 200
    assert cli("score", "here", "--json").json["equals_record"] is True
    assert cli(*run).exit_code == 0  # the same command without the flag changes nothing
    assert metrics()["units"]["resamples"] == 200


def test_another_number_leaves_the_scores_alone(cli: Cli, run: list[object]) -> None:
    files = [*Path("here/predictions").iterdir(), Path("here/run.json")]
    before, few = [path.read_bytes() for path in files], ends()
    assert cli(*run, "--resamples", 300).exit_code == 0
    assert metrics()["units"]["resamples"] == 300
    assert ends() != few
    assert cli("report", "here", "--resamples", 200).exit_code == 0
    assert (metrics()["units"]["resamples"], ends()) == (200, few)
    assert [path.read_bytes() for path in files] == before


def test_off_means_no_interval_and_says_so(cli: Cli, run: list[object]) -> None:
    assert cli("report", "here", "--resamples", "off").exit_code == 0
    assert metrics()["conditions"][0]["intervals"] == {}
    assert metrics()["units"]["status"] == "none"
    assert "--resamples off" in metrics()["units"]["reason"]
    assert cli("score", "here", "--json").json["equals_record"] is True


def test_figures_on_other_resamples_are_shown_but_not_compared(cli: Cli, run: list[object]) -> None:
    result = cli("score", "here", "--resamples", 100)
    assert result.exit_code == 0
    assert "with 100 resamples; metrics.json has 200, so not compared" in result.err
    assert cli("score", "here", "--resamples", 100, "--json").json["equals_record"] is None
    assert metrics()["units"]["resamples"] == 200


def test_wrong_numbers(cli: Cli, run: list[object]) -> None:
    for call in (run, ["score", "here"], ["report", "here"]):
        for wrong, shown in (("99", "99"), ("many", "'many'"), ("-1", "'-1'")):
            result = cli(*call, "--resamples", wrong)
            assert result.exit_code == 2
            assert f"resamples = {shown}" in result.err
