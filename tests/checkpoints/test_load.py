"""Bad checkpoints give one clear sentence, and no code in them ever runs."""

from __future__ import annotations

import hashlib
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from asdbench.checkpoints.files import sha256_of
from asdbench.checkpoints.load import apply_state_dict, load_state_dict
from asdbench.errors import CheckpointError
from tests.checkpoints.crafted import entries_of, write_zip

STATE = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.tensor([1.0, 2.0])}


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


def refused(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_state_dict(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def saved(path: Path, content: object, **options: object) -> Path:
    torch.save(content, path, **options)
    return path


@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_dict_comes_back_in_order(tmp_path, zipped):
    state = load_state_dict(saved(tmp_path / "a.model", STATE, _use_new_zipfile_serialization=zipped))
    assert list(state) == list(STATE)
    for key, tensor in STATE.items():
        torch.testing.assert_close(state[key], tensor, rtol=0, atol=0)


@pytest.mark.parametrize("rename", ["module.{}", "{}"])
def test_the_prefix_of_data_parallel_is_removed(tmp_path, rename):
    path = saved(tmp_path / "a.model", {rename.format(key): tensor for key, tensor in STATE.items()})
    assert list(load_state_dict(path)) == list(STATE)


def test_the_prefix_is_removed_inside_a_key_but_not_inside_a_word(tmp_path):
    path = saved(tmp_path / "a.model", {"model.module.w": torch.zeros(1), "submodule.w": torch.zeros(1)})
    assert list(load_state_dict(path)) == ["model.w", "submodule.w"]


LOCONET = ("model.audioEncoder.w", "lossAV.FC.weight", "lossA.FC.weight", "landmark_bottleneck.weight")


@pytest.mark.parametrize("outer", ["model.module.", "model.", "module.model.", "model.module.model.module.", "module."])
def test_a_wrapper_around_a_whole_network_is_removed(tmp_path, outer):
    path = saved(tmp_path / "a.model", {outer + key: torch.zeros(1) for key in LOCONET})
    assert tuple(load_state_dict(path)) == LOCONET


@pytest.mark.parametrize(
    "keys",
    [
        ("model.audioEncoder.w", "lossAV.FC.weight"),  # Light-ASD, TalkNet
        ("model.encoder.w", "model.decoder.w"),  # Whisper
        ("model.model.w", "lossAV.FC.weight"),
        ("model.modeling.w", "model.lossAV.w"),
        ("models.model.w", "models.lossAV.w"),
    ],
)
def test_a_prefix_that_belongs_to_the_network_stays(tmp_path, keys):
    path = saved(tmp_path / "a.model", {key: torch.zeros(1) for key in keys})
    assert tuple(load_state_dict(path)) == keys


def test_keys_that_collide_without_the_prefix_are_refused(tmp_path):
    path = saved(tmp_path / "a.model", {"w": torch.zeros(1), "module.w": torch.ones(1)})
    assert "with and without 'module.'" in refused(path)


def test_missing_file(tmp_path):
    assert "does not exist" in refused(tmp_path / "nowhere.model")
    with pytest.raises(CheckpointError, match="does not exist"):
        sha256_of(tmp_path / "nowhere.model")


def test_folder(tmp_path):
    assert "is a folder" in refused(tmp_path)


def test_empty_file(tmp_path):
    (tmp_path / "a.model").touch()
    assert "is empty" in refused(tmp_path / "a.model")


@pytest.mark.parametrize("kept", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("zipped", [True, False])
def test_truncated_file(tmp_path, kept, zipped):
    path = saved(tmp_path / "a.model", {"w": torch.zeros(1000)}, _use_new_zipfile_serialization=zipped)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * kept)])
    assert "truncated" in refused(path)


@pytest.mark.parametrize("content", [b"some text\n", bytes(range(256)) * 4, b"PK\x03\x04"])
def test_not_a_checkpoint(tmp_path, content):
    (tmp_path / "a.model").write_bytes(content)
    assert "no PyTorch checkpoint" in refused(tmp_path / "a.model")


@pytest.mark.parametrize("start", ["<!DOCTYPE html><html>", "\n  <html lang='en'>", "<?xml version='1.0'?><html>"])
def test_web_page_saved_as_a_checkpoint(tmp_path, start):
    (tmp_path / "a.model").write_text(start, encoding="utf-8")
    assert "web page" in refused(tmp_path / "a.model")


def test_git_lfs_pointer(tmp_path):
    (tmp_path / "a.model").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\n", encoding="utf-8")
    assert "git lfs pull" in refused(tmp_path / "a.model")


def test_the_trap_of_the_next_test_works(tmp_path):
    pickle.loads(pickle.dumps(Trap(tmp_path / "marker")))
    assert (tmp_path / "marker").exists()


@pytest.mark.parametrize("form", ["zip", "legacy", *range(pickle.HIGHEST_PROTOCOL + 1)])
def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path, form):
    marker, path = tmp_path / "marker", tmp_path / "a.model"
    content = {**STATE, "trap": Trap(marker)}
    if isinstance(form, int):
        path.write_bytes(pickle.dumps({"trap": Trap(marker)}, protocol=form))
    else:
        saved(path, content, _use_new_zipfile_serialization=form == "zip")
    message = refused(path)
    assert "refused" in message
    assert "nothing in it was executed" in message
    assert "`asdbench convert FILE OUT.safetensors`" in message
    assert not marker.exists()


