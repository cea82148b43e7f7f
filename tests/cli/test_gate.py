"""``asdbench gate``, from end to end: exit codes, files, and where it stops."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Tree

import numpy as np
import pytest

import asdbench
from asdbench.records.predictions import predictions_path, read_predictions, write_predictions
from tests.cli.conftest import Cli, Result

SUITE = """
name = "small"
version = 1
seed = 5
summary = "little to score"

[[condition]]
name = "clean"
role = "reference"

[[condition]]
name = "misalign@1.00"
perturbation = "misalign"
labels = "negative"
"""
RULES = ("clean.ap:-0.5pt", "misalign@1.00.fa_changed:+1pt")


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs these tests."""
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def base(fixture_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gate")
    (folder / "small.toml").write_text(SUITE)
    asdbench.run(
        "additive",
        folder / "small.toml",
        fixture_root,
        out=folder / "base",
        audit="off",
        resamples="off",
        progress=False,
    )
    return folder / "base"


def rescored(base: Path, name: str, condition: str = "clean", factor: float = 1, shift: float = 0) -> Path:
    """Return a copy of a run with other scores under a condition."""
    copy = Path(shutil.copytree(base, name))
    path = predictions_path(copy, condition)
    rows = read_predictions(path)
    write_predictions(path, replace(rows, score=(factor * rows.score + shift).astype(np.float32)))
    return copy


def worse_than(base: Path) -> Path:
    """Return a run that says speaking wherever the sound does not belong to the lips."""
    return rescored(base, "worse", "misalign@1.00", shift=20)


def gate(cli: Cli, run: object, base: Path, *more: object) -> Result:
    rules = [part for rule in RULES for part in ("--rule", rule)]
    return cli("gate", run, "--baseline", base, *rules, *more)


def agree(code: int, state: str) -> None:
    """Require that the three files of the folder say the same."""
    record = json.loads(Path("out/gate.json").read_text())
    assert (record["exit_code"], record["state"]) == (code, state)
    suite = Tree.parse("out/gate.xml").getroot()
    assert (suite.attrib["failures"] != "0" or suite.attrib["errors"] != "0") == (code != 0)
    assert f"Exit code {code}." in Path("out/gate.md").read_text()


def test_the_same_run_passes(cli: Cli, base: Path) -> None:
    result = gate(cli, base, base, "--out", "out", "--strict")
    assert result.exit_code == 0
    assert "PASS: additive is not worse than the baseline by more than the margin under any of 2 rules." in result.out
    assert result.err == ""
    agree(0, "pass")


def test_a_worse_run_fails_and_says_where(cli: Cli, base: Path) -> None:
    result = gate(cli, worse_than(base), base, "--out", "out")
    assert result.exit_code == 1
    assert "REGRESSION: additive got worse under misalign@1.00 (fa_changed 70.62 to 100.00 %)." in (result.out)
    agree(1, "regression")
    assert gate(cli, "worse", base, "--json").json == json.loads(Path("out/gate.json").read_text())


def test_a_figure_that_is_gone_is_a_regression(cli: Cli, base: Path) -> None:
    copy = rescored(base, "gone")
    record = json.loads((copy / "run.json").read_text())
    record["suite"]["conditions"] = record["suite"]["conditions"][:1]
    (copy / "run.json").write_text(json.dumps(record))
    result = gate(cli, copy, base, "--out", "out")
    assert result.exit_code == 1
    assert "do not both have a value of misalign@1.00.fa_changed" in result.out
    agree(1, "regression")


def test_undecided_is_a_warning_unless_strict(cli: Cli, base: Path) -> None:
    slightly = rescored(base, "slightly", factor=0)
    result = gate(cli, slightly, base, "--out", "out")
    assert result.exit_code == 0
    assert "INCONCLUSIVE: the data cannot tell" in result.out
    agree(0, "inconclusive")
    assert gate(cli, slightly, base, "--out", "out", "--strict").exit_code == 4
    agree(4, "inconclusive")
    Path("gate.toml").write_text(f"strict = true\nrules = {json.dumps(RULES)}\n")
    assert cli("gate", slightly, "--baseline", base, "--rules", "gate.toml").exit_code == 4


def test_what_cannot_be_compared_still_writes_everything(cli: Cli, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = rescored(base, "other")
    record = json.loads((copy / "run.json").read_text())
    record["identity"]["plan_sha256"] = "another"
    (copy / "run.json").write_text(json.dumps(record))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "step.md")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = gate(cli, copy, base, "--out", "out", "--junit", "j.xml")
    assert result.exit_code == 3
    assert "NOT COMPARABLE: additive and the baseline cannot be compared: plan hash" in result.out
    agree(3, "not comparable")
    assert Tree.parse("j.xml").getroot().attrib["errors"] == "1"
    assert Path("step.md").read_text() == Path("out/gate.md").read_text() + "\n"
    assert result.err.startswith("::error title=asdbench gate::NOT COMPARABLE: additive")
    found = gate(cli, copy, base, "--json", "--summary", "own.md")
    assert (found.exit_code, found.json["state"]) == (3, "not comparable")
    assert Path("own.md").read_text() == Path("out/gate.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--rule", "clean.ap"), 2, "condition.metric:margin"),
        (("--rule", "clean.app:-1pt"), 2, "did you mean ap"),
        (("--rule", "misaligned@1.00.fa_changed:+1pt"), 2, "misalign@1.00"),
        (("--rules", "nothing.toml"), 2, "nothing.toml"),
        (("--allow", "everything"), 2, "everything"),
        (("--junit", "."), 2, "is a folder"),
        (("--baseline", "nothing"), 5, "nothing"),
    ],
)
def test_wrong_flags_and_missing_data(
    cli: Cli, base: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    Path("out").mkdir()
    Path("out/gate.json").write_text("an old verdict")
    result = cli("gate", base, "--baseline", base, "--out", "out", *arguments)
    assert result.exit_code == code
    assert message in result.err
    assert arguments[0] == "--junit" or not Path("out/gate.json").exists()  # no old verdict passes for a new one
    assert cli("gate", base).exit_code == 2


def test_default_rules_and_a_rule_beside_those_of_a_file(cli: Cli, base: Path) -> None:
    rules = cli("gate", base, "--baseline", base, "--json").json["rules"]
    assert {"clean.ap:-1pt", "misalign@1.00.fa_changed:+2pt"} <= {each["rule"] for each in rules}
    Path("gate.toml").write_text('rules = ["clean.ap:-3pt", "clean.tpr:-1pt"]\n')
    found = cli(
        "gate", base, "--baseline", base, "--rules", "gate.toml", "--rule", RULES[0], "--rule", RULES[1], "--json"
    )
    assert [each["rule"] for each in found.json["rules"]] == [RULES[0], "clean.tpr:-1pt", RULES[1]]


def test_update(cli: Cli, base: Path) -> None:
    first = cli("gate", base, "--baseline", "main", "--update")
    assert first.exit_code == 0
    assert "baseline: main (2 conditions" in first.err
    assert gate(cli, base, Path("main")).exit_code == 0
    worse = worse_than(base)
    assert gate(cli, worse, Path("main")).exit_code == 1
    again = cli("gate", worse, "--baseline", "main", "--update", "--json").json
    assert again["conditions"] == ["clean", "misalign@1.00"]
    assert any(each["difference"] is not None for each in again["figures"])
    assert gate(cli, worse, Path("main")).exit_code == 0
    refused = cli("gate", base, "--baseline", worse, "--update")
    assert refused.exit_code == 2
    assert "holds a run" in refused.err


def test_help_names_every_flag(cli: Cli) -> None:
    result = cli("gate", "--help")
    for flag in (
        "--baseline",
        "--rules",
        "--rule",
        "--strict",
        "--json",
        "--junit",
        "--summary",
        "--update",
        "--allow",
    ):
        assert flag in result.out


def test_an_update_refuses_what_only_a_verdict_needs(cli: Cli) -> None:
    refused = cli("gate", "new", "--baseline", "main", "--update", "--rule", "clean.ap:-1pt")
    assert refused.exit_code == 2
    assert "--rule would do nothing" in refused.err


def test_swapped_folders_are_noticed(cli: Cli, base: Path) -> None:
    assert cli("gate", base, "--baseline", "main", "--update").exit_code == 0
    assert "are the two swapped?" in gate(cli, Path("main"), base).out
