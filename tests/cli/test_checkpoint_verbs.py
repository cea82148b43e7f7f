"""What the command line says about checkpoints: convert, fetch, inspect, ls models."""

from __future__ import annotations

import argparse
import os
import shutil
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

import asdbench.registry
from asdbench.adapters import MODELS, WEIGHTS_OF
from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state
from tests.cli.conftest import Cli


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch canary",)


def test_convert_then_inspect(cli: Cli):
    state = seeded_state(ARCHITECTURES.load("light-asd")())
    torch.save({"args": argparse.Namespace(), "model": state, "\x1b[31m": Trap()}, "a.pt")
    refused = cli("inspect", "a.pt")
    assert refused.exit_code == 6
    assert "asdbench convert FILE OUT.safetensors" in refused.err
    done = cli("convert", "a.pt", "a.safetensors")
    assert done.exit_code == 0
    assert not Path("canary").exists()
    assert f"left out, and not called: argparse.Namespace, {os.system.__module__}.system" in done.err
    assert done.out.startswith("a.safetensors: 192 tensors from model, 1,0")
    assert cli("inspect", "a.safetensors", "--json").json["architecture"] == "light-asd"
    assert cli("convert", "a.pt", "a.safetensors").exit_code == 2
    assert cli("convert", "a.pt", "a.safetensors", "--force", "--key", "model").exit_code == 0


def test_convert_lists_what_it_leaves_out_and_what_there_is_to_choose(cli: Cli):
    torch.save({"w": torch.ones(1), "epoch": 3, "\x1b[31m": 4}, "a.pt")
    assert "left out, since they are no tensors: epoch, \\x1b[31m" in cli("convert", "a.pt", "a.safetensors").err
    torch.save({"G": {"w": torch.ones(1)}, "D": {"w": torch.ones(1)}}, "b.pt")
    result = cli("convert", "b.pt", "b.safetensors")
    assert result.exit_code == 6
    assert "choose one with --key: G (1 tensors), D (1 tensors)" in result.err
    assert not Path("b.safetensors").exists()


def test_convert_runs_nothing_and_exits_with_6(cli: Cli):
    torch.save([Trap()], "a.pt")
    result = cli("convert", "a.pt", "a.safetensors")
    assert result.exit_code == 6
    assert "holds no table of tensors" in result.err
    assert not Path("canary").exists()


