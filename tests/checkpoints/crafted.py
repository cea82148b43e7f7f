"""Files that torch.save did not write: pickles made by hand, in the zip form and in the one before PyTorch 1.6."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

STATE = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.tensor([1.0, 2.0])}
FORMS = ["zip", "legacy"]
_PLACE = "a-trap-comes-here"


class Canary:
    """Touches its file when anything in it is called, built or given a state."""

    path: Path

    def __new__(cls, *_: Any, **__: Any) -> Canary:
        cls.sing()
        return object.__new__(cls)

    def __setstate__(self, _: Any) -> None:
        self.sing()

    @classmethod
    def sing(cls, *_: Any, **__: Any) -> None:
        cls.path.touch()


def text(value: str) -> bytes:
    """The instruction BINUNICODE."""
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def name(module: str, attribute: str) -> bytes:
    """The instruction GLOBAL."""
    return f"c{module}\n{attribute}\n".encode()


CANARY = name(__name__, "Canary")
SING = name(__name__, "Canary.sing")
EXTENSION = 0x7ABCDE  # code that the tests register for the canary


def traps(canary: Path) -> dict[str, bytes]:
    """Instructions that leave one object on the stack, and that make Python's own machine touch the canary."""
    shell = f"touch {canary}"
    system = name(os.system.__module__, "system")
    return {
        "reduce": system + text(shell) + b"\x85R",
        "stack global": text(os.system.__module__) + text("system") + b"\x93" + text(shell) + b"\x85R",
        "stack global, dotted": text(__name__) + text("Canary.sing") + b"\x93)R",
        "inst": b"(" + text(shell) + f"i{os.system.__module__}\nsystem\n".encode(),
        "obj": b"(" + system + text(shell) + b"o",
        "newobj": CANARY + b")\x81",
        "newobj_ex": CANARY + b")}\x92",
        "class": CANARY + b")R",
        "eval": name("builtins", "eval") + text(f"__import__('os').system({shell!r})") + b"\x85R",
        "getattr": name("builtins", "getattr") + name("os", "path") + text("os") + b"\x86R0"
        + name("builtins", "getattr") + name("shutil", "os") + text("system") + b"\x86R" + text(shell) + b"\x85R",
        "nested": b"]" + system + text(shell) + b"\x85Ra}" + text("a") + b"(" + system + text(shell) + b"\x85Rtsa",
        "setstate": name("copyreg", "__newobj__") + CANARY + b"\x85R}" + text("a") + b"K\x01sb",
        "build on a list": b"]" + system + text(shell) + b"\x85Ra",
        "extension": b"\x84" + struct.pack("<i", EXTENSION) + b")R",
        "memo": system + b"r\xff\xff\x00\x000" + b"j\xff\xff\x00\x00" + text(shell) + b"\x85R",
        "memo by text": system + b"p777\n0g777\n" + text(shell) + b"\x85R",
        "duplicate": system + b"2" + text(shell) + b"\x85R" + b"\x86",
        "pickle in a pickle": name("pickle", "loads")
        + (lambda inner: b"C" + bytes([len(inner)]) + inner)(b"\x80\x04" + SING + b")R.") + b"\x85R",
        "in a known call": name("collections", "OrderedDict") + b"]" + SING + b")R" + SING + b")R\x86a\x85R",
        "in a set": b"\x8f(" + SING + b")R\x90",
        "under a mark": b"(" + SING + b")R1N",
    }  # fmt: skip


def saved(path: Path, content: Any, form: str, protocol: int = 2) -> Path:
    """What torch itself writes."""
    torch.save(content, path, _use_new_zipfile_serialization=form == "zip", pickle_protocol=protocol)
    return path


def saved_with_trap(path: Path, trap: bytes, form: str, content: Mapping[str, Any] | None = None) -> Path:
    """A checkpoint with the state dict ``model`` and, beside it, a trap."""
    saved(path, {"model": STATE} | dict(content or {}) | {"trap": _PLACE}, form)
    if form == "legacy":
        path.write_bytes(_replaced(path.read_bytes(), text(_PLACE), trap))
        return path
    entries = entries_of(path)
    pickle = next(key for key in entries if key.endswith("data.pkl"))
    return write_zip(path, entries | {pickle: _replaced(entries[pickle], text(_PLACE), trap)})


def _replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    assert content.count(old) == 1
    return content.replace(old, new)


def entries_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def write_zip(path: Path, entries: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for key, content in entries.items():
            archive.writestr(key, content)
    return path


def crafted(path: Path, pickle: bytes, form: str = "zip", storages: Mapping[str, bytes] | None = None) -> Path:
    """A checkpoint whose object is the given pickle (without PROTO and STOP)."""
    pickle = b"\x80\x02" + pickle + b"."
    storages = storages or {}
    if form == "zip":
        return write_zip(path, {"a/data.pkl": pickle} | {f"a/data/{key}": value for key, value in storages.items()})
    buffer = io.BytesIO()
    torch.save(None, buffer, _use_new_zipfile_serialization=False)
    # The last two pickles are None and the empty list of keys.
    start = buffer.getvalue().removesuffix(b"\x80\x02N.\x80\x02]q\x00.")
    assert len(start) < len(buffer.getvalue())
    keys = b"](" + b"".join(text(key) for key in storages) + b"e"
    blocks = b"".join(struct.pack("<q", len(value) // 4) + value for value in storages.values())
    path.write_bytes(start + pickle + b"\x80\x02" + keys + b"." + blocks)
    return path


def number(value: int) -> bytes:
    """The instruction LONG4."""
    content = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8b" + struct.pack("<i", len(content)) + content


def numbers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(
    length: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    offset: int = 0,
    key: str = "0",
    kind: bytes = name("torch", "FloatStorage"),
    legacy: bool = False,
) -> bytes:
    """Instructions that describe a tensor of a storage."""
    reference = b"(" + text("storage") + kind + text(key) + text("cpu") + number(length) + b"N" * legacy + b"tQ"
    entry = reference + number(offset) + numbers(size) + numbers(stride) + b"\x89)R"
    return name("torch._utils", "_rebuild_tensor_v2") + b"(" + entry + b"tR"


def table(**entries: bytes) -> bytes:
    """Instructions that make a dict."""
    return b"}(" + b"".join(text(key) + value for key, value in entries.items()) + b"u"
