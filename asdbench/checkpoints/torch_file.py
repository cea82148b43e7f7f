"""Read what ``torch.save`` writes without torch's loader: the zip form, and the one before PyTorch 1.6.

The pickle in it is read by `inert_pickle.Machine`, the numbers by this module. Nothing is unpacked to the disk, and no
name in the file is ever taken for a path.

Formats: ``torch/serialization.py`` of PyTorch. The zip form holds ``NAME/data.pkl`` and ``NAME/data/KEY`` for each
storage, uncompressed. The old form is five pickles in a row (a magic number, a version, facts about the machine, the
object, the keys of its storages) and then the storages, each as a length in eight bytes and its numbers.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import torch
from torch import Tensor

from asdbench.checkpoints.files import damaged
from asdbench.checkpoints.inert_pickle import Machine, MalformedError
from asdbench.checkpoints.pickled_tensors import Inert, Name, Storage, TensorEntry
from asdbench.errors import CheckpointError

PICKLE_LIMIT = 64 << 20
"""Longest pickle that is read, in bytes; the numbers of the tensors lie outside of it."""

_ZIP = b"PK\x03\x04"
_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001
_TYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_BROKEN = (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, UnicodeDecodeError)  # of zipfile
_MOST_SIDES, _LONGEST = 8, 1 << 40


class _Blocks(Protocol):
    """Gives the bytes of a storage."""

    def read(self, storage: Storage) -> bytes: ...


@dataclass(frozen=True)
class TorchFile:
    """An opened file.

    Attributes:
        content: What was saved: plain containers, `TensorEntry` and `Inert`.
        foreign: What the file would have imported and called; none of it was.
        path: The file.
    """

    content: Any
    foreign: tuple[str, ...]
    path: Path
    _blocks: _Blocks

    def tensor(self, entry: TensorEntry, numbers: Tensor) -> Tensor:
        """Return a tensor with memory of its own.

        Args:
            entry: Says where it lies.
            numbers: What `read` returned for its storage.

        Raises:
            CheckpointError: The entry reaches beyond its storage, or repeats numbers.
        """
        if not _fits(entry):
            raise damaged(self.path, "a tensor in it reaches beyond its numbers")
        return numbers.as_strided(entry.size, entry.stride, entry.offset).clone(memory_format=torch.contiguous_format)

    def read(self, storage: Storage) -> Tensor:
        """Return all numbers of a storage, ``[length]``.

        Raises:
            CheckpointError: The file does not hold them, or their checksum differs.
        """
        try:
            content = self._blocks.read(storage)
        except (*_BROKEN, MalformedError) as error:
            raise damaged(self.path, _reason(error)) from error
        return _numbers(content, _TYPES[storage.kind])


def _fits(entry: TensorEntry) -> bool:
    """Whether a tensor lies within its storage and has no more numbers than that; sizes come from anyone's file."""
    sides = len(entry.size) == len(entry.stride) <= _MOST_SIDES
    if not sides or not all(0 <= number < _LONGEST for number in (entry.offset, *entry.size, *entry.stride)):
        return False
    count = math.prod(entry.size)
    last = entry.offset + sum((side - 1) * step for side, step in zip(entry.size, entry.stride, strict=True))
    return count == 0 or (count <= entry.storage.length and last < entry.storage.length)


def nbytes(entry: TensorEntry) -> int:
    """Return how many bytes a tensor has when it stands alone."""
    return math.prod(entry.size) * _TYPES[entry.storage.kind].itemsize if _fits(entry) else 0


def _numbers(content: bytes, kind: torch.dtype) -> Tensor:
    if not content:
        return torch.empty(0, dtype=kind)
    if kind is torch.bool:  # another byte than 0 and 1 is no truth value that torch could work with
        return torch.frombuffer(bytearray(content), dtype=torch.uint8) != 0
    return torch.frombuffer(bytearray(content), dtype=kind)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, MalformedError) else "its archive is broken"


@contextmanager
def open_torch_file(path: Path) -> Iterator[TorchFile]:
    """Open a file that ``torch.save`` wrote; nothing in it is executed.

    Raises:
        CheckpointError: It is truncated, damaged, made to do harm, or of another format.
    """
    try:
        with path.open("rb") as file:
            start = file.read(512)
            file.seek(0)
            if start[257:262] == b"ustar":
                raise CheckpointError(
                    f"{path} is in the tar format of PyTorch before 0.1.10, which is not read; save it anew."
                )
            try:
                found = _open_zip(file, path) if start.startswith(_ZIP) else _open_legacy(file, path)
            except (*_BROKEN, ValueError) as error:
                raise damaged(path, _reason(error)) from error
            yield found
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror or error}).") from error


def _nbytes(storage: Storage) -> int:
    return storage.length * _TYPES[storage.kind].itemsize


