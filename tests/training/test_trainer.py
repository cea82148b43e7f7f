"""The trainer: what is frozen stays, what was killed goes on, what is measured is written."""

from __future__ import annotations

import csv
import json
import math
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

import asdbench
from asdbench.adapters import load_model
from asdbench.checkpoints.files import sha256_of
from asdbench.checkpoints.load import load_checkpoint
from asdbench.errors import DataError, NotComparableError, TrainingError, UsageError
from asdbench.jobs.train import EpochMeasure
from asdbench.jobs.training import Trained, _own_error
from asdbench.training import trainer
from asdbench.training.examples import ClipSource
from asdbench.training.objectives import Objective, objective_for
from asdbench.training.recipes import load_recipe
from asdbench.training.source import training_source
from asdbench.training.state import read_state, write_state
from asdbench.types import Dataset

pytest.importorskip("lightning_fabric", reason="needs the extra train")

LIP = """
name = "small-lip"
version = 1
summary = "Lips alone, for tests."
source = "none"
epochs = 2
keep = true
model = { architecture = "talknet-lip", face_size = 24, sizes = { stem = 4, depth = [1, 1, 1, 1] } }
clips = { batch_frames = 64, clip_frames = 16, epoch_batches = 4 }
augment = { flip = 0.5, rotate = 5.0 }
optimizer = { kind = "adamw", rate = 1e-3, schedule = "cosine", clip = 5.0, settle = 2 }
"""

TALKNET = """
name = "small-talknet"
version = 1
summary = "Sound and lips, for tests."
source = "none"
epochs = 3
keep = true
frozen = ["model.visualFrontend."]
model = { architecture = "talknet", face_size = 24, sizes = { stem = 4, depth = [1, 1, 1, 1] } }
loss = { audio = 0.4, visual = 0.4, other_voices = 1 }
clips = { batch_frames = 64, clip_frames = 16, epoch_batches = 5 }
augment = { voice = 0.5, noise = 0.5, level = 6.0 }
optimizer = { kind = "adamw", rate = 1e-3, schedule = "cosine", clip = 5.0, settle = 2 }
"""

START = """
[[start]]
recipe = "{recipe}"
parts = {{ "visualFrontend." = "model.visualFrontend." }}
"""

Train = Callable[..., Trained]


@pytest.fixture
def train(fixture_root: Path, tmp_path: Path) -> Train:
    def run(text: str = TALKNET, **more: object) -> Trained:
        path = tmp_path / "recipe.toml"
        path.write_text(text)
        given = {"root": tmp_path / "trained", "split": "val", "threads": 1, "progress": False, "device": "cpu", **more}
        return asdbench.train(path, fixture_root, **given)  # type: ignore[arg-type]

    return run


def weights(trained: Trained) -> dict[str, torch.Tensor]:
    return load_checkpoint(trained.checkpoint).state


def test_a_training_writes_weights_log_and_record(train: Train) -> None:
    trained = train()
    rows = trained.log
    assert [(row["epoch"], row["batch"]) for row in rows] == [(e, b) for e in range(3) for b in range(5)]
    assert all(math.isfinite(row["loss"]) and row["rate"] > 0 for row in rows)
    record = json.loads((trained.folder / "training.json").read_text())
    assert record["state"] == "complete" and record["batches"] == 15 and record["seconds"] > 0
    assert record["recipe"]["loss"]["other_voices"] == 1
    assert not (trained.folder / "state.pt").exists()
    assert list((trained.folder / "tensorboard").glob("events.out.tfevents.*"))


def test_both_files_hold_the_same_official_keys_and_score(train: Train) -> None:
    trained = train()
    official = torch.load(trained.folder / "checkpoint.model", weights_only=True)
    ours = weights(trained)
    assert official.keys() == ours.keys() and all(torch.equal(official[key], ours[key]) for key in ours)
    model = load_model("auto", trained.checkpoint)
    assert model.adapter == "talknet" and model.scorer.needs.crop_size == 24  # type: ignore[attr-defined]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones(train: Train, tmp_path: Path) -> None:
    first, again = train(root=tmp_path / "a"), train(root=tmp_path / "b")
    other = train(root=tmp_path / "a", seed=2)
    assert first.checkpoint.read_bytes() == again.checkpoint.read_bytes()
    assert first.checkpoint.read_bytes() != other.checkpoint.read_bytes() and first.folder != other.folder


