"""Run folders that earlier releases wrote stay readable, and their numbers stay their numbers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import asdbench
from asdbench import api
from asdbench.gate import gate
from asdbench.records.folder import SCHEMA_VERSION
from asdbench.records.older import NOT_COMPUTED, known_to, upgraded, upgraded_record
from tests.cli.conftest import Cli, cli  # noqa: F401

FIXTURES = Path(__file__).parent / "fixtures"
"""Real run folders, see the README there."""

NAMES = ("schema-1-first", "schema-1", "schema-2-first", "schema-2")


@pytest.fixture
def older(tmp_path: Path) -> Path:
    return _copy("schema-1", tmp_path)


def _copy(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(FIXTURES / name, folder / name))


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


@pytest.mark.parametrize("name", [NAMES[0], NAMES[-1]])
def test_everything_for_people_is_made_of_it(name: str, tmp_path: Path) -> None:
    run = api.report(_copy(name, tmp_path))
    assert (run.path / "report.html").stat().st_size > 10_000
    assert (run.path / "tables" / "robustness.md").is_file()
    assert run.conclusion
    assert list(run.table["condition"]) == ["clean", "mismatch@0.50", "resplice@1.00"]


@pytest.mark.parametrize("name", NAMES)
def test_its_figures_are_recomputed_and_equal(name: str, tmp_path: Path, cli: Cli) -> None:  # noqa: F811
    older = _copy(name, tmp_path)
    result = cli("score", older)
    assert result.exit_code == 0, result.err
    assert "equal to metrics.json" in result.err
    assert "which an earlier release wrote" in result.err
    path = older / "metrics.json"
    text = path.read_text()
    place = text.index('"fa_changed": ')
    path.write_text(text[:place] + '"fa_changed": 0.125,' + text[text.index("\n", place) :])
    result = cli("score", older)
    assert result.exit_code == 1
    assert "fa_changed" in result.err


def test_each_stands_for_a_schema() -> None:
    records = {name: json.loads((FIXTURES / name / "run.json").read_text()) for name in NAMES}
    assert {record["schema"] for record in records.values()} == set(range(1, SCHEMA_VERSION + 1))
    assert [name for name in NAMES if "incomplete_tracks" not in records[name]["counts"]] == ["schema-1-first"]


def test_runs_of_one_plan_are_compared_whatever_release_wrote_them(cli: Cli) -> None:  # noqa: F811
    for name in ("schema-1", "schema-2-first"):
        found = cli("compare", FIXTURES / name, FIXTURES / "schema-2", "--json").json
        differences = [each["figures"]["ava"]["difference"] for each in found["conditions"]]
        assert differences == [0.0, 0.0, 0.0], "one model on one set"
    refused = cli("compare", FIXTURES / "schema-1-first", FIXTURES / "schema-2")
    assert (refused.exit_code, "differ in plan" in refused.err) == (3, True)


def test_a_gate_reads_them_too() -> None:
    fine = gate(FIXTURES / "schema-2", FIXTURES / "schema-1", ["clean.ava:-1pt", "mismatch@0.50.fa_changed:+1pt"])
    assert (fine.state, fine.differing) == ("pass", ())
    other = gate(FIXTURES / "schema-2", FIXTURES / "schema-1-first")
    assert (other.state, other.exit_code) == ("not comparable", 3)
    assert "plan" in " ".join(other.differing)


def test_what_the_first_runs_lacked_is_filled_in() -> None:
    run = asdbench.open_run(FIXTURES / "schema-1-first")
    assert run.record["counts"]["incomplete_tracks"] == run.metrics["incomplete_tracks"] == 0
    assert "code_sha256" not in run.record["identity"]["model"]
    assert run.record["identity"]["model"]["fingerprint"] is None
    assert run.record["data"]["media_digest"] is None, "another recipe than that of today"
    assert asdbench.open_run(FIXTURES / "schema-2").record["data"]["media_digest"]


def test_a_record_of_today_is_left_alone() -> None:
    record = json.loads((FIXTURES / "schema-2" / "run.json").read_text())
    assert upgraded_record(record) == record
    assert upgraded_record({"schema": 2, "state": "running"}) == {"schema": 2, "state": "running"}


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
