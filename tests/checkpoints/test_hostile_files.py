"""Files made to do harm: nothing in them runs, nothing swells, and each ends in one clear sentence."""

from __future__ import annotations

import collections
import copyreg
import io
import pickle
import struct
import time
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asdbench.checkpoints import inert_pickle, pickled_tensors, torch_file
from asdbench.checkpoints.convert import convert
from asdbench.checkpoints.load import load_state_dict
from asdbench.errors import CheckpointError
from tests.checkpoints.crafted import (
    CANARY,
    EXTENSION,
    FORMS,
    SING,
    STATE,
    Canary,
    crafted,
    entries_of,
    name,
    number,
    saved,
    saved_with_trap,
    table,
    tensor,
    text,
    traps,
    write_zip,
)

TRAPS = list(traps(Path("x")))
REBUILD = name("torch._utils", "_rebuild_tensor_v2")


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(Canary, "path", tmp_path / "canary", raising=False)
    copyreg.add_extension(Canary.__module__, "Canary.sing", EXTENSION)
    yield tmp_path / "canary"
    copyreg.remove_extension(Canary.__module__, "Canary.sing", EXTENSION)


def refused(path: Path) -> str:
    target = path.with_suffix(".safetensors")
    before = set(path.parent.iterdir())
    with pytest.raises(CheckpointError) as caught:
        convert(path, target)
    assert caught.value.exit_code == 6
    assert set(path.parent.iterdir()) == before, "nothing is left behind"
    message = str(caught.value)
    assert str(path) in message
    assert message.isprintable()
    assert len(message) < 1000
    return message


@pytest.mark.parametrize("trap", TRAPS)
def test_the_traps_of_the_next_tests_work(tmp_path: Path, canary: Path, trap: str):
    pickle.loads(b"\x80\x04" + traps(canary)[trap] + b".")
    assert canary.exists()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_beside_a_state_dict_is_left_out(tmp_path: Path, canary: Path, trap: str, form: str):
    path = saved_with_trap(tmp_path / "a.pt", traps(canary)[trap], form)
    done = convert(path, tmp_path / "a.safetensors")
    assert not canary.exists()
    assert (done.key, done.entries, done.left_out) == ("model", 2, ())
    assert done.foreign
    state = load_state_dict(tmp_path / "a.safetensors")
    for key, expected in STATE.items():
        torch.testing.assert_close(state[key], expected, rtol=0, atol=0)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_alone_is_refused(tmp_path: Path, canary: Path, trap: str, form: str):
    assert "holds no table of tensors; save a state dict" in refused(
        crafted(tmp_path / "a.pt", traps(canary)[trap], form)
    )
    assert not canary.exists()


@pytest.mark.parametrize("trap", TRAPS)
def test_a_plain_pickle_is_refused(tmp_path: Path, canary: Path, trap: str):
    path = tmp_path / "a.pt"
    path.write_bytes(b"\x80\x04" + traps(canary)[trap] + b".")
    assert "not one of torch.save" in refused(path)
    assert not canary.exists()


@pytest.mark.parametrize("place", ["first", "version", "facts", "keys"])
def test_every_pickle_of_the_old_form_is_inert(tmp_path: Path, canary: Path, place: str):
    trap = b"\x80\x02" + SING + b")R."
    parts = [b"\x80\x02" + number(0x1950A86A20F9469CFC6C) + b".", b"\x80\x02M\xe9\x03."]
    parts += [b"\x80\x02" + table(little_endian=b"\x88") + b".", b"\x80\x02" + table(a=tensor(0, (0,), (1,))) + b"."]
    parts += [b"\x80\x02]" + text("0") + b"a."]
    parts[["first", "version", "facts", "object", "keys"].index(place)] = trap
    (tmp_path / "a.pt").write_bytes(b"".join(parts) + struct.pack("<q", 0))
    refused(tmp_path / "a.pt")
    assert not canary.exists()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "reference",
    [
        SING + b")RQ",
        CANARY + b")\x81Q",
        SING + b"Q",
        b"(" + text("storage") + SING + text("0") + text("cpu") + b"K\x01N" + b"tQ",
        b"(" + text("storage") + name("torch", "FloatStorage") + SING + b")R" + text("cpu") + b"K\x01NtQ",
        b"(" + text("module") + CANARY + text("a.py") + text("import os") + b"tQ",
        b"Psome-persistent-id\n",
    ],
)
def test_references_out_of_the_pickle_run_nothing(tmp_path: Path, canary: Path, reference: bytes, form: str):
    path = saved_with_trap(tmp_path / "a.pt", reference, form)
    assert convert(path, tmp_path / "a.safetensors").entries == 2
    assert not canary.exists()
    entry = REBUILD + b"(" + reference + b"K\x00K\x01\x85K\x01\x85\x89)RtR"
    assert "no table of tensors" in refused(crafted(tmp_path / "b.pt", table(a=entry), form))
    assert not canary.exists()