def _storage(reference: Any) -> Storage | Inert:
    """Return what a reference out of the pickle means: ``("storage", class, key, device, length[, view])``."""
    if not isinstance(reference, tuple) or len(reference) not in (5, 6) or reference[0] != "storage":
        return Inert("reference")
    _, kind, key, _, length, *view = reference
    known = isinstance(kind, Name) and kind.text.removeprefix("torch.") in _TYPES and isinstance(key, str)
    if not known or type(length) is not int or not 0 <= length < _LONGEST or view not in ([], [None]):
        return Inert(kind.text if isinstance(kind, Name) else "reference")
    return Storage(key, kind.text.removeprefix("torch."), length)


class _ZipBlocks:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._entries = {entry.filename: entry for entry in archive.infolist()}
        if len(self._entries) != len(archive.infolist()):
            raise MalformedError("its archive holds two files of one name")
        pickles = [name for name in self._entries if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(pickles) != 1:
            raise MalformedError(f"its archive holds {len(pickles)} files data.pkl instead of one")
        self._root = pickles[0].removesuffix("data.pkl")

    def entry(self, name: str, length: int | None = None) -> bytes:
        """Return a file of the archive.

        Raises:
            MalformedError: It is not there, compressed, or not as long as it must be.
        """
        found = self._entries.get(self._root + name)
        if found is None:
            raise MalformedError("a file is missing in its archive")
        # torch.save compresses nothing. What is compressed may grow beyond all bounds when it is read.
        if found.compress_type != zipfile.ZIP_STORED or found.file_size != found.compress_size:
            raise MalformedError("its archive is compressed, as torch.save never does")
        if found.file_size != (found.file_size if length is None else length):
            raise MalformedError("a storage in it is not as long as its tensors say")
        if length is None and found.file_size > PICKLE_LIMIT:
            raise MalformedError(f"its pickle is longer than {PICKLE_LIMIT:,} bytes")
        return self._archive.read(found)

    def holds(self, name: str) -> bool:
        return self._root + name in self._entries

    def read(self, storage: Storage) -> bytes:
        return self.entry(f"data/{storage.key}", _nbytes(storage))


def _open_zip(file: IO[bytes], path: Path) -> TorchFile:
    blocks = _ZipBlocks(zipfile.ZipFile(file))
    if blocks.holds("byteorder") and blocks.entry("byteorder") != b"little":
        raise MalformedError("its numbers are not little-endian")
    machine = Machine(_storage)
    content = machine.run(io.BytesIO(blocks.entry("data.pkl")))
    return TorchFile(content, tuple(machine.foreign), path, blocks)


class _Ahead:
    """The next bytes of a file, but no more than a pickle may have."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = PICKLE_LIMIT

    def read(self, size: int) -> bytes:
        return self._counted(self._file.read(min(size, self._left)))

    def readline(self) -> bytes:
        return self._counted(self._file.readline(self._left))

    def _counted(self, content: bytes) -> bytes:
        self._left -= len(content)
        return content


class _LegacyBlocks:
    def __init__(self, file: IO[bytes], keys: Any, known: dict[str, Storage]) -> None:
        self._file = file
        self._places: dict[str, int] = {}
        end = file.seek(0, io.SEEK_CUR)
        size = file.seek(0, io.SEEK_END)
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise MalformedError("it has no list of storages")
        for key in keys:
            storage = known.get(key)
            if storage is None or key in self._places:
                raise MalformedError("its list of storages does not fit its tensors")
            file.seek(end)
            length = file.read(8)
            if len(length) < 8 or int.from_bytes(length, "little") != storage.length:
                raise MalformedError("a storage in it is not as long as its tensors say")
            self._places[key] = end + 8
            end += 8 + _nbytes(storage)
        if end > size:
            raise MalformedError("it ends within its numbers")

    def read(self, storage: Storage) -> bytes:
        if storage.key not in self._places:
            raise MalformedError("its list of storages does not fit its tensors")
        self._file.seek(self._places[storage.key])
        return self._file.read(_nbytes(storage))


def _open_legacy(file: IO[bytes], path: Path) -> TorchFile:
    if Machine().run(_Ahead(file)) != _MAGIC or Machine().run(_Ahead(file)) != _VERSION:
        raise MalformedError("it is a pickle, but not one of torch.save")
    facts = Machine().run(_Ahead(file))
    if not isinstance(facts, dict) or facts.get("little_endian") is not True:
        raise MalformedError("its numbers are not little-endian")
    known: dict[str, Storage] = {}

    def persistent(reference: Any) -> Storage | Inert:
        storage = _storage(reference)
        if isinstance(storage, Storage) and known.setdefault(storage.key, storage) != storage:
            raise MalformedError("two of its storages share a name")
        return storage

    machine = Machine(persistent)
    content = machine.run(_Ahead(file))
    keys = Machine().run(_Ahead(file))
    return TorchFile(content, tuple(machine.foreign), path, _LegacyBlocks(file, keys, known))
