from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

import asdbench
from tests.cli.conftest import Cli


def test_the_main_job_leaves_a_whole_run_folder(cli: Cli, fixture_root: Path):
    result = cli("run", "--suite", "unsync", "--model", "additive", "--data", fixture_root)
    assert result.exit_code == 0
    assert "mismatch@1.00" in result.out
    assert "additive still says speaking on" in result.out
    (folder,) = Path("runs").iterdir()
    assert folder.name.startswith("additive-unsync-fixture-val-")
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"run.json", "plan.parquet", "metrics.json", "report.md"} <= found
    assert {f"predictions/{name}@{p}.parquet" for name in ("mismatch", "misalign") for p in ("0.25", "1.00")} <= found
    assert {f"tables/robustness.{extension}" for extension in ("md", "csv", "tex")} <= found
    assert {f"plots/{name}.{e}" for name in ("ap_vs_proportion", "scores") for e in ("png", "svg")} <= found
    assert not (folder / "work").exists()
    assert not (folder / "skipped.csv").exists()


def test_the_record_says_where_everything_comes_from(cli: Cli, fixture_root: Path, monkeypatch: pytest.MonkeyPatch):
    Path("asdbench.toml").write_text('[run]\nmodel = "deaf"\nsuite = "clean"\n')
    monkeypatch.setenv("ASDBENCH_SUITE", "modality")
    assert cli("run", "--data", fixture_root, "--out", "here").exit_code == 0
    record = json.loads(Path("here/run.json").read_text())
    sources = {key: entry["source"] for key, entry in record["config"].items()}
    assert sources["model"] == "asdbench.toml"
    assert sources["suite"] == "ASDBENCH_SUITE"
    assert sources["data"] == sources["out"] == "flag"
    assert sources["device"] == "default"
    assert record["state"] == "complete"
    assert record["suite"]["name"] == "modality"
    assert record["versions"]["asdbench"] == asdbench.__version__
    assert len(record["data"]["fingerprint"]) == len(record["plan"]["sha256"]) == 64
    assert record["counts"]["tracks"] == len(asdbench.open_dataset(fixture_root).tracks)


def test_json_is_all_that_stdout_holds(cli: Cli, fixture_root: Path):
    result = cli("run", "--suite", "clean", "--model", "blind", "--data", fixture_root, "--json")
    assert result.json["model"]["name"] == "blind"
    assert result.json["metrics"]["conditions"][0]["name"] == "clean"
    assert Path(result.json["run"]).is_dir()


def test_the_same_command_finds_its_finished_run(cli: Cli, fixture_root: Path):
    arguments = ("run", "--suite", "clean", "--model", "blind", "--data", fixture_root)
    first, second = cli(*arguments), cli(*arguments)
    assert "this run is complete" in second.err
    assert second.out == first.out
    assert len(list(Path("runs").iterdir())) == 1


def test_another_run_does_not_enter_the_folder(cli: Cli, fixture_root: Path):
    cli("run", "--suite", "clean", "--model", "blind", "--data", fixture_root, "--out", "here")
    result = cli("run", "--suite", "clean", "--model", "deaf", "--data", fixture_root, "--out", "here")
    assert result.exit_code == 3
    assert "model.adapter (blind there, deaf now)" in result.err


def test_limit_scores_the_first_tracks_of_the_same_plan(cli: Cli, fixture_root: Path):
    cli("run", "--model", "additive", "--data", fixture_root, "--out", "whole")
    result = cli("run", "--model", "additive", "--data", fixture_root, "--out", "part", "--limit", 4)
    assert "only the first 4 tracks" in result.out
    whole, part = (pd.read_parquet(f"{name}/predictions/mismatch@0.50.parquet") for name in ("whole", "part"))
    keys = ["video_id", "entity_id", "timestamp_ms"]
    joined = part.merge(whole, on=keys, suffixes=("", "_whole"))
    assert len(joined) == len(part) < len(whole)
    assert (joined["score"] == joined["score_whole"]).all()
    assert (joined["changed"] == joined["changed_whole"]).all()


def test_another_seed_is_another_plan_and_marked(cli: Cli, fixture_root: Path):
    result = cli("run", "--model", "additive", "--data", fixture_root, "--seed", 1, "--limit", 4, "--out", "a")
    assert "custom seed" in result.out
    assert json.loads(Path("a/run.json").read_text())["custom"] is True
    assert cli("run", "--model", "additive", "--data", fixture_root, "--limit", 4, "--out", "a").exit_code == 3


def test_skipped_tracks_are_counted_everywhere(cli: Cli, fixture_copy: Path):
    wav = sorted((fixture_copy / "clips_audios" / "val").rglob("*.wav"))[0]
    wav.unlink()
    arguments = ("run", "--suite", "clean", "--model", "additive", "--data", fixture_copy, "--out", "here")
    stopped = cli(*arguments)
    assert stopped.exit_code == 5
    assert str(wav) in stopped.err
    result = cli(
        "run", "--suite", "clean", "--model", "additive", "--data", fixture_copy, "--out", "here", "--on-error", "skip"
    )
    assert result.exit_code == 0
    assert "1 of 13 tracks were skipped" in result.out
    listed = pd.read_csv("here/skipped.csv")
    assert str(wav) in listed["reason"].item()
    record = json.loads(Path("here/run.json").read_text())
    assert record["counts"]["skipped_tracks"] == 1
    assert "1 of 13 tracks were skipped" in Path("here/tables/robustness.md").read_text()
    rows = pd.read_parquet("here/predictions/clean.parquet")
    assert listed["entity_id"].item() not in set(rows["entity_id"])


