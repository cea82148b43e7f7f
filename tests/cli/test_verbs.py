from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

from asdbench.api import report
from asdbench.cli.main import _VERBS
from asdbench.errors import ResourceError, UsageError
from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state
from asdbench.suites import suite_names
from asdbench.training.recipes import recipe_names
from tests.cli.conftest import Cli


@pytest.fixture
def run_folder(cli: Cli, fixture_root: Path) -> Path:
    assert cli("run", "--suite", "clean", "--model", "additive", "--data", fixture_root, "--out", "here").exit_code == 0
    return Path("here")


def test_score_recomputes_every_figure(cli: Cli, run_folder: Path):
    result = cli("score", run_folder)
    assert result.exit_code == 0
    assert "equal to metrics.json" in result.err
    assert cli("score", run_folder, "--json").json["equals_record"] is True


def test_score_notices_a_figure_that_does_not_follow_from_the_rows(cli: Cli, run_folder: Path):
    metrics = json.loads((run_folder / "metrics.json").read_text())
    metrics["conditions"][0]["metrics"]["ap"] = 0.999
    (run_folder / "metrics.json").write_text(json.dumps(metrics))
    result = cli("score", run_folder)
    assert result.exit_code == 1
    assert "DIFFERS from metrics.json in conditions[clean].ap" in result.err.replace(".metrics.", ".")


def test_report_writes_the_same_bytes_again(cli: Cli, run_folder: Path):
    files = [path for path in run_folder.rglob("*") if path.parent.name in ("tables", "plots") or path.stem == "report"]
    assert {"report.md", "report.html", "robustness.tex", "reliability.pdf"} <= {path.name for path in files}
    before = {path: path.read_bytes() for path in files}
    for path in files:
        path.unlink()
    assert cli("report", run_folder).exit_code == 0
    assert {path: path.read_bytes() for path in files} == before


def test_report_writes_what_is_asked_for_alone(cli: Cli, run_folder: Path):
    shutil.rmtree(run_folder / "tables")
    shutil.rmtree(run_folder / "plots")
    page = (run_folder / "report.html").read_bytes()
    (run_folder / "report.html").unlink()
    (run_folder / "report.md").unlink()
    assert cli("report", run_folder, "--csv", "--latex").exit_code == 0
    assert {path.suffix for path in (run_folder / "tables").iterdir()} == {".csv", ".tex"}
    assert not (run_folder / "plots").exists()
    assert not (run_folder / "report.html").exists()
    assert cli("report", run_folder, "--html").exit_code == 0
    assert (run_folder / "report.html").read_bytes() == page
    assert not (run_folder / "report.md").exists()
    assert cli("report", run_folder, "--html", "--resamples", 200).exit_code == 2
    with pytest.raises(UsageError, match="no kind of report is called 'pdf'"):
        report(run_folder, kinds=["pdf"])


@pytest.mark.parametrize("verb", ["score", "report"])
def test_what_is_no_run_is_refused(cli: Cli, verb: str):
    Path("empty").mkdir()
    result = cli(verb, "empty")
    assert result.exit_code == 5
    assert "not a run folder" in result.err


def test_an_unfinished_run_is_refused(cli: Cli, run_folder: Path):
    record = json.loads((run_folder / "run.json").read_text())
    (run_folder / "run.json").write_text(json.dumps(record | {"state": "running"}))
    assert "not finished" in cli("score", run_folder).err


