"""The same bytes from any number of workers, and from a set that was killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from asdbench.data import open_dataset
from asdbench.errors import DataError, NotComparableError, ResourceError
from asdbench.materialize import MaterializedSet, materialize
from tests.materialize.trees import tree

ROOT = Path(__file__).resolve().parents[2]

START = """
import os, signal, sys
from asdbench.cli.main import main
from asdbench.materialize.content import Store

put, left = Store.put_folder, [int(os.environ.get("DIES_AT", -1))]

def mortal(self, *arguments):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    put(self, *arguments)

if __name__ == "__main__":
    Store.put_folder = mortal
    sys.argv = ["asdbench", "data", "materialize", *sys.argv[1:], "--quiet"]
    main()
"""

needs_kill = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")


def command(script: Path, data: Path, out: Path, workers: int) -> list[str]:
    script.write_text(START)
    return [
        sys.executable, str(script), "--data", str(data), "--suite", "unsync", "--out", str(out),
        "--workers", str(workers),
    ]  # fmt: skip


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def test_two_workers_write_the_same_bytes(fixture_root: Path, unsync_set: MaterializedSet, tmp_path: Path):
    # A process of its own, so that nothing of the tests reaches the workers.
    finished = subprocess.run(
        command(tmp_path / "start.py", fixture_root, tmp_path / "set", 2),
        env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    assert tree(tmp_path / "set") == tree(unsync_set.path)


def test_any_order_writes_the_same_bytes(
    fixture_root: Path, unsync_set: MaterializedSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from asdbench.materialize import build

    in_order = build._tasks
    monkeypatch.setattr(build, "_tasks", lambda *arguments: reversed(list(in_order(*arguments))))
    materialize(fixture_root, "unsync", out=tmp_path / "set", workers=1)
    assert tree(tmp_path / "set") == tree(unsync_set.path)


@needs_kill
def test_killed_again_and_again(fixture_root: Path, unsync_set: MaterializedSet, tmp_path: Path):
    call = command(tmp_path / "start.py", fixture_root, tmp_path / "set", 1)
    kept = 0
    for dies_at in (25, 31, 8):
        killed = subprocess.run(call, env=environment(DIES_AT=str(dies_at)), capture_output=True, text=True)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        noted = len(list((tmp_path / "set" / "work").glob("*.json")))
        assert noted >= kept
        kept = noted
    assert kept > 0, "nothing was kept, so nothing is tested"
    assert list((tmp_path / "set").rglob("*.wav")), "no track was begun, so nothing is tested"
    finished = subprocess.run(call, env=environment(), capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert tree(tmp_path / "set") == tree(unsync_set.path)


@needs_kill
def test_killed_with_two_workers(fixture_root: Path, unsync_set: MaterializedSet, tmp_path: Path):
    call = command(tmp_path / "start.py", fixture_root, tmp_path / "set", 2)
    # The output of the workers ends when the last of them has died with its parent.
    with subprocess.Popen(call, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        while process.poll() is None and not list((tmp_path / "set").glob("work/*.json")):
            time.sleep(0.01)
        process.kill()
        process.communicate()
    assert (tmp_path / "set" / "work").is_dir()
    assert "complete" not in (tmp_path / "set" / "manifest.json").read_text()
    finished = subprocess.run(call, env=environment(), capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert tree(tmp_path / "set") == tree(unsync_set.path)


def test_killed_while_writing_the_tables(
    fixture_root: Path, unsync_set: MaterializedSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        patch.setattr("asdbench.materialize.finish._write_listing", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            materialize(fixture_root, "unsync", out=tmp_path / "set", workers=1)
    with monkeypatch.context() as patch:
        patch.setattr("asdbench.materialize.track.TrackWriter.write", _interrupted)  # nothing is written twice
        materialize(fixture_root, "unsync", out=tmp_path / "set", workers=1)
    assert tree(tmp_path / "set") == tree(unsync_set.path)


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def begun(data: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write all tracks, and stop before the tables."""
    with monkeypatch.context() as patch:
        patch.setattr("asdbench.materialize.build.finish", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            materialize(data, "clean", out=out, workers=1)


def test_what_a_power_cut_leaves_empty_is_written_again(
    fixture_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    begun(fixture_root, tmp_path / "set", monkeypatch)
    lost = sorted((tmp_path / "set").rglob("*.jpg"))
    lost[0].write_bytes(b"")
    lost[-1].unlink()
    materialize(fixture_root, "clean", out=tmp_path / "set", workers=1)
    materialize(fixture_root, "clean", out=tmp_path / "whole", workers=1)
    assert tree(tmp_path / "set") == tree(tmp_path / "whole")


def test_media_that_changed_in_between_are_refused(fixture_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    begun(fixture_copy, tmp_path / "set", monkeypatch)
    wav = next(fixture_copy.rglob("*.wav"))
    os.utime(wav, ns=(1, 1))
    with pytest.raises(NotComparableError, match="have changed since they were written"):
        materialize(fixture_copy, "clean", out=tmp_path / "set", workers=1)


def test_a_track_that_broke_in_between_leaves_nothing(
    fixture_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    begun(fixture_copy, tmp_path / "set", monkeypatch)
    track = open_dataset(fixture_copy).tracks[0]
    for path in (tmp_path / "set").rglob(f"{track.entity_id}.wav"):
        path.unlink()
    (fixture_copy / "clips_audios" / "val" / track.video_id / f"{track.entity_id}.wav").unlink()
    made = materialize(fixture_copy, "clean", out=tmp_path / "set", workers=1, on_error="skip")
    assert made.manifest["counts"]["skipped_tracks"] == 1
    assert not list((tmp_path / "set").rglob(f"*{track.entity_id}*"))
    assert not (tmp_path / "set" / "work").exists()


def test_a_damaged_note_is_named(fixture_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    begun(fixture_root, tmp_path / "set", monkeypatch)
    next((tmp_path / "set" / "work").glob("*.json")).write_text("{")
    with pytest.raises(DataError, match=r"\.json: damaged .* delete it"):
        materialize(fixture_root, "clean", out=tmp_path / "set", workers=1)


def test_one_process_at_a_time(fixture_root: Path, tmp_path: Path):
    from asdbench.materialize.folder import SetFolder

    (tmp_path / "set").mkdir()
    with SetFolder(tmp_path / "set").lock(), pytest.raises(ResourceError, match="another process is writing this set"):
        materialize(fixture_root, "clean", out=tmp_path / "set", workers=1)
