"""safetensors files load like any other checkpoint, and broken or hostile ones give one clear sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from asdbench.checkpoints.identify import identify
from asdbench.checkpoints.load import load_checkpoint, load_state_dict
from asdbench.checkpoints.safe_tensors import HEADER_LIMIT
from asdbench.errors import CheckpointError
from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state
from tests.standin import write_safetensors

STATE = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([1.0, 2.0]), "count": torch.tensor(3)}
ENTRY = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
EMPTY = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}


def refused(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def raw(path: Path, header: Any, body: bytes = bytes(8), length: int | None = None) -> Path:
    """Write a file by hand; ``header`` is text, or what becomes JSON."""
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + body)
    return path


@pytest.mark.parametrize("name", ["a.safetensors", "a.model"])
def test_the_format_is_recognised_by_content(tmp_path: Path, name: str):
    checkpoint = load_checkpoint(write_safetensors(tmp_path / name, STATE, 56))
    assert set(checkpoint.state) == set(STATE)
    for key, tensor in STATE.items():
        torch.testing.assert_close(checkpoint.state[key], tensor, rtol=0, atol=0)
    assert (checkpoint.metadata, checkpoint.face_size) == ({"asdbench.face_size": "56"}, 56)


def test_other_formats_under_its_name_load_and_have_no_metadata(tmp_path: Path):
    torch.save(STATE, tmp_path / "a.safetensors")
    checkpoint = load_checkpoint(tmp_path / "a.safetensors")
    assert list(checkpoint.state) == list(STATE)
    assert (checkpoint.metadata, checkpoint.face_size) == ({}, None)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_becomes_float32(tmp_path: Path, dtype: torch.dtype):
    state = {"w": torch.tensor([1.5, -2.25]).to(dtype), "count": torch.tensor(3)}
    found = load_state_dict(write_safetensors(tmp_path / "a.safetensors", state))
    assert (found["w"].dtype, found["count"].dtype) == (torch.float32, torch.int64)
    torch.testing.assert_close(found["w"], torch.tensor([1.5, -2.25]), rtol=0, atol=0)


def test_the_prefix_of_data_parallel_is_removed(tmp_path: Path):
    state = {f"module.{key}": tensor for key, tensor in STATE.items()}
    assert set(load_state_dict(write_safetensors(tmp_path / "a.safetensors", state))) == set(STATE)


def test_a_file_is_identified_by_its_keys(tmp_path: Path):
    state = seeded_state(ARCHITECTURES.load("lr-asd")())
    info = identify(write_safetensors(tmp_path / "mine.safetensors", state, 64))
    assert (info.architecture, info.face_size, info.name) == ("lr-asd", 64, None)


def test_the_face_size_is_part_of_the_identity(tmp_path: Path):
    files = [write_safetensors(tmp_path / f"{size}.safetensors", STATE, size) for size in (56, 64, None)]
    assert len({identify(path).sha256 for path in files}) == 3


@pytest.mark.parametrize("size", ["15", "513", "0", "-56", "056", "56.0", " 56", "", "five", "1e2", "٥٦", "9" * 5000])
def test_a_face_size_that_is_none_is_refused(tmp_path: Path, size: str):
    message = refused(write_safetensors(tmp_path / "a.safetensors", STATE, size))
    assert "asdbench.face_size = " in message
    assert "from 16 to 512" in message


@pytest.mark.parametrize("size", [16, 512])
def test_the_smallest_and_the_largest_face_size(tmp_path: Path, size: int):
    assert load_checkpoint(write_safetensors(tmp_path / "a.safetensors", STATE, size)).face_size == size


@pytest.mark.parametrize("kept", [1, 8, 9, 60, -1])
def test_truncated(tmp_path: Path, kept: int):
    path = write_safetensors(tmp_path / "a.safetensors", STATE)
    path.write_bytes(path.read_bytes()[:kept])
    assert "truncated, damaged or no safetensors file" in refused(path)


def test_bytes_that_no_entry_names(tmp_path: Path):
    path = write_safetensors(tmp_path / "a.safetensors", STATE)
    path.write_bytes(path.read_bytes() + b"hidden")
    assert "no safetensors file" in refused(path)


@pytest.mark.parametrize("length", [HEADER_LIMIT + 1, 1 << 39, (1 << 64) - 1])
def test_a_header_that_is_too_long_is_not_read(tmp_path: Path, length: int):
    message = refused(raw(tmp_path / "a.safetensors", {"w": ENTRY}, length=length))
    assert f"header of {length:,} bytes" in message
    assert f"{HEADER_LIMIT:,} that are read" in message


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("{broken", "header is not readable"),
        ('{"w": ' + "[" * 100_000, "header is not readable"),
        ('{"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, ' + "9" * 5000 + "]}}", "header is not readable"),
        ('{"w": 1, "w": 2}', "an entry is there twice"),
        ({"__metadata__": {"n": 1}, "w": ENTRY}, "__metadata__ is no table of texts"),
        ({"__metadata__": ["n"], "w": ENTRY}, "__metadata__ is no table of texts"),
        ({"w": [1]}, "holds 'w' as None"),
        ({"w": {**ENTRY, "dtype": "F8_E4M3", "shape": [8]}}, "holds 'w' as 'F8_E4M3'"),
        ({"w": {**ENTRY, "dtype": ["F32"]}}, "holds 'w' as ['F32']"),
        ({"w": {**ENTRY, "shape": [3]}}, "no safetensors file"),
        ({"w": {**ENTRY, "shape": [1 << 62, 1 << 62]}}, "no safetensors file"),
        ({"w": {**ENTRY, "shape": [-2]}}, "no safetensors file"),
        ({"w": {**ENTRY, "data_offsets": [0, 1 << 60]}}, "no safetensors file"),
        ({"w": {**ENTRY, "data_offsets": [8, 0]}}, "no safetensors file"),
        ({"v": ENTRY, "w": ENTRY}, "no safetensors file"),
        ({"w": {"dtype": "F32"}}, "the shape of 'w' is not that of a tensor"),
        ({"w": {**ENTRY, "shape": "2"}}, "the shape of 'w'"),
        ({"w": {**ENTRY, "shape": [2.0]}}, "the shape of 'w'"),
        ({"w": {**ENTRY, "shape": [True, 2]}}, "the shape of 'w'"),
        ({"w": {**ENTRY, "shape": [1] * 8 + [2]}}, "the shape of 'w'"),
        ({"w": {**EMPTY, "shape": [0, 1 << 62, 1 << 62]}}, "the shape of 'w'"),
        ({"w": {**EMPTY, "shape": [0, (1 << 64) - 1]}}, "the shape of 'w'"),
        ({"w": {**EMPTY, "shape": [0] * 70}}, "the shape of 'w'"),
        ({"w": {**EMPTY, "shape": [0, *[1 << 31] * 7]}}, "no safetensors file"),
    ],
    ids=range(24),
)
def test_a_broken_or_hostile_header(tmp_path: Path, header: Any, words: str):
    body = bytes(0 if '"data_offsets": [0, 0]' in json.dumps(header) else 8)
    assert words in refused(raw(tmp_path / "a.safetensors", header, body))


def test_an_error_of_the_library_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write_safetensors(tmp_path / "a.safetensors", STATE)
    for error in (RuntimeError, TypeError, ValueError, OverflowError):
        monkeypatch.setattr(safetensors.torch, "load", lambda _, error=error: raising(error("what it said")))
        assert "no safetensors file" in (message := refused(path))
        assert "what it said" in message


def raising(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("content", [b"some text that is no header", b"[1]", bytes(100)])
def test_something_else_under_its_name(tmp_path: Path, content: bytes):
    (tmp_path / "a.safetensors").write_bytes(content)
    message = refused(tmp_path / "a.safetensors")
    assert "safetensors" in message


def test_a_file_without_weights(tmp_path: Path):
    assert "empty dict" in refused(raw(tmp_path / "a.safetensors", {"__metadata__": {}}, b""))


def test_numbers_that_are_not_finite(tmp_path: Path):
    state = {**STATE, "broken": torch.tensor([1.0, float("nan")], dtype=torch.bfloat16)}
    assert "not finite (in 'broken')" in refused(write_safetensors(tmp_path / "a.safetensors", state))


def test_an_empty_tensor_loads(tmp_path: Path):
    safetensors.torch.save_file({"none": torch.zeros(0, 3)}, tmp_path / "a.safetensors")
    assert load_state_dict(tmp_path / "a.safetensors")["none"].shape == (0, 3)
