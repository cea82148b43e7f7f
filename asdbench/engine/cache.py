"""Embeddings kept in a folder between runs, so that a second suite on the same model need not look at the faces again.

::

    FOLDER/<2 digits>/<key>.embedding    a checksum, a letter (array or tensor), then one array as numpy writes it

Any number of processes may use one folder. What is damaged counts as absent, and is replaced. Once there is more than
the limit, what was not used for longest goes.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.errors import ResourceError, UsageError

SUFFIX = ".embedding"
_CHECKSUM = 16
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_ARRAY, _TENSOR = b"A", b"T"
_ROOM = 0.9
"""What remains after making room, as a share of the limit, so that not every entry has to make some."""


def byte_count(text: str) -> int:
    """Return how many bytes a text such as ``20GB`` means; units are powers of 1,000.

    Raises:
        UsageError: It is no such text.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kMGT]?)B?\s*", text, re.IGNORECASE)
    if found is None:
        raise UsageError(f"--cache-limit {text}: expected a size such as 500MB or 20GB.")
    return int(float(found[1]) * _UNITS[found[2].upper()])


class EmbeddingCache:
    """A folder of arrays and tensors by key.

    Args:
        folder: Where they are kept; made if absent.
        limit: Bytes that they may take together.

    Attributes:
        hits: How often an array was there.
        misses: How often it was not.

    Raises:
        UsageError: The folder cannot be made, or the limit is not above 0.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        if limit < 1:
            raise UsageError(f"the limit of the cache must be above 0 bytes, not {limit}.")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{folder}: cannot hold embeddings ({error.strerror}); choose another --cache.") from error
        self.folder, self.limit = folder, limit
        self.hits = self.misses = 0
        self._size = sum(size for _, size, _ in self._entries())

    def get(self, key: str) -> Any:
        """Return the array or tensor (on the CPU) of a key, ``None`` where there is none, or only a damaged one."""
        path = self._path(key)
        try:
            value = _unpacked(path.read_bytes())
        except (OSError, ValueError, EOFError):
            self.misses += 1
            return None
        with suppress(OSError):  # another process may have made room in the meantime
            os.utime(path)
        self.hits += 1
        return value

    def put(self, key: str, value: Any) -> None:
        """Keep an array or a tensor.

        Raises:
            ResourceError: It cannot be written.
        """
        data, path = _packed(value), self._path(key)
        try:
            path.parent.mkdir(exist_ok=True)
            # Each writer has a file of its own; which of two equal ones stays does not matter.
            with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
                file.write(data)
            Path(file.name).replace(path)
        except OSError as error:
            raise ResourceError(
                f"{path}: cannot be written ({error.strerror or error}); make room, lower --cache-limit, or go on "
                "without --cache: what was scored is kept."
            ) from error
        self._size += len(data)
        if self._size > self.limit:
            self._make_room()

    def _path(self, key: str) -> Path:
        name = blake2b(key.encode(), digest_size=20).hexdigest()
        return self.folder / name[:2] / f"{name}{SUFFIX}"

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """Yield when each entry was used last, its size and its path."""
        for path in self.folder.glob(f"??/*{SUFFIX}"):
            with suppress(OSError):
                status = path.stat()
                yield status.st_mtime, status.st_size, path

    def _make_room(self) -> None:
        entries = sorted(self._entries())
        self._size = sum(size for _, size, _ in entries)
        for _, size, path in entries:
            if self._size <= _ROOM * self.limit:
                break
            with suppress(OSError):
                path.unlink(missing_ok=True)
            self._size -= size


def _packed(value: Any) -> bytes:
    is_array = isinstance(value, np.ndarray)
    buffer = io.BytesIO()
    buffer.write(_ARRAY if is_array else _TENSOR)
    np.save(buffer, value if is_array else value.cpu().numpy(), allow_pickle=False)
    data = buffer.getvalue()
    return _checksum(data) + data


def _unpacked(content: bytes) -> Any:
    """Return what a file's content stands for; ``ValueError`` where it is damaged."""
    data = content[_CHECKSUM:]
    if _checksum(data) != content[:_CHECKSUM]:
        raise ValueError("damaged")
    array: NDArray[Any] = np.load(io.BytesIO(data[1:]), allow_pickle=False)
    if data[:1] == _ARRAY:
        return array
    import torch

    return torch.from_numpy(array)


def _checksum(data: bytes) -> bytes:
    return blake2b(data, digest_size=_CHECKSUM).digest()