def test_frozen_weights_stay_and_get_no_gradient(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, set[str]] = {}
    step = trainer._Loop._step

    def watched(loop: trainer._Loop, *given: object) -> None:
        step(loop, *given)  # type: ignore[arg-type]
        for name, parameter in loop.objective.network.named_parameters():
            seen.setdefault(name, set()).add("none" if parameter.grad is None else "some")

    monkeypatch.setattr(trainer._Loop, "_step", watched)
    trained = train()
    front = {name for name in seen if name.startswith("model.visualFrontend.")}
    assert front and all(seen[name] == {"none"} for name in front)
    # The published code normalises with an attention bias that cannot matter; all others must be reached.
    assert all("some" in seen[name] for name in set(seen) - front)
    untrained = train(TALKNET.replace("epochs = 3", "epochs = 0").replace("small-talknet", "untrained"))
    begun, ended = weights(untrained), weights(trained)
    for key in begun:
        same = torch.equal(begun[key], ended[key])
        assert same == key.startswith("model.visualFrontend.") or key.endswith("num_batches_tracked"), key


def test_features_of_a_frozen_front_end_are_those_of_whole_tracks(fixture_dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(TALKNET)
    recipe = load_recipe(tmp_path / "recipe.toml")
    torch.manual_seed(1)
    objective = objective_for(recipe)
    tracks = fixture_dataset.tracks[:3]
    faces = ClipSource(tracks, recipe, hidden=True)
    source = training_source(tracks, recipe, objective, torch.device("cpu"), quiet=True)
    assert source.front is not None and len(source.front) == len(faces.lengths)
    for index, features in enumerate(source.front):
        with torch.no_grad():
            whole = objective.embed_front(torch.from_numpy(faces.example(index).faces)[None])[0]
        assert torch.allclose(features, whole, atol=1e-5)
    moved = load_recipe(tmp_path / "recipe.toml", ["augment.flip=0.5"])
    assert training_source(tracks, moved, objective, torch.device("cpu"), quiet=True).front is None


class KilledError(RuntimeError):
    pass


@pytest.mark.parametrize("batch", [1, 5, 7, 14])
def test_a_killed_training_goes_on_to_the_same_curve_and_weights(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    whole = train(root=tmp_path / "whole")
    step, count = trainer._Loop._step, iter(range(100))

    def dying(loop: trainer._Loop, *given: object) -> None:
        if next(count) == batch:
            raise KilledError
        step(loop, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(trainer, "STATE_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(trainer._Loop, "_step", dying)
        with pytest.raises(KilledError):
            train()
    state = read_state(next((tmp_path / "trained").iterdir()))
    assert state is not None
    write_state(next((tmp_path / "trained").iterdir()), replace(state, seconds=1000.0))
    steps: list[object] = []
    with monkeypatch.context() as patch:
        patch.setattr(trainer._Loop, "_step", lambda loop, *given: (steps.append(given), step(loop, *given)))
        rest = train()
    assert len(steps) == 15 - batch, "batches were done twice, or left out"
    assert (rest.folder / "log.csv").read_text() == (whole.folder / "log.csv").read_text()
    assert rest.checkpoint.read_bytes() == whole.checkpoint.read_bytes()
    assert 1000 < rest.seconds < 1100, "the time of earlier starts counts"


def _train_in_process(recipe: Path, data: Path, root: Path) -> None:
    trainer.STATE_SECONDS = 0.0
    asdbench.train(recipe, data, root=root, split="val", threads=1, progress=False, device="cpu")


@pytest.mark.slow
def test_a_training_killed_by_the_system_goes_on(train: Train, fixture_root: Path, tmp_path: Path) -> None:
    whole = train(TALKNET.replace("epoch_batches = 5", "epoch_batches = 60"), root=tmp_path / "whole")
    root = tmp_path / "trained"
    process = multiprocessing.get_context("spawn").Process(
        target=_train_in_process, args=(tmp_path / "recipe.toml", fixture_root, root)
    )
    process.start()
    while not list(root.glob("*/state.pt")) and process.is_alive():
        time.sleep(0.05)
    assert process.pid and process.is_alive(), "it was over before it could be killed"
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    rest = train(TALKNET.replace("epoch_batches = 5", "epoch_batches = 60"))
    assert (rest.folder / "log.csv").read_text() == (whole.folder / "log.csv").read_text()
    assert rest.checkpoint.read_bytes() == whole.checkpoint.read_bytes()


@pytest.mark.parametrize("saved", [False, True])
def test_tensorboard_shows_each_batch_once_after_a_kill(
    train: Train, monkeypatch: pytest.MonkeyPatch, saved: bool
) -> None:
    step, count = trainer._Loop._step, iter(range(100))

    def dying(loop: trainer._Loop, *given: object) -> None:
        if next(count) == 7:
            raise KilledError
        step(loop, *given)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(trainer._Loop, "_step", dying)
        if not saved:
            patch.setattr(trainer._Loop, "_save", lambda *_: None)
        with pytest.raises(KilledError):
            train()
    folder = train().folder / "tensorboard"
    starts = [
        event.step
        for path in sorted(folder.glob("events.out.tfevents.*"), key=lambda path: path.stat().st_mtime_ns)
        for event in events(path)
        if event.HasField("session_log")
    ]
    # Of two starts within a second one file is left: its name is the second.
    assert starts[-1] == (5 if saved else 0)


def events(path: Path) -> list[Any]:
    """What a file of TensorBoard holds: records of a length, its checksum, the message, its checksum."""
    from tensorboardX.proto.event_pb2 import Event

    content, found = path.read_bytes(), []
    while content:
        length = int.from_bytes(content[:8], "little")
        found.append(Event.FromString(content[12 : 12 + length]))
        content = content[16 + length :]
    return found


def test_a_training_killed_before_its_record_was_written_is_not_done_again(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("asdbench.jobs.training.sha256_of", lambda _: (_ for _ in ()).throw(KilledError))
        with pytest.raises(KilledError):
            train()
    monkeypatch.setattr(trainer._Loop, "_step", lambda *_: pytest.fail("trained again"))
    rest = train()
    assert rest.record["state"] == "complete" and not (rest.folder / "state.pt").exists()


def test_a_finished_training_is_not_done_again(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    first = train()
    monkeypatch.setattr(trainer, "fit", lambda *_: pytest.fail("trained again"))
    again = train()
    assert again.reused and again.folder == first.folder and again.log == first.log


def test_a_start_is_trained_first_and_its_parts_are_taken(train: Train, tmp_path: Path) -> None:
    lip = tmp_path / "small-lip.toml"
    lip.write_text(LIP)
    trained = train(TALKNET + START.format(recipe=lip))
    starts = [path for path in (tmp_path / "trained").iterdir() if path.name.startswith("small-lip-")]
    assert len(starts) == 1
    begun, ended = load_checkpoint(starts[0] / "checkpoint.safetensors").state, weights(trained)
    taken = [key for key in begun if key.startswith("visualFrontend.")]
    assert taken and all(torch.equal(begun[key], ended[f"model.{key}"]) for key in taken)
    record = json.loads((trained.folder / "training.json").read_text())
    assert [start["recipe"] for start in record["starts"]] == ["small-lip"]


def test_a_start_without_such_keys_or_of_another_size_is_refused(train: Train, tmp_path: Path) -> None:
    lip = tmp_path / "small-lip.toml"
    lip.write_text(LIP.replace("epochs = 2", "epochs = 0"))
    with pytest.raises(UsageError, match=r"no key that begins with 'nonsense\.'"):
        train(TALKNET + START.format(recipe=lip).replace('"visualFrontend."', '"nonsense."'))
    lip.write_text(LIP.replace("epochs = 2", "epochs = 0").replace("stem = 4", "stem = 6"))
    with pytest.raises(UsageError, match="cannot begin with"):
        train(TALKNET + START.format(recipe=lip))


def test_a_users_file_gives_the_weights_to_begin_with(train: Train, tmp_path: Path) -> None:
    begun = train(TALKNET.replace("epochs = 3", "epochs = 1"), seed=7)
    untrained = TALKNET.replace("epochs = 3", "epochs = 0").replace("small-talknet", "second")
    second = train(untrained, init={"": begun.checkpoint})
    assert all(torch.equal(value, weights(begun)[key]) for key, value in weights(second).items())
    record = json.loads((second.folder / "training.json").read_text())
    assert record["identity"]["files"] == {"": begun.record["checkpoint_sha256"]}


def test_another_training_in_the_folder_is_refused(train: Train, tmp_path: Path) -> None:
    train(out=tmp_path / "here")
    with pytest.raises(NotComparableError, match="seed"):
        train(out=tmp_path / "here", seed=2)


def test_a_training_that_diverges_says_where(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = Objective.__call__

    def poisoned(self: Objective, *given: object) -> dict[str, torch.Tensor]:
        terms: dict[str, torch.Tensor] = forward(self, *given)
        return {**terms, "loss": terms["loss"] * math.nan}

    monkeypatch.setattr(Objective, "__call__", poisoned)
    with pytest.raises(TrainingError, match=r"the loss is nan in epoch 1, batch 1"):
        train()


def test_each_epoch_is_measured_by_a_suite(train: Train, fixture_root: Path) -> None:
    notes: list[str] = []
    trained = train(val=fixture_root, notify=notes.append, changes=["epochs=2"])
    with (trained.folder / "epochs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["epoch"], row["condition"]) for row in rows] == [("1", "clean"), ("2", "clean")]
    assert all(0 < float(row["ava"]) <= 1 for row in rows)
    final = asdbench.run(checkpoint=trained.checkpoint, suite="clean", data=fixture_root, out=trained.folder / "again")
    assert float(rows[-1]["ava"]) == pytest.approx(final.table["ava"][0], abs=1e-6)
    assert any("10 videos are in both" in note for note in notes)


def test_an_epoch_that_was_measured_with_other_weights_is_measured_anew(
    train: Train, fixture_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = EpochMeasure.__call__

    def dying(measure: EpochMeasure, epoch: int, checkpoint: Path) -> None:
        measured(measure, epoch, checkpoint)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(EpochMeasure, "__call__", dying)
        with pytest.raises(KilledError):
            train(val=fixture_root, changes=["epochs=1"])
    step = trainer._Loop._step

    def inexact(loop: trainer._Loop, *given: object) -> None:
        step(loop, *given)  # type: ignore[arg-type]
        with torch.no_grad():
            next(p for p in loop.objective.parameters() if p.requires_grad).add_(1e-6)

    monkeypatch.setattr(trainer._Loop, "_step", inexact)
    trained = train(val=fixture_root, changes=["epochs=1"])
    run = json.loads((trained.folder / "epochs" / "001" / "run" / "run.json").read_text())
    assert run["model"]["checkpoint_sha256"] == sha256_of(trained.folder / "epochs" / "001" / "checkpoint.safetensors")
    with (trained.folder / "epochs.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1"]


def test_a_finished_training_says_that_its_epochs_were_not_measured(train: Train, fixture_root: Path) -> None:
    notes: list[str] = []
    train(changes=["epochs=1"])
    assert train(changes=["epochs=1"], val=fixture_root, notify=notes.append).reused
    assert any("finished before without measuring its epochs" in note for note in notes)


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        ("asdbench.errors.DataError: a.wav: is empty: extract it.", DataError),
        ("asdbench.errors.nothing: x", None),
        ("ValueError: x", None),
        ("asdbench.errors.annotations: x", None),
    ],
)
def test_errors_of_other_processes_are_told_by_their_last_line(last: str, kind: type | None) -> None:
    found = _own_error(
        f"\n\n-- Process 1 terminated with the following error:\nTraceback (most recent call last):\n{last}\n"
    )
    assert (found if kind is None else type(found)) is kind
    assert kind is None or str(found) == "a.wav: is empty: extract it."


@pytest.mark.slow
def test_what_is_wrong_in_one_of_several_processes_is_told(train: Train) -> None:
    with pytest.raises(UsageError, match="an epoch has 1 batches, too few for 2 devices"):
        train(devices=2, changes=["clips.epoch_batches=1"])


@pytest.mark.slow
def test_two_processes_share_the_batches(train: Train) -> None:
    alone, both = train(), train(devices=2)
    assert both.record["batches"] == 2 * 3 < alone.record["batches"]  # 5 batches: two each, and one that is left
    state = weights(both)
    assert all(bool(torch.isfinite(value).all()) for value in state.values())
    assert not torch.equal(state["lossAV.FC.weight"], weights(alone)["lossAV.FC.weight"])


def test_the_command_line_trains_and_says_how_to_measure(fixture_root: Path, tmp_path: Path) -> None:
    from asdbench.cli.main import cli

    (tmp_path / "recipe.toml").write_text(TALKNET)
    given = ["train", str(tmp_path / "recipe.toml"), "--data", str(fixture_root), "--split", "val", "--threads", "1"]
    given += ["--root", str(tmp_path / "trained"), "--set", "epochs=1", "--device", "cpu"]
    found = CliRunner().invoke(cli, given)
    assert found.exit_code == 0, found.output
    assert "asdbench run --suite unsync --checkpoint" in found.stdout
    again = CliRunner().invoke(cli, [*given, "--json", "--quiet"])
    record = json.loads(again.stdout)
    assert Path(record["checkpoint"]).exists() and record["recipe"]["epochs"] == 1