@pytest.mark.parametrize(
    "call",
    [
        name("torch._tensor", "_rebuild_from_type_v2") + b"(" + SING + CANARY + b")NtR",
        name("torch._tensor", "_rebuild_from_type_v2") + b"(" + REBUILD + CANARY + SING + b")R\x85NtR",
        name("torch._utils", "_rebuild_parameter") + b"(" + SING + b")R\x89)RtR",
        name("torch", "Size") + SING + b"\x85R",
        name("torch", "Size") + text("abc") + b"\x85R",
        name("collections", "defaultdict") + SING + b"\x85R",
        name("collections", "OrderedDict") + CANARY + b"\x85R",
        name("collections", "OrderedDict") + SING + b")R" + CANARY + b"\x86R",
        REBUILD + b")R",
        REBUILD + SING + b"R",
        REBUILD + SING + b")R\x85R",
        name("torch.storage", "_load_from_bytes") + b"C\x04abcd\x85R",
    ],
)
def test_known_functions_take_nothing_but_what_they_expect(tmp_path: Path, canary: Path, call: bytes):
    path = saved_with_trap(tmp_path / "a.pt", call, "zip")
    assert convert(path, tmp_path / "a.safetensors").entries == 2
    assert not canary.exists()


@pytest.mark.parametrize("target", [REBUILD, name("collections", "OrderedDict"), b"}", name("torch", "Size"), b"N"])
def test_a_state_changes_nothing_that_exists(tmp_path: Path, target: bytes):
    before = (
        dict(vars(torch._utils._rebuild_tensor_v2)),
        set(vars(collections.OrderedDict)),
        vars(pickled_tensors).copy(),
    )
    state = table(__defaults__=b"K\x01\x85", __dict__=b"}", keys=b"N", text=text("builtins.eval"))
    for wanted in (state, b"N" + state + b"\x86"):
        path = saved_with_trap(tmp_path / "a.pt", target + wanted + b"b", "zip")
        assert convert(path, tmp_path / "a.safetensors", force=True).entries == 2
    assert before[0] == vars(torch._utils._rebuild_tensor_v2)
    assert before[1] == set(vars(collections.OrderedDict))
    assert before[2] == vars(pickled_tensors)


@pytest.mark.parametrize(
    ("entry", "length"),
    [
        (tensor(4, (5,), (1,)), 4),
        (tensor(4, (4,), (1,), offset=1), 4),
        (tensor(4, (4,), (1,), offset=-1), 4),
        (tensor(4, (-4,), (1,)), 4),
        (tensor(4, (2, 2), (2, -1)), 4),
        (tensor(4, (2,), (1, 1)), 4),
        (tensor(4, (1 << 39,), (0,)), 4),
        (tensor(4, (8,), (0,)), 4),
        (tensor(4, (1 << 64,), (1,)), 4),
        (tensor(4, (1 << 4000,), (1,)), 4),
        (tensor(4, (1,) * 9, (1,) * 9), 4),
        (tensor(4, (1 << 33, 1 << 33, 0), (1, 1, 1), offset=1 << 60), 4),
    ],
)
def test_a_tensor_stays_within_its_numbers(tmp_path: Path, entry: bytes, length: int):
    path = crafted(tmp_path / "a.pt", table(a=entry), storages={"0": bytes(4 * length)})
    assert "reaches beyond its numbers" in refused(path)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("length", [3, 5, 1 << 39])
def test_a_storage_is_as_long_as_its_tensors_say(tmp_path: Path, form: str, length: int):
    entry = tensor(length, (1,), (1,), legacy=form == "legacy")
    path = crafted(tmp_path / "a.pt", table(a=entry), form, {"0": bytes(16)})
    assert "not as long as its tensors say" in refused(path)


