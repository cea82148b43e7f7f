"""What is made of a pickle's objects: plain data that describe tensors, and shells in place of all else.

`CALLS` holds the few names that mean something: plain containers, and the functions with which torch describes a
tensor. Each stands for a function of this module that takes data and gives data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LARGEST = 1 << 60
"""Whole numbers from here on can be chosen to share one hash, which makes a dict of them crawl."""


@dataclass(frozen=True)
class Name:
    """What a pickle would import. Here it is a text."""

    text: str


@dataclass(frozen=True)
class Inert:
    """What a pickle would have built, without any of its content."""

    of: str


@dataclass(frozen=True)
class Storage:
    """The numbers that one or more tensors share.

    Attributes:
        key: Name under which the file keeps them.
        kind: Name of the torch class that holds them, such as ``FloatStorage``.
        length: How many.
    """

    key: str
    kind: str
    length: int


@dataclass(frozen=True)
class TensorEntry:
    """Where the numbers of a tensor lie in a storage; nothing in it has been checked against the storage.

    Attributes:
        storage: The numbers.
        offset: Index of the first.
        size: Shape.
        stride: Step in numbers along each axis.
    """

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def is_key(key: Any) -> bool:
    """Whether a dict is made with the key: hashing others, such as nested tuples, can take for ever."""
    return key is None or isinstance(key, str | bytes) or (isinstance(key, int) and abs(key) < LARGEST)


def length(arguments: Any, levels: int = 2) -> int:
    """Return how many entries a call may look at or copy: those of its arguments, and of the tables in these."""
    if not isinstance(arguments, list | tuple):
        return 0
    return len(arguments) + (sum(length(entry, levels - 1) for entry in arguments) if levels else 0)


def _table(arguments: tuple[Any, ...]) -> dict[Any, Any] | None:
    """Return the dict that ``OrderedDict`` makes of nothing, or of a list of pairs; other content is not looked at."""
    if not arguments:
        return {}
    pairs = arguments[0]
    if len(arguments) != 1 or not isinstance(pairs, list):
        return None
    fits = all(isinstance(pair, list | tuple) and len(pair) == 2 and is_key(pair[0]) for pair in pairs)
    return dict(pairs) if fits else None


def _new_default_dict(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    return {}


def _size(arguments: tuple[Any, ...]) -> tuple[Any, ...] | None:
    fits = len(arguments) == 1 and isinstance(arguments[0], list | tuple)
    return tuple(arguments[0]) if fits else None


def _tensor(arguments: tuple[Any, ...]) -> TensorEntry | None:
    """Return what ``_rebuild_tensor_v2(storage, offset, size, stride, requires_grad, hooks)`` describes."""
    if len(arguments) < 4:
        return None
    storage, offset, size, stride = arguments[:4]
    fits = isinstance(storage, Storage) and _is_whole((offset,)) and _is_whole(size) and _is_whole(stride)
    return TensorEntry(storage, offset, size, stride) if fits else None


def _is_whole(numbers: Any) -> bool:
    return isinstance(numbers, tuple) and all(type(number) is int for number in numbers)


def _parameter(arguments: tuple[Any, ...]) -> TensorEntry | None:
    return arguments[0] if arguments and isinstance(arguments[0], TensorEntry) else None


def _tensor_with_attributes(arguments: tuple[Any, ...]) -> TensorEntry | None:
    """Return the tensor in ``_rebuild_from_type_v2(function, type, arguments, attributes)``, without its attributes."""
    if len(arguments) != 4 or not isinstance(arguments[0], Name) or not isinstance(arguments[2], tuple):
        return None
    inner = {_TENSOR: _tensor, _PARAMETER: _parameter}.get(arguments[0].text)
    return inner(arguments[2]) if inner else None


_TENSOR = "torch._utils._rebuild_tensor_v2"
_PARAMETER = "torch._utils._rebuild_parameter"

CALLS: dict[str, Callable[[tuple[Any, ...]], Any]] = {
    "collections.OrderedDict": _table,
    "collections.defaultdict": _new_default_dict,
    "torch.Size": _size,
    _TENSOR: _tensor,
    "torch._utils._rebuild_tensor": _tensor,
    _PARAMETER: _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._tensor._rebuild_from_type_v2": _tensor_with_attributes,
}
"""The names that mean something here, each with a function of this module that takes data and gives data."""