def test_fetch_of_what_is_shipped_elsewhere_or_unknown(cli: Cli, standin: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ASDBENCH_CACHE", "cache")
    shipped = cli("fetch", "light-asd.demo")
    assert shipped.exit_code == 0
    assert Path(shipped.out.strip()).is_file()
    assert "is shipped with asdbench" in shipped.err
    elsewhere = cli("fetch", "talknet.ava")
    assert elsewhere.exit_code == 6
    assert "cannot be fetched: download https://drive.google.com/" in elsewhere.err
    unknown = cli("fetch", "light-asd.avva")
    assert unknown.exit_code == 2
    assert "did you mean light-asd.ava" in unknown.err


def test_fetch_prints_the_path_of_what_is_there(cli: Cli, shared: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("pooch", reason="needs the extra fetch")
    monkeypatch.setenv("ASDBENCH_CACHE", "cache")
    Path("cache").mkdir()
    shutil.copy(shared / "weights" / "light-asd" / "finetuning_TalkSet.model", "cache/light-asd.talkset.model")
    result = cli("fetch", "light-asd.talkset")
    assert (result.exit_code, result.out) == (0, f"{Path('cache') / 'light-asd.talkset.model'}\n")
    assert "licence MIT, from https://github.com/Junhua-Liao/Light-ASD; trained on AVA" in result.err
    assert cli("inspect", "light-asd.talkset", "--json").json["weights"] == "light-asd.talkset"


def test_inspect_says_what_was_published_by_which_rule_and_what_to_beware_of(cli: Cli, shared: Path):
    facts = cli("inspect", shared / "weights" / "light-asd" / "pretrain_AVA_CVPR.model")
    assert "published     ava: 94.06 mAP on AVA-ActiveSpeaker val (README of " in facts.out
    assert "caution" not in facts.out
    facts = cli("inspect", shared / "weights" / "lr-asd" / "finetuning_TalkSet.model")
    assert "columbia-f1: 96.4 F1, average over speakers on Columbia" in facts.out
    assert "caution       these weights were trained on TalkSet" in facts.out


def test_inspect_shows_what_a_converted_file_says_about_itself(cli: Cli, shared: Path):
    cli("convert", shared / "weights" / "light-asd" / "finetuning_TalkSet.model", "a.safetensors")
    facts = cli("inspect", "a.safetensors")
    assert "unknown weights" in facts.out
    assert "says it was converted from light-asd.talkset; that is not checked" in facts.out
    assert "caution       these weights were trained on TalkSet" in facts.out
    found = cli("inspect", "a.safetensors", "--json").json
    assert (found["weights"], found["says_from"]) == (None, "light-asd.talkset")


def test_run_says_so_before_scoring_and_in_its_record(cli: Cli, shared: Path, fixture_root: Path):
    weights = shared / "weights" / "light-asd" / "finetuning_TalkSet.model"
    arguments = ["--suite", "clean", "--checkpoint", weights, "--data", fixture_root, "--limit", "4", "--out", "here"]
    result = cli("run", *arguments)
    assert result.exit_code == 0
    assert "warning: these weights were trained on TalkSet" in result.err.partition("writing")[0]
    assert "note: these weights were trained on TalkSet" in result.out
    assert "trained on TalkSet" in Path("here/report.md").read_text(encoding="utf-8")


def test_ls_models_says_what_each_needs(cli: Cli):
    rows = {row["name"]: row for row in cli("ls", "models", "--json").json}
    assert rows["light-asd"]["parameters"] == "1,021,636"
    assert rows["light-asd"]["needs"].startswith("a checkpoint; gray faces")
    assert rows["additive"] == dict.fromkeys(rows["additive"], "") | {"name": "additive", "needs": "no checkpoint"}
    assert rows["talknet"]["known weights"] == "talknet.ava, talknet.talkset"
    assert "lip landmarks" in rows["laser-loconet"]["needs"]


@pytest.mark.parametrize("name", MODELS.names())
def test_ls_models_is_right_about_weights_without_loading_a_model(name: str):
    needs = MODELS.load(name).needs
    architecture = getattr(MODELS.load(name), "architecture", None)
    known = WEIGHTS_OF.get(name, name)
    assert needs.needs_checkpoint == (known in ARCHITECTURES.names())
    assert architecture is None or architecture == known or (known, architecture) == ("talknce", "loconet")


class Plugged:
    def score_track(self, audio, faces, fps):
        """See `asdbench.types.Scorer`."""


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Four plug-ins, two of them broken."""
    for name, code in (("bad", "1 / 0"), ("quits", "import sys\nsys.exit('bye')")):
        (tmp_path / f"asdbench_plugin_{name}.py").write_text(code + "\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    targets = {
        "good": f"{__name__}:Plugged",
        "bad": "asdbench_plugin_bad:Model",
        "quits": "asdbench_plugin_quits:Model",
        "light-asd": "asdbench_plugin_bad:Model",
    }
    points = [EntryPoint(name, target, "asdbench.adapters") for name, target in targets.items()]
    real = asdbench.registry.entry_points
    monkeypatch.setattr(
        asdbench.registry, "entry_points", lambda group: points if group == points[0].group else real(group=group)
    )


def test_a_broken_plugin_is_named_and_breaks_nothing(cli: Cli, plugins: None):
    result = cli("ls", "models")
    assert result.exit_code == 0
    assert "warning: the model 'bad' cannot be loaded: ZeroDivisionError: division by zero" in result.err
    assert "warning: the model 'quits' cannot be loaded: SystemExit: bye" in result.err
    assert result.err.count("warning") == 2
    lines = {line.split()[0]: line for line in result.out.splitlines()}
    assert lines["good"].endswith("no checkpoint")
    assert lines["bad"].endswith("cannot be loaded")
    assert lines["light-asd"].endswith("13 MFCC of sound at 16 kHz")
    rows = {row["name"]: row for row in cli("ls", "models", "--json").json}
    assert "ZeroDivisionError" in rows["bad"]["error"]
    assert rows["good"]["error"] == rows["light-asd"]["error"] == ""


def test_the_other_verbs_name_the_plugin_too(cli: Cli, plugins: None, fixture_root: Path):
    result = cli("run", "--model", "bad", "--data", fixture_root)
    assert result.exit_code == 2
    assert "the model 'bad' cannot be loaded" in result.err