@pytest.mark.parametrize("length", [-1, 1 << 62, 1 << 4000])
def test_a_storage_of_absurd_length_is_none(tmp_path: Path, length: int):
    path = crafted(tmp_path / "a.pt", table(a=tensor(length, (1,), (1,))), storages={"0": bytes(16)})
    assert "no table of tensors" in refused(path)


@pytest.mark.parametrize("key", ["../../a/data/0", "/etc/hostname", "..\\0", "", "1", "0/", "\0"])
def test_the_name_of_a_storage_is_no_path(tmp_path: Path, key: str):
    path = crafted(tmp_path / "a.pt", table(a=tensor(4, (1,), (1,), key=key)), storages={"0": bytes(16)})
    assert "a file is missing in its archive" in refused(path)


def test_tensors_that_share_numbers_do_not_swell_without_bounds(tmp_path: Path):
    shared = {f"t{i}": tensor(1000, (1000,), (1,)) for i in range(60)}
    path = crafted(tmp_path / "a.pt", table(**shared), storages={"0": bytes(4000)})
    assert "more than 4 times as large as the file" in refused(path)
    few = {f"t{i}": tensor(1000, (1000,), (1,)) for i in range(3)}
    path = crafted(tmp_path / "b.pt", table(**few), storages={"0": bytes(4000)})
    assert convert(path, tmp_path / "b.safetensors").entries == 3


@pytest.mark.parametrize("which", ["data.pkl", "data/0"])
def test_nothing_compressed_is_read(tmp_path: Path, which: str):
    path = crafted(tmp_path / "a.pt", table(a=tensor(1 << 20, (1,), (1,))), storages={"0": bytes(4 << 20)})
    with zipfile.ZipFile(tmp_path / "b.pt", "w") as archive:
        for key, content in entries_of(path).items():
            archive.writestr(key, content, zipfile.ZIP_DEFLATED if key.endswith(which) else zipfile.ZIP_STORED)
    assert "compressed" in refused(tmp_path / "b.pt")


@pytest.mark.parametrize("which", ["a/data.pkl", "a/data/0"])
def test_two_files_of_one_name(tmp_path: Path, which: str):
    path = crafted(tmp_path / "a.pt", table(a=tensor(4, (1,), (1,))), storages={"0": bytes(16)})
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr(which, b"other")
    assert "two files of one name" in refused(path)


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"a/data.pkl": b"N.", "b/data.pkl": b"N."}, "2 files data.pkl"),
        ({"a/other": b""}, "0 files data.pkl"),
        ({"a/b/data.pkl": b"N."}, "0 files data.pkl"),
        ({"a/data.pkl": b"N.", "a/byteorder": b"big"}, "not little-endian"),
        ({"a/data.pkl": b""}, "its pickle"),
        ({"a/data.pkl": b"\x80\x02"}, "its pickle"),
        ({"a/data.pkl": b"\x80\x02R."}, "more from the stack"),
        ({"a/data.pkl": b"\x80\x02u."}, "its pickle is broken"),
        ({"a/data.pkl": b"\x80\x02j\x01\x00\x00\x00."}, "its pickle is broken"),
        ({"a/data.pkl": b"\x80\x05N\x98."}, "the instruction READONLY_BUFFER"),
        ({"a/data.pkl": b"K\x01K\x02a."}, "appends to what is no list"),
        ({"a/data.pkl": b"K\x01K\x02K\x03s."}, "no table"),
        ({"a/data.pkl": b"}(K\x01u."}, "no table"),
        ({"a/data.pkl": b"Np99999999999999999999\n."}, "numbers an object wrongly"),
        ({"a/data.pkl": b"\x8e" + struct.pack("<Q", 1 << 62) + b"abc."}, "its pickle"),
        ({"a/data.pkl": b"\x8b" + struct.pack("<i", (1 << 31) - 1) + b"abc."}, "its pickle"),
        ({"a/data.pkl": b"I" + b"9" * 5000 + b"\n."}, "its pickle"),
        ({"a/data.pkl": b"\x80\x02X\x01\x00\x00\x00a" + SING + b"\x93."}, "no table of tensors"),
    ],
)
def test_broken_archives_and_pickles(tmp_path: Path, entries: dict[str, bytes], words: str):
    assert words in refused(write_zip(tmp_path / "a.pt", entries))


