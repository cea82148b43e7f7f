"""A run folder that an earlier release wrote stays readable, and its numbers stay its numbers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import asdbench
from asdbench import api
from asdbench.records.older import NOT_COMPUTED, known_to, upgraded
from tests.cli.conftest import Cli, cli  # noqa: F401

FOLDER = Path(__file__).parent / "schema1"
"""Written by the release before schema 2: additive on the fixture under a suite of three conditions."""


@pytest.fixture
def older(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "older"))


def test_it_opens_with_its_numbers_under_their_names_of_today(older: Path) -> None:
    written = json.loads((older / "metrics.json").read_text())
    run = asdbench.open_run(older)
    assert run.record["schema"] == 1
    for before, after in zip(written["conditions"], run.metrics["conditions"], strict=True):
        old, new = before["metrics"], after["metrics"]
        assert (new["ava"], new["ava_best"]) == (old["ap_tie_safe"], old["ap_best"])
        assert new["ava_rescaled"] == old["ap_rescaled"]
        assert new["ap"] == new["ap_rescaled"] == NOT_COMPUTED
        assert new["at"] == old["at"]
        assert not {"ap_tie_safe", "ap_best"} & set(new)


def test_everything_for_people_is_made_of_it(older: Path) -> None:
    run = api.report(older)
    assert (older / "report.md").read_text(encoding="utf-8")
    assert (older / "tables" / "robustness.md").is_file()
    assert run.conclusion
    assert list(run.table["condition"]) == ["clean", "mismatch@0.50", "resplice@1.00"]


def test_its_figures_are_recomputed_and_equal(older: Path, cli: Cli) -> None:  # noqa: F811
    result = cli("score", older)
    assert result.exit_code == 0, result.err
    assert "equal to metrics.json" in result.err
    path = older / "metrics.json"
    path.write_text(path.read_text().replace('"fa_changed": 0.9', '"fa_changed": 0.8', 1))
    result = cli("score", older)
    assert result.exit_code == 1
    assert "DIFFERS" in result.err


def test_what_came_later_is_computed_from_its_rows(older: Path) -> None:
    run = asdbench.score(older)
    clean = run.metrics["conditions"][0]["metrics"]
    assert 0.5 < clean["ap"] < clean["ava"], "without the envelope AP is lower"
    assert run.read("clean").voiced is None


def test_numbers_of_today_are_left_alone() -> None:
    metrics = {"conditions": [{"metrics": {"ap": 0.5, "ava": 0.4}}]}
    assert upgraded(metrics, 2) == metrics


def test_only_what_both_know_is_compared() -> None:
    old = {"a": 1, "b": [{"x": 1}, NOT_COMPUTED], "gone": 2}
    new = {"a": 1, "b": [{"x": 2, "y": 3}, 4], "c": 5}
    assert known_to(old, new) == {"a": 1, "b": [{"x": 2}, NOT_COMPUTED]}
