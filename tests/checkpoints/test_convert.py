"""Any PyTorch checkpoint becomes safetensors: the numbers as they are, and nothing else."""

from __future__ import annotations

import argparse
import pickle
import sys
import tarfile
import types
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import nn

import asdbench
from asdbench.checkpoints.convert import SOURCE, convert
from asdbench.checkpoints.files import sha256_of
from asdbench.checkpoints.identify import identify
from asdbench.checkpoints.load import load_checkpoint, load_state_dict
from asdbench.errors import CheckpointError, ResourceError, UsageError
from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state
from tests.checkpoints.crafted import FORMS, STATE, saved

KINDS = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8]


def tensors_of_all_sorts() -> dict[str, torch.Tensor]:
    numbers = torch.arange(24.0)
    return {
        **{str(kind): torch.arange(-3, 3).to(kind) for kind in KINDS},
        "uint8": torch.arange(6, dtype=torch.uint8),
        "bool": torch.tensor([True, False]),
        "turned": numbers.reshape(4, 6).t(),
        "every third": numbers[2:20:3],
        "shared": numbers,
        "channels last": torch.arange(120.0).reshape(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "scalar": torch.tensor(7),
        "empty": torch.empty(0, 3),
        "parameter": nn.Parameter(torch.ones(2)),
        **nn.GRU(3, 4).state_dict(),
    }


def fairseq_file(path: Path, form: str = "zip") -> Path:
    """What fairseq saves: ``model`` beside objects of classes that nobody else has."""
    module = types.ModuleType("fairseq_of_old")
    sys.modules[module.__name__] = module
    try:
        dictionary = type("Dictionary", (), {"__module__": module.__name__})
        module.Dictionary = dictionary  # type: ignore[attr-defined]
        words = dictionary()
        words.symbols, words.indices = ["<s>", "a"], {"<s>": 0, "a": 1}
        optimiser = {"state": {0: {"exp_avg": torch.ones(2), "step": 3}}, "param_groups": [{"lr": 0.1}]}
        content = {
            "args": argparse.Namespace(arch="av_hubert", inner=argparse.Namespace(depth=24)),
            "cfg": {"model": {"encoder_layers": 24}, "task": None},
            "model": STATE,
            "task_state": {"dictionaries": [words]},
            "last_optimizer_state": optimiser,
        }
        return saved(path, content, form)
    finally:
        del sys.modules[module.__name__]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_numbers_of_all_sorts_come_through(tmp_path: Path, form: str, protocol: int):
    wanted = tensors_of_all_sorts()
    done = convert(saved(tmp_path / "a.pt", wanted, form, protocol), tmp_path / "a.safetensors")
    assert (done.key, done.entries, done.left_out, done.foreign) == (".", len(wanted), (), ())
    assert done.numbers == sum(tensor.numel() for tensor in wanted.values())
    found = safetensors.torch.load_file(tmp_path / "a.safetensors")
    assert found.keys() == wanted.keys()
    for key, tensor in wanted.items():
        assert found[key].dtype == tensor.dtype
        assert torch.equal(found[key], tensor.detach()), key


@pytest.mark.parametrize("form", FORMS)
def test_a_fairseq_file(tmp_path: Path, form: str):
    path = fairseq_file(tmp_path / "large.pt", form)
    with pytest.raises(CheckpointError, match=r"asdbench convert FILE OUT\.safetensors"):
        load_state_dict(path)
    done = convert(path, tmp_path / "a.safetensors")
    assert (done.key, done.entries) == ("model", 2)
    assert set(done.foreign) == {"argparse.Namespace", "fairseq_of_old.Dictionary"}
    state = load_state_dict(tmp_path / "a.safetensors")
    for key, tensor in STATE.items():
        torch.testing.assert_close(state[key], tensor, rtol=0, atol=0)


def test_the_result_is_recognised_and_says_where_it_comes_from(tmp_path: Path):
    content = {"args": argparse.Namespace(), "state_dict": seeded_state(ARCHITECTURES.load("light-asd")())}
    path = saved(tmp_path / "a.pt", content, "zip")
    convert(path, tmp_path / "a.safetensors")
    assert identify(tmp_path / "a.safetensors").architecture == "light-asd"
    said = load_checkpoint(tmp_path / "a.safetensors").metadata[SOURCE]
    assert said == f"sha256:{sha256_of(path)}, converted by asdbench {asdbench.__version__}"


def test_the_same_source_gives_the_same_bytes(tmp_path: Path):
    path = fairseq_file(tmp_path / "a.pt")
    for number in range(4):
        convert(path, tmp_path / f"{number}.safetensors")
    assert len({(tmp_path / f"{number}.safetensors").read_bytes() for number in range(4)}) == 1


@pytest.mark.parametrize("key", ["model", "state_dict", "model_state_dict", "anything"])
def test_the_only_table_of_tensors_is_taken(tmp_path: Path, key: str):
    path = saved(tmp_path / "a.pt", {"epoch": 3, key: STATE, "best": {"map": 0.9}}, "zip")
    assert convert(path, tmp_path / "a.safetensors").key == key


@pytest.mark.parametrize(
    ("content", "key", "found"),
    [
        ({"model": STATE, "ema": STATE | {"n": torch.ones(1)}}, "ema", 3),
        ({"model": STATE, "ema": {"shadow": STATE | {"n": torch.ones(1)}}}, "ema.shadow", 3),
        ({"a.b": STATE, "a": {"b": {"n": torch.ones(1)}}}, "a.b", 2),
        ({"w": torch.ones(1), "model": STATE}, ".", 1),
        ({"w": torch.ones(1), "model": STATE}, None, 2),
        ({"w": torch.ones(1), "epoch": 3, 0: torch.ones(1)}, None, 1),
    ],
)
def test_a_table_is_chosen_by_its_key(tmp_path: Path, content: dict[str, Any], key: str | None, found: int):
    done = convert(saved(tmp_path / "a.pt", content, "zip"), tmp_path / "a.safetensors", key)
    assert done.entries == found


def test_what_is_no_tensor_is_left_out_by_name(tmp_path: Path):
    content = {"w": torch.ones(1), "epoch": 3, "args": argparse.Namespace()}
    done = convert(saved(tmp_path / "a.pt", content, "zip"), tmp_path / "a.safetensors")
    assert done.left_out == ("epoch", "args")
    assert list(load_state_dict(tmp_path / "a.safetensors")) == ["w"]


@pytest.mark.parametrize(
    ("content", "key", "words"),
    [
        ({"G": STATE, "D": STATE | {"n": torch.ones(1)}}, None, "2 tables of tensors; choose one with --key: G (2 "),
        (
            {"G": STATE, "D": {"x": dict(STATE)}},
            "E",
            "'E'; choose one with --key: G (2 tensors), D.x (2 te",
        ),
        ({"G": STATE}, "G.layer", "no table of tensors 'G.layer'"),
        ({"G": STATE}, "", "no table of tensors ''"),
        ({"G": STATE}, ".", "no table of tensors '.'; choose one with --key: G"),
        ({"epoch": 3}, None, "no table of tensors; save a state dict"),
        ({}, None, "no table of tensors"),
        ([STATE], None, "no table of tensors"),
        (torch.ones(1), None, "no table of tensors"),
        ({f"net{i:02}": {"w": torch.ones(1)} for i in range(20)}, None, "net07 (1 tensors), and 12 more"),
        ({"w": torch.ones(2).to_sparse()}, None, "no table of tensors"),
        ({"w": torch.ones(2, dtype=torch.complex64)}, None, "no table of tensors"),
    ],
)
def test_without_one_clear_choice_the_candidates_are_listed(tmp_path: Path, content: Any, key: str | None, words: str):
    path = saved(tmp_path / "a.pt", content, "zip")
    with pytest.raises(CheckpointError) as caught:
        convert(path, tmp_path / "a.safetensors", key)
    assert words in str(caught.value)
    assert not (tmp_path / "a.safetensors").exists()


def test_a_whole_module_holds_no_table(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"save a state dict with torch\.save\(module\.state_dict\(\), FILE\)"):
        convert(saved(tmp_path / "a.pt", nn.Linear(2, 2), "zip"), tmp_path / "a.safetensors")


def test_nothing_is_written_over_without_force(tmp_path: Path):
    path, target = saved(tmp_path / "a.pt", STATE, "zip"), tmp_path / "a.safetensors"
    target.write_bytes(b"mine")
    with pytest.raises(UsageError, match="add --force"):
        convert(path, target)
    assert target.read_bytes() == b"mine"
    convert(path, target, force=True)
    assert load_state_dict(target).keys() == STATE.keys()
    assert sorted(tmp_path.iterdir()) == [path, target]


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, target = saved(tmp_path / "a.pt", STATE, "zip"), tmp_path / "a.safetensors"
    target.write_bytes(b"mine")

    def full(_: object, to: Path, *__: object) -> None:
        to.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(safetensors.torch, "save_file", full)
    with pytest.raises(ResourceError, match=r"cannot be written \(No space left"):
        convert(path, target, force=True)
    assert target.read_bytes() == b"mine"
    assert sorted(tmp_path.iterdir()) == [path, target]


@pytest.mark.parametrize(
    ("target", "words"), [("a.pt", "must end in .safetensors"), ("folder.safetensors", "is a folder")]
)
def test_targets_that_are_none(tmp_path: Path, target: str, words: str):
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(UsageError, match=words):
        convert(saved(tmp_path / "b.pt", STATE, "zip"), tmp_path / target, force=True)


def test_the_source_is_never_its_own_target(tmp_path: Path):
    path = saved(tmp_path / "a.safetensors", STATE, "zip")
    with pytest.raises(UsageError, match="is the file to be converted"):
        convert(path, path, force=True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"some text\n", "truncated, damaged or no PyTorch checkpoint"),
        (b"PK\x03\x04", "truncated, damaged or no PyTorch checkpoint"),
        (pickle.dumps({"w": 1}), "not one of torch.save"),
    ],
)
def test_what_is_no_checkpoint(tmp_path: Path, content: bytes, words: str):
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=words):
        convert(tmp_path / "a.pt", tmp_path / "a.safetensors")


def test_what_needs_no_conversion_or_is_too_old(tmp_path: Path):
    safetensors.torch.save_file(STATE, tmp_path / "new.pt")
    with pytest.raises(CheckpointError, match="is safetensors already"):
        convert(tmp_path / "new.pt", tmp_path / "a.safetensors")
    (tmp_path / "storages").touch()
    with tarfile.open(tmp_path / "old.pt", "w") as archive:
        archive.add(tmp_path / "storages", "storages")
    with pytest.raises(CheckpointError, match=r"tar format of PyTorch before 0\.1\.10"):
        convert(tmp_path / "old.pt", tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="does not exist"):
        convert(tmp_path / "nowhere.pt", tmp_path / "a.safetensors")


def test_a_damaged_number_is_noticed(tmp_path: Path):
    path = saved(tmp_path / "a.pt", {"w": torch.arange(5000.0)}, "zip")
    content = bytearray(path.read_bytes())
    content[content.index(torch.arange(2000.0, 2004.0).numpy().tobytes())] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="its archive is broken"):
        convert(path, tmp_path / "a.safetensors")
