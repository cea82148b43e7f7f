"""Turn any PyTorch checkpoint into safetensors, also one that would run code when torch loads it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

import asdbench
from asdbench.atomic import replacing
from asdbench.checkpoints.files import damaged, existing_file, refuse_bad_download, sha256_of
from asdbench.checkpoints.pickled_tensors import Storage, TensorEntry
from asdbench.checkpoints.safe_tensors import is_safetensors
from asdbench.checkpoints.torch_file import TorchFile, nbytes, open_torch_file
from asdbench.errors import CheckpointError, UsageError

SOURCE = "asdbench.source"
"""Key of the metadata that names the sha256 of the file that was converted, and the version of asdbench.

One entry for both: safetensors writes several in random order, and the same source shall give the same bytes.
"""

TOP = "."
"""Stands for the outermost table of a file, where others are named by their keys."""

_SUFFIX = ".safetensors"
_MOST_COPIES = 4  # how much larger than its file the result may be: tensors that share their numbers are written apart
_LEVELS = 3  # tables in tables that are looked through
_SHOWN, _LONGEST_NAME = 8, 80  # what a message lists

_Table = dict[Any, Any]
_Keys = tuple[str, ...]


@dataclass(frozen=True)
class Converted:
    """What was written.

    Attributes:
        path: The new file.
        key: Which table of the file it holds, such as ``model``; ``.`` for the outermost.
        entries: Tensors in it.
        numbers: Numbers in them, batch statistics included.
        left_out: Keys of that table under which no tensor was.
        foreign: What the file would have imported and called; none of it was.
    """

    path: Path
    key: str
    entries: int
    numbers: int
    left_out: tuple[str, ...]
    foreign: tuple[str, ...]


def convert(source: Path | str, target: Path | str, key: str | None = None, force: bool = False) -> Converted:
    """Write the tensors of a PyTorch checkpoint as safetensors; nothing in the checkpoint is executed.

    Names and numbers stay as they are. The metadata name the sha256 of the source and the version of asdbench.

    Args:
        source: What ``torch.save`` wrote, in its zip form or in that before PyTorch 1.6.
        target: File to write, ending in ``.safetensors``.
        key: Which table of tensors to take, where there are several: ``model``, ``state.model``, or ``.`` for the
            outermost.
        force: Whether to replace a target that is there.

    Raises:
        CheckpointError: The source is missing, damaged, made to do harm, or of another format; or it holds no table of
            tensors, or several and no key is given, or none of that key.
        UsageError: The target is there already, is the source, or has another suffix.
        ResourceError: The target cannot be written.
    """
    source, target = existing_file(source), Path(target)
    _check_target(source, target, force)
    refuse_bad_download(source)
    if is_safetensors(source):
        raise CheckpointError(f"{source} is safetensors already; use it as it is.")
    with open_torch_file(source) as file:
        name, table = _chosen(file, key)
        entries = {entry: table[entry] for entry in _tensors_in(table)}
        tensors = _tensors(file, entries)
        foreign = file.foreign
    _write(tensors, target, {SOURCE: f"sha256:{sha256_of(source)}, converted by asdbench {asdbench.__version__}"})
    left_out = tuple(str(entry) for entry in table if entry not in entries)
    return Converted(target, name, len(tensors), sum(tensor.numel() for tensor in tensors.values()), left_out, foreign)


def _check_target(source: Path, target: Path, force: bool) -> None:
    if target.suffix != _SUFFIX:
        raise UsageError(f"{target} must end in {_SUFFIX}, the format that is written.")
    if target.is_dir():
        raise UsageError(f"{target} is a folder; name a file.")
    if target.exists():
        if target.samefile(source):
            raise UsageError(f"{target} is the file to be converted; name another one to write.")
        if not force:
            raise UsageError(f"{target} exists; name another file, or add --force to replace it.")


def _chosen(file: TorchFile, key: str | None) -> tuple[str, _Table]:
    """Return the table of tensors that is wanted, with its name."""
    tables = _tables(file.content)
    if key is not None:
        table = _at(file.content, key)
        if not isinstance(table, dict) or not _tensors_in(table):
            raise CheckpointError(f"{file.path} holds no table of tensors {key!r}; {_advice(tables)}.")
        return key, table
    # What holds nothing but tensors is a state dict; a table that holds some among other things is second choice.
    pure = {keys: table for keys, table in tables.items() if len(_tensors_in(table)) == len(table)}
    wanted = pure or tables
    if len(wanted) != 1:
        several = f"{len(wanted)} tables" if wanted else "no table"
        raise CheckpointError(f"{file.path} holds {several} of tensors; {_advice(wanted)}.")
    keys, table = next(iter(wanted.items()))
    return _name(keys), table


def _advice(tables: dict[_Keys, _Table]) -> str:
    if not tables:
        return "save a state dict with torch.save(module.state_dict(), FILE)"
    shown = [f"{_name(keys)} ({len(_tensors_in(table))} tensors)" for keys, table in list(tables.items())[:_SHOWN]]
    more = f", and {len(tables) - _SHOWN} more" if len(tables) > _SHOWN else ""
    return f"choose one with --key: {', '.join(shown)}{more}"


def _name(keys: _Keys) -> str:
    return _cut(".".join(keys)) if keys else TOP


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}..."


def _tables(content: Any) -> dict[_Keys, _Table]:
    """Return the tables that hold tensors: the outermost, those in it, and those in these; each once.

    A table is remembered by its identity: a file may refer to one a million times.
    """
    found: dict[_Keys, _Table] = {}
    seen: set[int] = set()
    level: list[tuple[_Keys, Any]] = [((), content)]
    for _ in range(_LEVELS):
        below: list[tuple[_Keys, Any]] = []
        for keys, table in level:
            if isinstance(table, dict) and id(table) not in seen:
                seen.add(id(table))
                if _tensors_in(table):
                    found[keys] = table
                inner = [(key, value) for key, value in table.items() if isinstance(value, dict)]
                below += [((*keys, key), value) for key, value in inner if isinstance(key, str)]
        level = below
    return found


def _at(content: Any, key: str) -> Any:
    if key == TOP:
        return content
    if isinstance(content, dict) and key in content:
        return content[key]
    for part in key.split("."):
        content = content.get(part) if isinstance(content, dict) else None
    return content


def _tensors_in(table: _Table) -> list[str]:
    return [key for key, value in table.items() if isinstance(key, str) and isinstance(value, TensorEntry)]


def _tensors(file: TorchFile, entries: dict[str, TensorEntry]) -> dict[str, Tensor]:
    """Read the tensors, one storage at a time, in the order of the entries."""
    limit = _MOST_COPIES * file.path.stat().st_size
    if sum(nbytes(entry) for entry in entries.values()) > limit:
        raise damaged(file.path, f"its tensors are more than {_MOST_COPIES} times as large as the file")
    for key in entries:
        if key == "__metadata__" or not key.isprintable():
            raise damaged(file.path, f"a tensor in it is called {_cut(ascii(key))}")
    users: dict[Storage, list[str]] = {}
    for key, entry in entries.items():
        users.setdefault(entry.storage, []).append(key)
    tensors: dict[str, Tensor] = {}
    for storage, keys in users.items():
        numbers = file.read(storage)
        tensors |= {key: file.tensor(entries[key], numbers) for key in keys}
    return {key: tensors[key] for key in entries}


def _write(tensors: dict[str, Tensor], target: Path, metadata: dict[str, str]) -> None:
    import safetensors.torch

    with replacing(target) as temporary:
        safetensors.torch.save_file(tensors, temporary, metadata)
