"""Checkpoints by name: the shipped ones are found and verified, the others say where to get them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from asdbench.checkpoints.cards import ModelCard, model_cards
from asdbench.checkpoints.shipped import checkpoint_path, shipped_checkpoint, shipped_file
from asdbench.errors import CheckpointError, UnknownNameError
from tests.standin import NAMES


def card(name: str) -> ModelCard:
    return next(card for card in model_cards() if card.name == name)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_checkpoint_is_found_by_its_name(standin: Path, name: str):
    assert checkpoint_path(name) == checkpoint_path(Path(name)) == standin.resolve() / "demo" / f"{name}.safetensors"


def test_a_file_wins_over_a_name(standin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path(NAMES[0]).touch()
    assert checkpoint_path(NAMES[0]) == Path(NAMES[0])
    assert shipped_checkpoint(NAMES[0]).parent == standin.resolve() / "demo"
    with pytest.raises(UnknownNameError, match=r"no checkpoint 'light-asd\.dmo'"):
        shipped_checkpoint("light-asd.dmo")


def test_a_folder_does_not(standin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for name in (NAMES[0], "light-asd.dem"):
        Path(name).mkdir()
    assert checkpoint_path(NAMES[0]).parent == standin.resolve() / "demo"
    assert checkpoint_path("light-asd.dem") == Path("light-asd.dem"), "to be told that it is a folder"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Whoever runs the tests may have fetched checkpoints."""
    monkeypatch.setenv("ASDBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_checkpoint_that_is_not_shipped_says_where_it_is(standin: Path):
    wanted = "run `asdbench fetch light-asd.ava`, or download weight/pretrain_AVA_CVPR.model from https://github.com/Junhua-Liao/Light-ASD"
    with pytest.raises(CheckpointError, match=re.escape(f"light-asd.ava is not shipped with asdbench; {wanted}")):
        checkpoint_path("light-asd.ava")


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("loconet.ava", "download https://drive.google.com/file/d/1EX-V464jCD6S-wg68yGuAa-UcsMrw8mK and give its path"),
        ("pair-net.ego4d", "its authors offer no file"),
    ],
)
def test_what_cannot_be_fetched_is_said_to_be_elsewhere(standin: Path, name: str, where: str):
    with pytest.raises(CheckpointError, match=re.escape(f"{name} is not shipped with asdbench; {where}.")):
        checkpoint_path(name)


def test_a_fetched_checkpoint_is_found_by_its_name(standin: Path, cache: Path, shared: Path):
    cache.mkdir()
    there = cache / "light-asd.ava.model"
    there.write_bytes(b"something else")
    with pytest.raises(CheckpointError, match="is not shipped"):
        checkpoint_path("light-asd.ava")
    shutil.copy(shared / "weights" / "light-asd" / "pretrain_AVA_CVPR.model", there)
    assert checkpoint_path("light-asd.ava") == there


def test_a_mistyped_name_gets_a_suggestion(standin: Path):
    with pytest.raises(UnknownNameError, match=r"no checkpoint 'light-asd.dmo'; did you mean light-asd.demo "):
        checkpoint_path("light-asd.dmo")


@pytest.mark.parametrize("text", ["absent.model", "weights/light-asd.model", "/no/such/file"])
def test_any_other_path_is_left_to_whoever_opens_it(standin: Path, text: str):
    assert checkpoint_path(text) == Path(text)


def test_a_shipped_file_that_was_altered_is_refused(standin: Path):
    other = msgspec.structs.replace(card(NAMES[0]), sha256="0" * 64)
    with pytest.raises(CheckpointError, match=r"is not the checkpoint light-asd.demo: .* with 000000000000; reinstall"):
        shipped_file(other)


def test_a_shipped_file_that_is_missing(standin: Path):
    with pytest.raises(CheckpointError, match=r"nowhere.safetensors, the checkpoint light-asd.demo, is missing"):
        shipped_file(msgspec.structs.replace(card(NAMES[0]), file="demo/nowhere.safetensors"))


@pytest.mark.parametrize("file", ["../../secret", "demo/../../secret", "/etc/hostname", "demo/link"])
def test_a_card_cannot_point_out_of_the_data_folder(standin: Path, tmp_path: Path, file: str):
    (tmp_path / "secret").touch()
    link = standin / "demo" / "link"
    link.unlink(missing_ok=True)
    link.symlink_to(tmp_path / "secret")
    with pytest.raises(CheckpointError, match="lies outside of"):
        shipped_file(msgspec.structs.replace(card(NAMES[0]), file=file))


def test_names_are_looked_up_without_torch():
    code = "import sys, asdbench.checkpoints.shipped; print([m for m in ('torch', 'safetensors') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