def test_a_name_in_an_archive_that_is_no_text(tmp_path: Path):
    """The names before the files themselves are read later than those in the directory at the end."""
    path = saved(tmp_path / "a.pt", STATE, "zip")
    content = bytearray(path.read_bytes())
    place = content.index(b"/data/0", content.index(b"PK\x03\x04")) + len("/data/")
    content[place] = 0x80
    flags = content.rindex(b"PK\x03\x04", 0, place) + 6
    content[flags + 1] |= 0x08  # names are UTF-8
    path.write_bytes(content)
    assert "its archive is broken" in refused(path)
    with pytest.raises(CheckpointError, match="truncated, damaged or no PyTorch checkpoint"):
        load_state_dict(path)


def test_an_encrypted_archive(tmp_path: Path):
    path = crafted(tmp_path / "a.pt", table(a=tensor(4, (1,), (1,))), storages={"0": bytes(16)})
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    assert "its archive is broken" in refused(path)


@pytest.mark.parametrize("form", FORMS)
def test_pickles_have_a_longest_length_and_a_largest_number_of_instructions(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
):
    path = crafted(tmp_path / "a.pt", b"N0" * 5000 + b"N", form)
    monkeypatch.setattr(inert_pickle, "INSTRUCTIONS", 9000)
    assert "more than 9,000 instructions" in refused(path)
    monkeypatch.setattr(inert_pickle, "INSTRUCTIONS", 1 << 30)
    assert "no table of tensors" in refused(path)
    monkeypatch.setattr(torch_file, "PICKLE_LIMIT", 9000)
    assert {"zip": "longer than 9,000 bytes", "legacy": "its pickle"}[form] in refused(path)


LONG = "x" * (inert_pickle.LONGEST_NAME + 1)


@pytest.mark.parametrize(
    "trap",
    [
        name("m", LONG),
        name(LONG, "a"),
        text(LONG) + text("a") + b"\x93",
        text("m") + text(LONG) + b"\x93",
        b"(" + f"im\n{LONG}\n".encode(),
    ],
)
def test_names_have_a_longest_length(tmp_path: Path, trap: bytes):
    assert "names something in more than 1,000 characters" in refused(crafted(tmp_path / "a.pt", trap))
    shorter = crafted(tmp_path / "b.pt", trap.replace(b"xx", b"x", 1).replace(*_counts(LONG)))
    assert "no table of tensors" in refused(shorter)


def _counts(long: str) -> tuple[bytes, bytes]:
    return b"X" + struct.pack("<I", len(long)), b"X" + struct.pack("<I", len(long) - 1)


_MEMO_LIST = b"](" + b"N" * 1000 + b"eq\x010"
_MEMO_TUPLE = b"(" + b"K\x01" * 1000 + b"tq\x010"
_MEMO_PAIRS = b"](" + b"".join(text(str(i)) + b"N\x86" for i in range(1000)) + b"eq\x010"


