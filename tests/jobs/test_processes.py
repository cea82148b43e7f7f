"""Processes of a grid: how each of them may end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from asdbench.jobs.grid import Ended
from asdbench.jobs.processes import Processes
from tests.processes_standin import parent, task, work


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "in vain"
        time.sleep(0.02)


def alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def begun(folder: Path) -> list[int]:
    return [int(path.name.partition(" ")[2]) for path in folder.glob("begun *")]


def test_every_end_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    told: list[str] = []
    launcher = Processes(work, 2, tmp_path / "logs", told.append)
    kinds = ("well", "fail", "break", "kill", "leave")
    for kind in kinds:
        launcher.start(task(kind))
    ended: dict[str, Ended] = {}
    while len(ended) < len(kinds):
        ended |= {each.task.cell.recipe: each for each in launcher.wait()}
    reasons = {name: each.reason.partition(" (more in")[0] for name, each in ended.items()}
    assert reasons == {
        "well": "",
        "fail": "the loss is no number any more",
        "break": "ZeroDivisionError: a bug",
        "kill": "its process was ended by SIGKILL",
        "leave": "its process ended with code 3",
    }
    record = ended["well"].record
    assert record is not None
    assert record.machine["process"] != os.getpid()
    assert (record.machine["threads"], os.environ["OMP_NUM_THREADS"]) == ("2", "7")
    assert told == ["well, seed 1: half way"]
    log = (tmp_path / "logs" / "well-seed1.log").read_text(encoding="utf-8")
    assert "printed" in log
    assert "by another program" in log
    assert "ZeroDivisionError" in (tmp_path / "logs" / "break-seed1.log").read_text(encoding="utf-8")


def test_stop_ends_what_is_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    launcher = Processes(work, None, tmp_path / "logs", lambda _: None)
    launcher.start(task("hang"))
    until(lambda: len(begun(tmp_path)) == 1)
    launcher.stop()
    assert not any(map(alive, begun(tmp_path)))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_nothing_outlives_a_start_that_is_killed(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=parent, args=(str(tmp_path),))
    process.start()
    until(lambda: len(begun(tmp_path)) == 2)
    assert all(map(alive, begun(tmp_path)))
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    until(lambda: not any(map(alive, begun(tmp_path))))
