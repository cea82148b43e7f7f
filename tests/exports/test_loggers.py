"""Runs in experiment loggers: for real in MLflow's own store and in W&B's offline files, in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from asdbench.errors import MissingDependencyError, ResourceError, UnknownNameError
from asdbench.exports import LOGGERS, headline_figures, log_run, require_loggers
from asdbench.exports.mlflow_log import metric_names
from asdbench.exports.summary import Summary, summarise
from asdbench.report.run import Run
from asdbench.suites import load_suite
from tests.exports.conftest import FIXTURES, Cli

READER = Path(__file__).parent / "wandb_file.py"
CLEAN = """
name = "one"
version = 1
seed = 1
summary = "Nothing changed"

[[condition]]
name = "clean"
role = "reference"
"""
MAIN = "import sys; from asdbench.cli.main import main; sys.exit(main())"


def export(run: Path, name: str, folder: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Log a run from a process of its own, as users do."""
    arguments = [sys.executable, "-c", MAIN, "export", str(run), "--log", name]
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "WANDB_"))}
    return subprocess.run(
        arguments, cwd=folder, env=kept | dict(variables), capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder with some of what is logged, and with what is not."""
    folder = Path(shutil.copytree(FIXTURES / "schema-2", tmp_path / "run"))
    for name in ("tables/robustness.csv", "plots/scores.svg", "report.html", "gallery/face.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_mlflow(run: Path, finished: Run, tmp_path: Path) -> None:
    pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
    store = tmp_path / "mlflow.db"
    variables = {"MLFLOW_TRACKING_URI": f"sqlite:///{store}"}
    for _ in range(2):
        result = export(run, "mlflow", tmp_path, variables)
        assert result.returncode == 0, result.stderr
        assert "logged to mlflow, experiment 'asdbench'" in result.stderr
    with sqlite3.connect(store) as database:

        def rows(query: str) -> list[Any]:
            return database.execute(query).fetchall()

        ((run_id, status, name, artifacts),) = rows("select run_uuid, status, name, artifact_uri from runs")
        metrics = dict(rows("select key, value from latest_metrics"))
        params, tags = dict(rows("select key, value from params")), dict(rows("select key, value from tags"))
    database.close()
    assert run_id in result.stderr
    assert (status, name) == ("FINISHED", "additive few@1 data-val"), "logged twice, and there once"
    assert metrics == metric_names(summarise(finished).metrics)
    assert metrics["mismatch_0.50/retention"] == pytest.approx(retention(finished))
    assert (params["model"], params["suite"], params["protocol"]) == ("additive", "few@1", "ava")
    assert tags["asdbench.plan_sha256"] == finished.record["identity"]["plan_sha256"]
    assert tags["mlflow.note.content"] == finished.conclusion
    folder = Path(artifacts.removeprefix("file://"))
    there = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert there == ["metrics.json", "plots/scores.svg", "report.html", "tables/robustness.csv"]


def test_wandb(run: Path, finished: Run, tmp_path: Path) -> None:
    pytest.importorskip("wandb", reason="the extra wandb is not installed")
    result = export(
        run, "wandb", tmp_path, {"WANDB_MODE": "offline", "WANDB_DIR": str(tmp_path), "HOME": str(tmp_path)}
    )
    assert result.returncode == 0, result.stderr
    (path,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    assert str(path.parent) in result.stderr
    read = subprocess.run([sys.executable, READER, path], capture_output=True, text=True, check=True)
    found = json.loads(read.stdout)
    assert (found["project"], found["name"]) == ("asdbench", "additive few@1 data-val")
    assert found["id"] == finished.record["fingerprint"][:32]
    summary = summarise(finished)
    assert {key: found["summary"][key] for key in summary.metrics} == summary.metrics
    assert found["config"].items() >= {**summary.parameters, **summary.tags}.items()
    assert set(found["files"]) == {"metrics.json", "plots/scores.svg", "report.html", "tables/robustness.csv"}


def retention(run: Run) -> float:
    (found,) = (e.value for e in headline_figures(run) if (e.condition, e.figure) == ("mismatch@0.50", "retention"))
    assert found is not None
    return found


def test_a_summary_holds_figures_hashes_and_no_path(run: Path, finished: Run) -> None:
    record = {**finished.record, "model": {**finished.record["model"], "checkpoint": "/home/somebody/a.model"}}
    found = summarise(replace(finished, record=record, path=run))
    assert found.metrics["clean/ava_low"] < found.metrics["clean/ava"] < found.metrics["clean/ava_high"]
    assert "clean/retention" not in found.metrics
    assert "somebody" not in json.dumps([found.parameters, found.tags, found.note, found.name])
    assert {path.name for path in found.artifacts} == {"report.html", "metrics.json", "tables", "plots"}
    assert all(isinstance(value, str) for value in (*found.parameters.values(), *found.tags.values()))


@pytest.mark.parametrize("suite", ["full", "modality", "sync-curve", "unsync"])
def test_mlflow_takes_every_name_of_the_suites(suite: str) -> None:
    names = [condition.name for condition in load_suite(suite).conditions]
    found = metric_names(dict.fromkeys(names, 0.0))
    assert len(found) == len(names)
    assert all(
        set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./ ") for name in found
    )


def test_names_that_fall_together_are_numbered() -> None:
    assert metric_names({"a@1": 1.0, "a#1": 2.0, "a_1": 3.0}) == {"a_1": 1.0, "a_1_2": 2.0, "a_1_3": 3.0}


def test_loggers_that_are_not_there(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match="mlflow"):
        require_loggers(["mlfow"])
    monkeypatch.setattr("asdbench.exports.loggers.find_spec", lambda _: None)
    for name in LOGGERS:
        with pytest.raises(MissingDependencyError, match=rf"pip install 'asdbench\[{name}\]'"):
            require_loggers([name])
    refused = cli("run", "--limit", "1", "--log", "wandb")
    assert (refused.exit_code, "pip install" in refused.err) == (7, True), "before anything is scored"
    assert not Path("runs").exists()
    assert cli("export", FIXTURES / "schema-2", "--log", "mlflow").exit_code == 7
    assert cli("run", "--log", "tensorbord").exit_code == 2


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A logger whose server is not to be reached."""

    def refuse(summary: Summary) -> str:
        raise ConnectionError("no route to host\nand a page of details")

    monkeypatch.setattr("asdbench.exports.loggers.require_loggers", lambda names: None)
    monkeypatch.setattr("asdbench.exports.require_loggers", lambda names: None)
    monkeypatch.setattr("asdbench.exports.mlflow_log.log", refuse)


@pytest.mark.usefixtures("failing")
def test_a_failure_is_one_sentence(finished: Run, cli: Cli) -> None:
    with pytest.raises(ResourceError, match=r"ConnectionError: no route to host\); the run itself is whole"):
        log_run(finished, "mlflow")
    result = cli("export", FIXTURES / "schema-2", FIXTURES / "schema-1", "--log", "mlflow")
    assert result.exit_code == 8
    assert result.err.count("no route to host") == 2
    assert "details" not in result.err


def quick(data: Path) -> tuple[object, ...]:
    """Return what runs in a second, in the current folder."""
    suite = Path("clean.toml")
    suite.write_text(CLEAN)
    options = ("--audit", "off", "--resamples", "off", "--out", "run")
    return ("run", "--model", "additive", "--suite", suite, "--data", data, *options)


@pytest.mark.usefixtures("failing")
def test_a_failure_after_a_run_is_a_warning(fixture_root: Path, cli: Cli) -> None:
    result = cli(*quick(fixture_root), "--log", "mlflow", "--quiet")
    assert result.exit_code == 0
    assert "warning: mlflow did not take the run (ConnectionError" in result.err
    assert "asdbench export run --log mlflow tries again" in result.err
    assert json.loads(Path("run/run.json").read_text())["state"] == "complete"


def test_a_run_is_logged_when_it_is_finished(fixture_root: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Summary] = []

    def take(summary: Summary) -> str:
        seen.append(summary)
        return "here"

    monkeypatch.setattr("asdbench.exports.loggers.require_loggers", lambda names: None)
    monkeypatch.setattr("asdbench.exports.require_loggers", lambda names: None)
    monkeypatch.setattr("asdbench.exports.wandb_log.log", take)
    result = cli(*quick(fixture_root), "--log", "wandb", "--log", "wandb", "--json")
    assert result.exit_code == 0
    assert result.json["run"] == "run"
    assert result.err.count("logged to wandb, here") == len(seen) == 1
    assert set(seen[0].metrics) == {"clean/ava", "clean/ap", "clean/tpr", "clean/fpr"}
