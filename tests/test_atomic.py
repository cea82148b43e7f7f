"""Files are there and whole, or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import msgspec
import pytest

from asdbench.atomic import replacing, write_json, write_text
from asdbench.errors import AsdbenchError, ResourceError


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "target.txt"
    path.write_text("old", encoding="utf-8")
    return path


def fail_in_block(path: Path, error: BaseException) -> None:
    with replacing(path) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise error


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_success_replaces_and_leaves_nothing_else(target: Path) -> None:
    with replacing(target) as temporary:
        temporary.write_text("new", encoding="utf-8")
        assert temporary.parent == target.parent  # a rename within one folder is what makes it atomic
        assert target.read_text(encoding="utf-8") == "old"
    assert target.read_text(encoding="utf-8") == "new"
    assert names(target.parent) == ["target.txt"]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "c.txt", "text")
    assert names(tmp_path / "a" / "b") == ["c.txt"]


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt()])
def test_failure_keeps_the_old_file_and_no_temporary(target: Path, error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        fail_in_block(target, error)
    assert caught.value is error
    assert target.read_text(encoding="utf-8") == "old"
    assert names(target.parent) == ["target.txt"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EPERM, errno.EIO])
def test_a_disk_that_takes_no_more_is_a_resource_error(target: Path, code: int) -> None:
    cause = OSError(code, os.strerror(code))
    with pytest.raises(ResourceError) as caught:
        fail_in_block(target, cause)
    message = str(caught.value)
    assert str(target) in message
    assert os.strerror(code) in message
    assert "make room" in message
    assert "run the same command again" in message
    assert caught.value.__cause__ is cause
    assert target.read_text(encoding="utf-8") == "old"
    assert names(target.parent) == ["target.txt"]


def test_a_disk_that_fills_up_at_the_sync_counts_too(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("asdbench.atomic.os.fsync", full)
    with pytest.raises(ResourceError, match="No space left"):
        write_text(target, "new")
    assert target.read_text(encoding="utf-8") == "old"
    assert names(target.parent) == ["target.txt"]


def test_a_read_only_disk_stays_a_resource_error_while_tidying_up(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a read-only mount unlink says EROFS even for a file that was never there.
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(ResourceError, match="Read-only file system"), replacing(target):
        raise OSError(errno.EROFS, "Read-only file system")


def test_the_bytes_are_synced_before_the_rename(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr("asdbench.atomic.os.fsync", lambda _: seen.append(target.read_text(encoding="utf-8")))
    write_text(target, "new")
    assert seen == ["old"]


def test_text_is_utf8_with_the_same_line_ends_everywhere(target: Path) -> None:
    write_text(target, "é\nb\r\n")
    assert target.read_bytes() == b"\xc3\xa9\nb\r\n"


def test_json_is_indented_and_ends_with_a_line_end(target: Path) -> None:
    value = {"name": "ä", "list": [1, 2.5, None], "empty": {}}
    write_json(target, value)
    content = target.read_bytes()
    assert b"\r" not in content
    assert content.endswith(b"}\n")
    assert b'\n  "name": "\xc3\xa4"' in content
    assert msgspec.json.decode(content) == value


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_json_refuses_what_json_does_not_have(target: Path, number: float) -> None:
    with pytest.raises((ValueError, AsdbenchError)):
        write_json(target, {"rows": [{"ap": number}]})
    assert target.read_text(encoding="utf-8") == "old"
