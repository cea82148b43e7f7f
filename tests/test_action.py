"""The GitHub Action: its file is whole, and its shell lines do what they say."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Tree

import pytest

import asdbench
from asdbench.gate import parse_rule

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "action.yml").read_text(encoding="utf-8")
ACTION: dict[str, Any] = yaml.safe_load(TEXT)
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
BASH = shutil.which("bash")

SUITE = """
name = "tiny"
version = 1
seed = 5
summary = "the data as they are"
condition = [{ name = "clean", role = "reference" }]
"""


def step(name: str) -> dict[str, Any]:
    return next(each for each in STEPS if each["name"] == name)


def test_every_input_is_used_and_every_one_used_is_there() -> None:
    used = set(re.findall(r"inputs\.([a-z-]+)", TEXT))
    assert used == set(ACTION["inputs"])
    assert all(each["description"] for each in [*ACTION["inputs"].values(), *ACTION["outputs"].values()])
    assert [name for name, each in ACTION["inputs"].items() if each.get("required")] == ["baseline"]
    assert all("default" in each for name, each in ACTION["inputs"].items() if name != "baseline")
    assert ACTION["runs"]["using"] == "composite"


def test_every_output_comes_from_a_step_that_is_there() -> None:
    written = {each["id"]: set(re.findall(r"([a-z-]+)=%s", each["run"])) for each in STEPS if "id" in each}
    for name, output in ACTION["outputs"].items():
        for identifier, value in re.findall(r"steps\.([a-z]+)\.outputs\.([a-z-]+)", output["value"]):
            assert value in written[identifier], name


def test_no_input_becomes_a_part_of_a_shell_line() -> None:
    scripts = [each for each in STEPS if "run" in each]
    assert len(scripts) == 3
    for each in scripts:
        assert "${{" not in each["run"]
        assert each["shell"] == "bash"
        names = set(each["env"])
        assert names <= set(re.findall(r"\$\{?([A-Z_]+)", each["run"])), "a variable that nobody reads"
    # Of what is used as it is, nothing reaches a shell.
    assert all(set(each) <= {"name", "if", "uses", "with"} for each in STEPS if "uses" in each)


def test_the_report_is_kept_whatever_the_verdict() -> None:
    last = STEPS[-1]
    assert last["uses"].startswith("actions/upload-artifact@")
    assert last["if"].startswith("always()")


def test_the_workflow_of_the_page_uses_what_there_is() -> None:
    page = (ROOT / "docs" / "gates.md").read_text(encoding="utf-8")
    workflow = yaml.safe_load(re.findall(r"```yaml\n(name: robustness.*?)```", page, flags=re.DOTALL)[0])
    steps = workflow["jobs"]["gate"]["steps"]
    used = next(each for each in steps if each.get("uses", "").startswith("asdbench/asdbench@"))
    assert set(used["with"]) <= set(ACTION["inputs"])
    assert set(re.findall(r"steps\.gate\.outputs\.([a-z-]+)", str(steps))) <= set(ACTION["outputs"])
    for line in used["with"]["rules"].split():
        parse_rule(line)
    for name, each in ACTION["inputs"].items():
        assert re.search(rf"^\| `{name}` \| .* \| {re.escape(each['description'])} \|$", page, flags=re.M), name


@pytest.fixture(scope="module")
def run(fixture_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("action")
    (folder / "tiny.toml").write_text(SUITE)
    out = folder / "run"
    asdbench.run("additive", folder / "tiny.toml", fixture_root, out=out, audit="off", resamples="off", progress=False)
    return out


@pytest.fixture
def shell(tmp_path: Path) -> Any:
    """Run the shell lines of a step as GitHub does, and return exit code, outputs and what was printed."""
    if BASH is None:
        pytest.skip("there is no bash")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, line in {"asdbench": "-c 'from asdbench.cli.main import main; main()'", "python": ""}.items():
        (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {line} "$@"\n')
        (tools / name).chmod(stat.S_IRWXU)

    def call(name: str, **given: str) -> tuple[int, dict[str, str], str]:
        output, summary = tmp_path / "output", tmp_path / "summary.md"
        output.write_text("")
        variables = {
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary),
        }  # fmt: skip
        script = tmp_path / "script.sh"
        script.write_text(step(name)["run"])
        found = subprocess.run(
            [str(BASH), "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=tmp_path, env={**os.environ, **variables, **given}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return found.returncode, outputs, found.stdout + found.stderr

    return call


def gate(run: Path, **more: str) -> dict[str, str]:
    return {"RUN": str(run), "BASELINE": str(run), "RULES": "", "STRICT": "false", "REPORT": "a report", **more}


def test_a_finished_run_is_gated(shell: Any, run: Path, tmp_path: Path) -> None:
    code, outputs, _ = shell("Score", RUN=str(run), MODEL="auto", CHECKPOINT="", DATA="", SUITE="", REPORT="r")
    assert (code, outputs) == (0, {"run": str(run)})
    code, outputs, text = shell("Gate", **gate(run, RULES="clean.ap:-0.5pt\r\n\n  clean.fpr: +1pt\n", STRICT="true"))
    assert (code, outputs) == (0, {"verdict": "pass", "exit-code": "0"}), text
    assert "under any of 2 rules" in text
    assert len(Tree.parse(tmp_path / "a report" / "gate.xml").findall(".//testcase")) == 3
    assert (tmp_path / "summary.md").read_text().startswith("### asdbench gate\n")
    (tmp_path / "gate.toml").write_text('rules = ["clean.ap:-0.5pt"]\n')
    assert "under the one rule" in shell("Gate", **gate(run, RULES="gate.toml"))[2]


def test_a_failed_gate_fails_the_step(shell: Any, run: Path, tmp_path: Path) -> None:
    other = shutil.copytree(run, tmp_path / "other")
    record = (other / "run.json").read_text()
    (other / "run.json").write_text(record.replace('"plan_sha256": "', '"plan_sha256": "0'))
    code, outputs, text = shell("Gate", **gate(other, BASELINE=str(run)))
    assert (code, outputs) == (3, {"verdict": "not comparable", "exit-code": "3"})
    assert "\n::error title=asdbench gate::NOT COMPARABLE: additive" in f"\n{text}"
    code, outputs, _ = shell("Gate", **gate(other, BASELINE="nothing"))  # in the folder of the verdict before
    assert (code, outputs) == (5, {"verdict": "error", "exit-code": "5"})


def test_hostile_inputs_are_no_code(shell: Any, run: Path, tmp_path: Path) -> None:
    hostile = "$(touch owned); `touch owned`\n'; touch owned; '"
    for given, expected in (({"RULES": hostile}, 2), ({"BASELINE": hostile}, 5), ({"RUN": hostile}, 5)):
        code, outputs, _ = shell("Gate", **gate(run, **given))
        assert (code, outputs["verdict"]) == (expected, "error")
    assert shell("Score", RUN=f"{run}\nverdict=pass", MODEL="", CHECKPOINT="", DATA="", SUITE="", REPORT="")[1] == {
        "run": f"{run}verdict=pass"
    }
    assert not (tmp_path / "owned").exists()


def test_a_checkpoint_is_scored_first(shell: Any, fixture_root: Path, run: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(SUITE)
    # No checkpoint of the shipped ones fits the fixture, so what is tested is what is called.
    (tmp_path / "tools" / "asdbench").write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    given = {"RUN": "", "MODEL": "auto", "DATA": str(fixture_root), "SUITE": "tiny.toml", "REPORT": "a report"}
    code, outputs, text = shell("Score", CHECKPOINT="my file.model", **given)
    assert (code, outputs) == (0, {"run": "a report/run"})
    flags = f"--model|auto|--checkpoint|my file.model|--data|{fixture_root}|--suite|tiny.toml|--out|a report/run"
    assert text == f"run|{flags}|--quiet|"
    code, outputs, text = shell("Score", CHECKPOINT="", **given)
    assert (code, outputs) == (2, {})
    assert "name a run, or a checkpoint to score" in text
