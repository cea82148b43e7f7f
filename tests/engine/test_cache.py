"""What is kept comes back as it was; damage, other processes and a full cache never give a wrong array."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest

from asdbench.engine.cache import SUFFIX, EmbeddingCache, byte_count
from asdbench.errors import ResourceError, UsageError

_MANY = 1 << 30


def _array(seed: int, rows: int = 50) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(seed).normal(size=(1, rows, 4)).astype(np.float32)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob(f"*{SUFFIX}"))


def test_what_is_kept_comes_back_in_another_process_too(tmp_path: Path) -> None:
    EmbeddingCache(tmp_path, _MANY).put("key", _array(1))
    later = EmbeddingCache(tmp_path, _MANY)
    found = later.get("key")
    assert found is not None
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, _array(1))
    assert later.get("another") is None
    assert (later.hits, later.misses) == (1, 1)


def test_tensors_come_back_as_tensors(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    cache = EmbeddingCache(tmp_path, _MANY)
    with torch.inference_mode():
        tensor = torch.from_numpy(_array(2))[:, 10:20]
        cache.put("tensor", tensor)
    found = cache.get("tensor")
    assert isinstance(found, torch.Tensor)
    assert torch.equal(found, tensor)


@pytest.mark.parametrize(("text", "bytes_"), [("20GB", 20 * 10**9), ("1.5 mb", 1_500_000), ("700", 700), ("2K", 2000)])
def test_sizes(text: str, bytes_: int) -> None:
    assert byte_count(text) == bytes_


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "20 giga"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected a size such as 500MB"):
        byte_count(text)


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "other"])
def test_damage_is_absence_and_is_mended(tmp_path: Path, damage: str) -> None:
    cache = EmbeddingCache(tmp_path, _MANY)
    cache.put("key", _array(1))
    (file,) = _files(tmp_path)
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes({"flip": bytes(data), "cut": bytes(data[:40]), "empty": b"", "other": b"x" * 500}[damage])
    assert cache.get("key") is None
    cache.put("key", _array(1))
    np.testing.assert_array_equal(cache.get("key"), _array(1))


def test_no_pickle_is_ever_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        EmbeddingCache(tmp_path, _MANY).put("key", np.array([{}], dtype=object))


def test_what_was_not_used_for_longest_goes(tmp_path: Path) -> None:
    size = 928 + 16 + 1  # one array of 50 rows, its header, checksum and letter
    cache = EmbeddingCache(tmp_path, 10 * size)
    for number in range(10):
        cache.put(f"{number}", _array(number))
        (path,) = set(_files(tmp_path)) - {p for p in _files(tmp_path) if p.stat().st_mtime < 2_000_000}
        os.utime(path, (1000 + number, 1000 + number))
    assert cache.get("0") is not None  # used just now
    for number in range(10, 12):
        cache.put(f"{number}", _array(number))
    assert sum(path.stat().st_size for path in _files(tmp_path)) <= 10 * size
    assert cache.get("0") is not None
    assert cache.get("1") is None
    assert cache.get("11") is not None


def test_the_limit_counts_what_was_there_before(tmp_path: Path) -> None:
    EmbeddingCache(tmp_path, _MANY).put("old", _array(1, 5_000))
    cache = EmbeddingCache(tmp_path, 60_000)
    cache.put("new", _array(2))
    assert cache.get("old") is None
    assert cache.get("new") is not None


def _write(folder: Path, limit: int, start: int) -> None:
    cache = EmbeddingCache(folder, limit)
    for number in range(start, start + 60):
        cache.put(f"{number % 40}", _array(number % 40))
        found = cache.get(f"{(number * 7) % 40}")
        assert found is None or np.array_equal(found, _array((number * 7) % 40))


def test_processes_share_a_folder(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write, args=(tmp_path, 15_000, start)) for start in (0, 13, 26)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert not list(tmp_path.rglob("*.tmp"))


def test_refusals(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot hold"):
        EmbeddingCache(tmp_path / "file", _MANY)
    with pytest.raises(UsageError, match="above 0"):
        EmbeddingCache(tmp_path, 0)


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    cache = EmbeddingCache(tmp_path, _MANY)
    monkeypatch.setattr("asdbench.engine.cache.tempfile.NamedTemporaryFile", full)
    with pytest.raises(ResourceError, match="No space left"):
        cache.put("key", _array(1))
