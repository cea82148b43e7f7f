"""A run that is killed and started again ends with the bytes of one that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import asdbench
from asdbench.errors import ResourceError
from tools.kill_runs import Killer, content, kill_runs

MODEL = """
import os, signal
from asdbench.adapters.calibration import Additive

class Mortal(Additive):
    name = "mortal"
    calls = 0

    def embed_faces(self, faces):
        Mortal.calls += 1
        if Mortal.calls == int(os.environ.get("DIES_AT", -1)):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().embed_faces(faces)
"""

START = """
import os, sys
from asdbench.records import shards
shards._MAX_FRAMES = 100  # the tracks are short: without this nothing would be on disk when the process dies
from asdbench.cli.main import main
sys.argv = ["asdbench", "run", "--model", "mortal.py:Mortal", *sys.argv[1:], "--quiet"]
main()
"""


def start(folder: Path, data: Path, out: str, dies_at: int | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"DIES_AT": str(dies_at)} if dies_at else {})}
    command = [sys.executable, "-c", START, "--data", str(data), "--suite", "unsync", "--out", out]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_again_and_again(fixture_root: Path, tmp_path: Path):
    (tmp_path / "mortal.py").write_text(MODEL)
    assert start(tmp_path, fixture_root, "whole").returncode == 0
    kept = 0
    for dies_at in (3, 4, 5):
        assert start(tmp_path, fixture_root, "killed", dies_at).returncode == -signal.SIGKILL
        shards = len(list((tmp_path / "killed" / "work").glob("shard-*.parquet")))
        assert shards > kept, "nothing was kept, so nothing is tested"
        kept = shards
    finished = start(tmp_path, fixture_root, "killed")
    assert finished.returncode == 0, finished.stderr
    assert asdbench.open_run(tmp_path / "killed").record["timings"]["tracks_from_earlier_starts"] > 0
    assert content(tmp_path / "killed") == content(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_at_random_moments(fixture_root: Path, tmp_path: Path):
    killer = Killer(["--model", "additive", "--suite", "clean", "--data", str(fixture_root)], tmp_path)
    killer.whole()
    met = kill_runs(killer, 2, seed=1)
    assert [outcome.differing for outcome in met] == [(), ()]
    killer.wanted["metrics.json"] = b"other bytes, which the comparison must notice"
    other = killer.kill("other", 0.0)
    assert other is not None
    assert other.differing == ("metrics.json",)


def test_killed_while_writing_results(fixture_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def run(name: str) -> None:
        asdbench.run("additive", "unsync", fixture_root, out=tmp_path / name, progress=False)

    run("whole")
    with monkeypatch.context() as patch:
        patch.setattr("asdbench.jobs.finish.write_report", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run("killed")
    assert (tmp_path / "killed" / "work").exists()
    run("killed")
    assert content(tmp_path / "killed") == content(tmp_path / "whole")


def test_a_full_disk_loses_nothing(fixture_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pyarrow.parquet.write_table", full)
        with pytest.raises(ResourceError, match=r"No space left on device.*run the same command again"):
            asdbench.run("additive", "clean", fixture_root, out=tmp_path / "run", progress=False)
    run = asdbench.run("additive", "clean", fixture_root, out=tmp_path / "run", progress=False)
    assert run.record["state"] == "complete"


@pytest.mark.slow
def test_a_disk_may_fill_at_any_write(fixture_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    room, sync = 10**6, os.fsync

    def write(file: int) -> None:
        nonlocal room
        room -= 1
        if room < 0:
            raise OSError(28, "No space left on device")
        sync(file)

    def run(name: str) -> None:
        asdbench.run("additive", "clean", fixture_root, out=tmp_path / name, progress=False)

    monkeypatch.setattr("os.fsync", write)
    run("whole")
    writes = 10**6 - room
    for known in (0, writes // 3, writes - 1):
        room = known
        with pytest.raises(ResourceError, match="No space left on device"):
            run(f"full-{known}")
        room = 10**6
        run(f"full-{known}")
        assert asdbench.open_run(tmp_path / f"full-{known}").record["state"] == "complete"
        assert content(tmp_path / f"full-{known}") == content(tmp_path / "whole")
