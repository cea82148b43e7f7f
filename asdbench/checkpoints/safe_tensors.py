"""Read a safetensors file: a table of contents as JSON, then plain numbers; nothing in it can be run.

The header is checked here before the library sees the file, so that a broken or hostile one gets a clear sentence.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from asdbench.errors import CheckpointError

HEADER_LIMIT = 16 << 20
"""Longest header that is read, in bytes; that of a network with 200 tensors has 20,000."""

_LENGTH = 8  # bytes of the number in front: the length of the header
_PLAUSIBLE = 1 << 40  # a longer header is none: another file whose ninth byte happens to be a brace
_DTYPES = ("F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U8", "BOOL")
_MOST_SIDES, _LONGEST_SIDE = 8, 1 << 31
_HALF = (torch.float16, torch.bfloat16)
_METADATA = "__metadata__"


def is_safetensors(path: Path) -> bool:
    """Whether a file is one by its first bytes, or by its name and no zip or pickle by its first bytes."""
    with path.open("rb") as file:
        start = file.read(_LENGTH + 1)
    if start[_LENGTH:] == b"{" and int.from_bytes(start[:_LENGTH], "little") < _PLAUSIBLE:
        return True
    return path.suffix == ".safetensors" and not start.startswith((b"PK\x03\x04", b"\x80"))


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return tensors, in the order of the header, and metadata; float16 and bfloat16 become float32.

    Raises:
        CheckpointError: The file is truncated or damaged, its header is too long, names an entry twice or contradicts
            the file, or it holds a kind of number that no network here takes.
    """
    import safetensors
    import safetensors.torch

    content = path.read_bytes()
    header = _header(content, path)
    metadata = _metadata(header.pop(_METADATA, {}), path)
    _check_entries(header, path)
    try:
        tensors = safetensors.torch.load(content)
    except (safetensors.SafetensorError, RuntimeError, TypeError, ValueError, OverflowError) as error:
        raise _broken(path, str(error)) from error
    return {key: tensors[key].float() if tensors[key].dtype in _HALF else tensors[key] for key in header}, metadata


def _header(content: bytes, path: Path) -> dict[str, Any]:
    length = int.from_bytes(content[:_LENGTH], "little")
    if len(content) < _LENGTH or (length <= HEADER_LIMIT and _LENGTH + length > len(content)):
        raise _broken(path, "it ends within its header")
    if length > HEADER_LIMIT:
        raise CheckpointError(
            f"{path} announces a safetensors header of {length:,} bytes, more than the {HEADER_LIMIT:,} that are read, "
            "so it is damaged or made to do harm; download it again and compare its sha256."
        )
    try:
        header = json.loads(content[_LENGTH : _LENGTH + length], object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        raise _broken(path, f"its header is not readable: {error}") from error
    if not isinstance(header, dict):
        raise _broken(path, "its header is no table of tensors")
    return header


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("an entry is there twice")
    return table


def _metadata(found: Any, path: Path) -> dict[str, str]:
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise _broken(path, f"its {_METADATA} is no table of texts")
    return found


def _check_entries(header: dict[str, Any], path: Path) -> None:
    for key, entry in header.items():
        dtype = entry.get("dtype") if isinstance(entry, dict) else None
        if dtype not in _DTYPES:
            raise CheckpointError(
                f"{path} holds {key!r} as {dtype!r}; expected one of {', '.join(_DTYPES)}, so save plain weights."
            )
        if not _is_shape(entry.get("shape")):
            raise _broken(path, f"the shape of {key!r} is not that of a tensor")


def _is_shape(found: Any) -> bool:
    return (
        isinstance(found, list)
        and len(found) <= _MOST_SIDES
        and all(type(side) is int and 0 <= side <= _LONGEST_SIDE for side in found)
    )


def _broken(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(
        f"{path} is truncated, damaged or no safetensors file ({path.stat().st_size} bytes; {reason}); "
        "download it again and compare its sha256."
    )