USERS_MODEL = """
import numpy as np

class Nervous:
    def score_track(self, audio, faces, fps):
        scores = np.zeros(len(faces), np.float32)
        scores[3] = BAD
        return scores
"""


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("--model", "deaf"), 2, "no data set given; add --data FOLDER, or --data demo-val"),
        (("--model", "light-asd"), 2, "add --data FOLDER, .* and --checkpoint FILE"),
        (("--checkpoint", "absent.model"), 2, "no data set given; add --data FOLDER"),
        (("--data", "nowhere", "--model", "deaf"), 5, "nowhere: no such folder"),
        (("--data", ".", "--model", "deaf"), 5, "no known data format"),
        (("--data", "DATA"), 2, "data are given .* add --checkpoint FILE"),
        (
            ("--data", "DATA", "--checkpoint", "light-asd.ava"),
            6,
            "not shipped .*; run `asdbench fetch light-asd.ava`",
        ),
        (("--data", "DATA", "--model", "ligth-asd"), 2, "did you mean light-asd"),
        (("--data", "DATA", "--model", "light-asd"), 2, "needs its weights; give --checkpoint"),
        (("--data", "DATA", "--checkpoint", "absent.model"), 6, "absent.model does not exist"),
        (("--data", "DATA", "--checkpoint", "page.model"), 6, "page.model is a web page"),
        (("--data", "DATA", "--model", "deaf", "--suite", "unsnc"), 2, "did you mean unsync"),
        (("--data", "DATA", "--model", "deaf", "--split", "test"), 5, "splits found there: val"),
        (("--data", "DATA", "--model", "deaf", "--device", "cuda:99"), 8, "use --device cpu"),
        (("--data", "DATA", "--model", "deaf", "--format", "ego"), 2, "did you mean ego4d"),
        (("--data", "DATA", "--model", "deaf", "--limit", "0"), 2, "expected at least 1 track"),
        (("--data", "DATA", "--model", "nan.py:Nervous"), 6, "1 of .* scores that are NaN or infinite"),
        (("--data", "DATA", "--model", "deaf", "--on-error", "ignore"), 2, "ignore"),
        (("--data", "DATA", "--model", "deaf", "--config", "absent.toml"), 2, "absent.toml"),
    ],
)
def test_mistakes_get_one_sentence_and_their_exit_code(
    cli: Cli, fixture_root: Path, arguments: tuple[str, ...], exit_code: int, words: str
):
    Path("page.model").write_text("<!DOCTYPE html><html>not here</html>")
    Path("nan.py").write_text(USERS_MODEL.replace("BAD", "float('nan')"))
    result = cli("run", *(str(fixture_root) if a == "DATA" else a for a in arguments))
    assert result.exit_code == exit_code
    assert re.search(words, result.err)
    assert "Traceback" not in result.err


def test_a_users_model_runs_and_editing_it_makes_another_run(cli: Cli, fixture_root: Path):
    for content in ("0.0", "1.0"):
        Path("own.py").write_text(USERS_MODEL.replace("BAD", content))
        assert cli("run", "--suite", "clean", "--model", "own.py:Nervous", "--data", fixture_root).exit_code == 0
    assert len(list(Path("runs").iterdir())) == 2


def test_nothing_named_is_the_demo_and_says_so(cli: Cli, standin: Path):
    Path("demo-val").mkdir()
    Path("light-asd.demo").write_bytes(b"not the shipped one")
    result = cli("run", "--suite", "clean")
    assert result.exit_code == 0
    (note,) = [line for line in result.err.splitlines() if "demo" in line and "your own" in line]
    assert "light-asd.demo on demo-val" in note
    assert "asdbench run --suite clean --checkpoint FILE --data FOLDER" in note
    (folder,) = Path("runs").iterdir()
    assert folder.name.startswith("light-asd.demo-clean-")
    quiet = cli("run", "--suite", "clean", "--quiet")
    assert quiet.err == ""
    assert quiet.out == result.out


def test_a_shipped_checkpoint_by_name_says_nothing_of_a_demo(cli: Cli, standin: Path, fixture_root: Path):
    result = cli("run", "--suite", "clean", "--checkpoint", "light-asd.demo-sync", "--data", fixture_root)
    assert result.exit_code == 0
    assert "light-asd.demo-sync: AP" in result.out
    assert "your own" not in result.err


def test_an_interrupt_says_how_to_continue(cli: Cli, fixture_root: Path):
    text = "class Stop:\n    def score_track(self, audio, faces, fps):\n        raise KeyboardInterrupt\n"
    Path("stop.py").write_text(text)
    result = cli("run", "--suite", "clean", "--model", "stop.py:Stop", "--data", fixture_root)
    assert result.exit_code == 130
    assert "run the same command again" in result.err