@pytest.mark.parametrize(
    ("start", "again"),
    [
        (_MEMO_LIST + name("torch", "Size") + b"q\x020", b"h\x02h\x01\x85R"),
        (_MEMO_PAIRS + name("collections", "OrderedDict") + b"q\x020", b"h\x02h\x01\x85R"),
        (_MEMO_TUPLE + REBUILD + b"q\x020", b"h\x02(NK\x00h\x01h\x01tR"),
        (
            _MEMO_TUPLE + name("torch._tensor", "_rebuild_from_type_v2") + b"q\x020" + REBUILD + b"q\x030",
            b"h\x02(h\x03N(NK\x00h\x01h\x01tNtR",
        ),
        (text("m" * 500) + b"q\x010" + text("a" * 500) + b"q\x020", b"h\x01h\x02\x93"),
    ],
    ids=["Size", "OrderedDict", "tensor", "tensor with attributes", "name"],
)
def test_what_is_built_out_of_little_counts_by_its_length(
    tmp_path: Path, start: bytes, again: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(inert_pickle, "INSTRUCTIONS", 20_000)
    once = crafted(tmp_path / "a.pt", b"](" + start + again + b"e")
    assert "no table of tensors" in refused(once)
    often = crafted(tmp_path / "b.pt", b"](" + start + again * 50 + b"e")
    assert "more than 20,000 instructions, counted with the length of what they build" in refused(often)


def _deep() -> bytes:
    return b"]" + b"]" * 20_000 + b"a" * 20_000


def _wide() -> bytes:
    """A tuple of two that are the same, sixty times over: its hash takes for ever."""
    return b"}" + b")" + b"2\x86" * 60 + b"Ns"


def _colliding() -> bytes:
    prime = (1 << 61) - 1
    return b"}(" + b"".join(number(i * prime) + b"N" for i in range(1, 3000)) + b"u"


def _one_table_many_times() -> bytes:
    inner = b"}(" + b"".join(text(str(i)) + b"}" for i in range(3000)) + b"uq\x01"
    return b"}(" + text("x") + inner + b"".join(text(str(i)) + b"h\x01" for i in range(10_000)) + b"u"


@pytest.mark.parametrize("content", [_deep(), _wide(), _colliding(), _one_table_many_times()])
def test_nesting_and_sharing_take_no_time(tmp_path: Path, content: bytes):
    start = time.monotonic()
    assert "no table of tensors" in refused(crafted(tmp_path / "a.pt", content))
    assert time.monotonic() - start < 20


def test_whole_numbers_that_share_a_hash_are_no_keys():
    """A dict of them crawls, as above, but only by their thousands."""
    assert inert_pickle.Machine().run(io.BytesIO(_colliding() + b".")) == {}
    assert inert_pickle.Machine().run(io.BytesIO(b"}(" + number((1 << 60) - 1) + b"Nu.")) == {(1 << 60) - 1: None}


def test_any_byte_of_a_truth_value_but_zero_is_true(tmp_path: Path):
    entry = tensor(3, (3,), (1,), kind=name("torch", "BoolStorage"))
    convert(crafted(tmp_path / "a.pt", table(a=entry), storages={"0": b"\x00\x01\x02"}), tmp_path / "a.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes().endswith(b"\x00\x01\x01")


@pytest.mark.parametrize("key", ["__metadata__", "line\nend", "\x1b[31m", "x\u202e"])
def test_names_of_tensors_are_for_people_to_read(tmp_path: Path, key: str):
    path = crafted(tmp_path / "a.pt", table(**{key: tensor(4, (1,), (1,))}), storages={"0": bytes(16)})
    assert "a tensor in it is called" in refused(path)


def test_old_files_that_contradict_themselves(tmp_path: Path):
    one = table(a=tensor(4, (1,), (1,), legacy=True))
    assert "does not fit its tensors" in refused(crafted(tmp_path / "a.pt", one, "legacy"))
    assert "does not fit" in refused(crafted(tmp_path / "b.pt", one, "legacy", {"0": bytes(16), "1": bytes(16)}))
    two = table(a=tensor(4, (1,), (1,), legacy=True), b=tensor(5, (1,), (1,), legacy=True))
    assert "share a name" in refused(crafted(tmp_path / "c.pt", two, "legacy", {"0": bytes(16)}))
    path = crafted(tmp_path / "d.pt", one, "legacy", {"0": bytes(16)})
    path.write_bytes(path.read_bytes()[:-1])
    assert "ends within its numbers" in refused(path)


_SOURCES: dict[str, bytes] = {}


def _source(form: str, folder: Path) -> bytes:
    if form not in _SOURCES:
        _SOURCES[form] = saved(folder / "source.pt", {"model": STATE, "epoch": 3}, form).read_bytes()
        (folder / "source.pt").unlink()
    return _SOURCES[form]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), form=st.sampled_from(FORMS))
def test_whatever_the_bytes_there_is_a_result_or_a_clear_error(tmp_path: Path, data: st.DataObject, form: str):
    content = bytearray(_source(form, tmp_path))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    kept = data.draw(st.sampled_from([len(content), data.draw(st.integers(1, len(content)))]))
    path, target = tmp_path / "a.pt", tmp_path / "a.safetensors"
    path.write_bytes(content[:kept])
    target.unlink(missing_ok=True)
    try:
        convert(path, target)
    except CheckpointError as error:
        assert str(path) in str(error)
        assert not target.exists()
    else:
        with suppress(CheckpointError):  # numbers that are not finite
            load_state_dict(target)