def test_a_folder_that_cannot_be_written_is_shown_all_the_same(
    cli: Cli, run_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    def read_only(*_: object) -> None:
        raise ResourceError("read-only")

    monkeypatch.setattr("asdbench.report.write.write_text", read_only)
    result = cli("report", run_folder)
    assert result.exit_code == 8
    assert "run folder: here" in result.out


def test_an_output_that_knows_few_signs_loses_no_number(run_folder: Path):
    command = [sys.executable, "-m", "asdbench.cli.main", "report", str(run_folder)]
    code = "import sys; from asdbench.cli.main import main; sys.argv = sys.argv[1:]; main()"
    result = subprocess.run(
        [command[0], "-c", code, *command[2:]],
        env={**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}, capture_output=True, check=True,
    )  # fmt: skip
    assert b"condition" in result.stdout


@pytest.mark.parametrize("kind", ["models", "suites", "data", "recipes"])
def test_ls(cli: Cli, kind: str):
    text, rows = cli("ls", kind).out, cli("ls", kind, "--json").json
    assert all(row["name"] in text for row in rows)
    names = {row["name"].partition("@")[0] for row in rows}
    wanted = {
        "models": {"light-asd", "deaf"}, "suites": set(suite_names()), "data": {"ava"}, "recipes": set(recipe_names()),
    }  # fmt: skip
    assert names >= wanted[kind]


def test_ls_recipes_tells_what_each_starts_from(cli: Cli):
    rows = {row["name"]: row for row in cli("ls", "recipes", "--json").json}
    assert rows["vad-lip"]["starts from"] == "vad, lip"
    assert rows["vad-lip"]["epochs"] == "0"
    assert rows["talknce"]["architecture"] == "talknet"


def test_ls_data_names_what_is_shipped(cli: Cli):
    assert {"demo-val", "demo-train"} <= set(cli("ls", "data").out.split())


def test_ls_models_tells_the_shipped_from_the_known_weights(cli: Cli, standin: Path):
    row = next(row for row in cli("ls", "models", "--json").json if row["name"] == "light-asd")
    assert row["shipped weights"] == "light-asd.demo, light-asd.demo-sync"
    assert row["known weights"] == "light-asd.ava, light-asd.talkset"


def test_inspect_takes_the_name_of_a_shipped_checkpoint(cli: Cli, standin: Path):
    result = cli("inspect", "light-asd.demo")
    assert "face size     32 x 32 pixels" in result.out
    assert "note          Sees faces at 32 x 32 pixels." in result.out
    facts = cli("inspect", "light-asd.demo", "--json").json
    assert (facts["face_size"], facts["metadata"]) == (32, {"asdbench.face_size": "32"})
    assert facts["weights"] == "light-asd.demo"


def test_inspect_shows_no_sign_that_a_terminal_would_obey(cli: Cli):
    metadata = {"note": "\x1b]0;title\x07 ä", "two\nlines": "\u202e"}
    safetensors.torch.save_file({"w": torch.zeros(1)}, "a.safetensors", metadata=metadata)
    result = cli("inspect", "a.safetensors")
    assert r"note = \x1b]0;title\x07 ä" in result.out
    assert r"two\nlines = \u202e" in result.out
    assert not {"\x1b", "\x07", "\u202e"} & set(result.out)
    assert cli("inspect", "a.safetensors", "--json").json["metadata"] == metadata


def test_neither_does_an_error(cli: Cli):
    result = cli("inspect", "\x1b[31m.model")
    assert r"\x1b[31m.model does not exist" in result.err
    assert "\x1b" not in result.err


def test_inspect_names_architecture_and_size(cli: Cli):
    torch.save(seeded_state(ARCHITECTURES.load("light-asd")()), "mine.model")
    result = cli("inspect", "mine.model")
    assert result.exit_code == 0
    assert "light-asd" in result.out
    assert "1,021,636" in result.out
    assert "unknown weights" in result.out
    assert "face size" not in result.out
    assert cli("inspect", "mine.model", "--json").json["weights"] is None


def test_inspect_refuses_what_is_no_checkpoint(cli: Cli):
    Path("no.model").write_bytes(b"")
    result = cli("inspect", "no.model")
    assert result.exit_code == 6
    assert "no.model is empty" in result.err


def test_an_unknown_verb_gets_a_suggestion(cli: Cli):
    result = cli("rum")
    assert result.exit_code == 2
    assert "did you mean run?" in result.err


@pytest.mark.parametrize("verb", [[], *([verb] for verb in _VERBS)])
def test_help_has_an_example(cli: Cli, verb: list[str]):
    result = cli(*verb, "--help")
    assert result.exit_code == 0
    assert "Example: asdbench" in result.out


@pytest.mark.parametrize(
    "arguments", [["--help"], ["ls", "models"], ["ls", "suites"], ["ls", "data"], ["ls", "recipes"]]
)
def test_light_verbs_import_nothing_heavy(arguments: list[str]):
    code = (
        "import sys; sys.argv = ['asdbench', *sys.argv[1:]]\n"
        "from asdbench.cli.main import main\n"
        "main()\n"
        "heavy = ('torch', 'pandas', 'matplotlib', 'cv2', 'pyarrow')\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    result = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert result.stderr.strip() == "[]"