def test_a_whole_module_is_refused_by_the_name_of_its_class(tmp_path):
    assert "torch.nn.modules.linear.Linear" in refused(saved(tmp_path / "a.model", nn.Linear(2, 2)))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([torch.zeros(1)], "holds a list"),
        (torch.zeros(1), "holds a Tensor"),
        ({}, "empty dict"),
        ({"epoch": 3, **STATE}, "1 something else (epoch)"),
        ({"epoch": 3, "state_dict": STATE}, "`asdbench convert FILE OUT.safetensors --key state_dict`"),
        ({0: torch.zeros(1)}, "not a flat dict"),
    ],
)
def test_anything_but_a_flat_dict_of_tensors(tmp_path, content, words):
    assert words in refused(saved(tmp_path / "a.model", content))


ODD_TENSORS = {
    "repeated": (lambda: torch.zeros(1).expand(10**14), "repeats numbers to fill its shape"),
    "repeated whole numbers": (lambda: torch.zeros(1, dtype=torch.int8).expand(2), "repeats numbers"),
    "sparse": (lambda: torch.eye(2).to_sparse(), "is nested or sparse"),
    "compressed rows": (lambda: torch.sparse_csr_tensor([0, 1], [0], [1.0], check_invariants=True), "nested or sparse"),
    "meta": (lambda: torch.zeros(2, device="meta"), "has no numbers on the CPU (device meta)"),
    "quantised": (lambda: torch.quantize_per_tensor(torch.zeros(2), 0.1, 0, torch.qint8), "is of the type qint8"),
    "eight bits": (lambda: torch.zeros(2).to(torch.float8_e8m0fnu), "is of the type float8_e8m0fnu"),
    "complex": (lambda: torch.zeros(2, dtype=torch.complex64), "is of the type complex64"),
}


@pytest.mark.filterwarnings("ignore")  # torch warns that some of these kinds are in beta, or on their way out
@pytest.mark.parametrize("kind", ODD_TENSORS)
def test_tensors_with_which_arithmetic_fails_or_swells(tmp_path, kind):
    make, words = ODD_TENSORS[kind]
    path = saved(tmp_path / "a.model", {**STATE, "odd": make()})
    message = refused(path)
    assert "holds 'odd', which" in message
    assert words in message


def test_plain_tensors_that_share_or_turn_their_numbers_stay(tmp_path):
    numbers = torch.arange(6.0)
    state = {"a": numbers, "b": numbers[1:], "c": numbers.reshape(2, 3).t(), "d": torch.empty(0), "e": torch.tensor(1)}
    found = load_state_dict(saved(tmp_path / "a.model", state))
    assert all(torch.equal(found[key], state[key]) for key in state)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite(tmp_path, value):
    path = saved(tmp_path / "a.model", {**STATE, "broken": torch.tensor([1.0, value])})
    assert "not finite (in 'broken')" in refused(path)


@pytest.mark.skipif(os.name == "nt" or getattr(os, "geteuid", int)() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path):
    path = saved(tmp_path / "a.model", STATE)
    path.chmod(0)
    assert "cannot be read" in refused(path)


def test_sha256(tmp_path):
    content = bytes(range(256)) * 5000  # more than one block
    (tmp_path / "a").write_bytes(content)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_applying_a_fitting_state_copies_every_number():
    module = nn.ModuleDict({"layer": nn.Linear(3, 2)})
    apply_state_dict(module, STATE, "a.model")
    torch.testing.assert_close(module["layer"].weight.detach(), STATE["layer.weight"], rtol=0, atol=0)


def test_applying_lists_what_does_not_fit_and_changes_nothing():
    module = nn.ModuleDict({f"l{i}": nn.Linear(3, 2) for i in range(4)})
    before = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    state = {"l0.weight": torch.zeros(2, 4), "l0.bias": torch.zeros(2, dtype=torch.int8), "extra": torch.zeros(1)}
    with pytest.raises(CheckpointError) as caught:
        apply_state_dict(module, state, "a.model")
    assert str(caught.value) == (
        "a.model does not fit ModuleDict: 6 missing (l1.weight, l1.bias, l2.weight, l2.bias, l3.weight, ...); "
        "1 unexpected (extra); 2 of the wrong shape or type (l0.weight (float32 [2, 4] instead of float32 [2, 3]), "
        "l0.bias (int8 [2] instead of float32 [2])); use the model it was made for."
    )
    for key, tensor in module.state_dict().items():
        torch.testing.assert_close(tensor, before[key], rtol=0, atol=0)


def test_a_single_damaged_byte_is_noticed(tmp_path):
    path = tmp_path / "a.model"
    torch.save({"weight": torch.arange(5000, dtype=torch.float32)}, path)
    content = bytearray(path.read_bytes())
    place = content.index(torch.arange(2000, 2004, dtype=torch.float32).numpy().tobytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="truncated, damaged or no PyTorch checkpoint"):
        load_state_dict(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compressed_archive_is_refused_before_anything_in_it_is_read(tmp_path, compression, monkeypatch):
    entries = entries_of(saved(tmp_path / "a.model", {"weight": torch.zeros(1 << 20)}))
    path = write_zip(tmp_path / "b.model", entries, compression)
    assert path.stat().st_size < 1 << 16
    monkeypatch.setattr(zipfile.ZipFile, "testzip", lambda _: pytest.fail("it was read"))
    assert "is a compressed archive, as torch.save never writes one" in refused(path)


def test_an_archive_that_lies_about_its_compression(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.model", STATE)
    content = bytearray(path.read_bytes())
    size = content.rindex(b"PK\x01\x02") + 24  # of the file as it is unpacked, in the last entry of the directory
    content[size] += 1
    path.write_bytes(content)
    monkeypatch.setattr(zipfile.ZipFile, "testzip", lambda _: pytest.fail("it was read"))
    assert "is a compressed archive" in refused(path)


def test_all_official_weights_load(shared):
    paths = sorted((shared / "weights").rglob("*.model"))
    assert len(paths) >= 4
    assert all(load_state_dict(path) for path in paths)
