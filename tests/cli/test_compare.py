"""``asdbench compare`` and ``asdbench run --plan-seeds``, from end to end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import asdbench
from tests.cli.conftest import Cli

SUITE = """
name = "small"
version = 1
seed = 5
summary = "little to score"

[[condition]]
name = "clean"
role = "reference"

[[condition]]
name = "mismatch@{proportion:.2f}"
perturbation = "mismatch"
labels = "negative"
each = { proportion = [0.5, 1.0] }

[[condition]]
name = "misalign@1.00"
perturbation = "misalign"
labels = "negative"
"""
OUT = ("additive", "deaf")


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("suites") / "small.toml"
    path.write_text(SUITE)
    return path


@pytest.fixture(scope="module")
def runs(fixture_root: Path, suite: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two calibration models under the same plan, one of them under two more."""
    folders = [tmp_path_factory.mktemp("runs") / name for name in OUT]
    for path, plans in zip(folders, (None, 3), strict=True):
        asdbench.run(
            path.name, suite, fixture_root, out=path, audit="off", resamples=100, plan_seeds=plans, progress=False
        )
    return folders[0], folders[1]


def test_compare(cli: Cli, runs: tuple[Path, Path]) -> None:
    result = cli("compare", *runs, "--out", "there")
    assert result.exit_code == 0
    assert "deaf compared with additive: clean AP" in result.out
    assert "retention under misalign@1.00" in result.out
    assert "indicative only" in result.out
    found = sorted(path.suffix[1:] for path in Path("there").iterdir())
    assert found == ["csv", "html", "json", "md", "pdf", "png", "svg", "tex"]
    found = cli("compare", *runs, "--json").json
    assert found == json.loads(Path("there/comparison.json").read_text())
    misaligned = next(c for c in found["conditions"] if c["name"] == "misalign@1.00")
    retention = misaligned["figures"]["at"]["tpr:0.9"]["retention"]
    assert (retention["new"], retention["better"]) == (1.0, "lower")
    assert misaligned["figures"]["sync_auroc"]["new"] == 0.5
    assert not any("~" in c["name"] for c in found["conditions"])


def test_the_page_alone(cli: Cli, runs: tuple[Path, Path]) -> None:
    assert cli("compare", *runs, "--html").exit_code == 0
    assert cli("compare", *runs, "--html", "pages/one.html", "--json").exit_code == 0
    page = Path("comparison.html").read_text(encoding="utf-8")
    assert page == Path("pages/one.html").read_text(encoding="utf-8")
    assert "deaf compared with additive" in page
    assert sorted(path.name for path in Path().iterdir()) == ["comparison.html", "pages"]


def test_a_run_is_not_separable_from_itself(cli: Cli, runs: tuple[Path, Path]) -> None:
    found = cli("compare", runs[0], runs[0], "--json").json
    records = [
        record
        for c in found["conditions"]
        for tree in ({**c["figures"], "at": {}}, *c["figures"]["at"].values())
        for name, record in tree.items()
        if name != "at" and not isinstance(record["difference"], dict)
    ]
    assert len(records) > 40
    assert {record["difference"] for record in records} == {0}
    assert {record["verdict"] for record in records} <= {"not separable", None}


def test_runs_that_do_not_fit_together(cli: Cli, runs: tuple[Path, Path]) -> None:
    record = json.loads((runs[1] / "run.json").read_text())
    record["identity"]["plan_sha256"] = "another"
    other = Path(shutil.copytree(runs[1], "other"))
    (other / "run.json").write_text(json.dumps(record))
    result = cli("compare", runs[0], other)
    assert result.exit_code == 3
    assert "differ in plan" in result.err
    assert cli("compare", runs[0], "nothing").exit_code == 5
    assert cli("compare", runs[0]).exit_code == 2


def test_further_plans_of_a_run(cli: Cli, fixture_root: Path, suite: Path, runs: tuple[Path, Path]) -> None:
    run = asdbench.open_run(runs[1])
    section = run.metrics["plan_seeds"]
    assert {c["plans"] for c in section["conditions"]} == {3}
    assert [c["name"] for c in section["conditions"]] == [c["name"] for c in run.metrics["conditions"][1:]]
    for condition in section["conditions"]:
        # Whatever the plan, what cannot hear does not react.
        assert condition["figures"]["sync_auroc"] == {
            "values": [0.5, 0.5, 0.5], "min": 0.5, "max": 0.5, "mean": 0.5, "sd": 0.0
        }  # fmt: skip
    assert set(run.table["condition"]) == {c["name"] for c in run.metrics["conditions"]}
    again = run.predictions("mismatch@0.50~2")
    assert list(again.changed) != list(run.predictions("mismatch@0.50").changed)
    assert "under other plans" in (run.path / "report.md").read_text()
    assert cli("score", run.path).exit_code == 0
    identity = json.loads((run.path / "run.json").read_text())["identity"]
    other = json.loads((runs[0] / "run.json").read_text())["identity"]
    assert identity["plan_seeds"] == 3
    assert "plan_seeds" not in other
    assert identity["plan_sha256"] == other["plan_sha256"]
    refused = cli("run", "--model", "deaf", "--suite", suite, "--data", fixture_root, "--out", run.path)
    assert refused.exit_code == 3
    assert "plan_seeds" in refused.err
