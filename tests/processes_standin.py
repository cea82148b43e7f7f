"""Work for processes of a grid that imports next to nothing, so that tests of them are quick.

What a task does is its recipe's name.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from asdbench.claims.cell import Cell, CellRecord
from asdbench.errors import TrainingError
from asdbench.jobs.grid import Task
from asdbench.jobs.processes import Processes


def task(what: str, seed: int = 1) -> Task:
    return Task(Cell(seed, what), {"here": str(Path.cwd())}, (), True, what)


def work(todo: Task, notify: Callable[[str], None]) -> CellRecord:
    what = todo.cell.recipe
    if what == "fail":
        raise TrainingError("the loss is no number any more.")
    if what == "break":
        raise ZeroDivisionError("a bug")
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "leave":
        os._exit(3)
    if what == "hang":
        Path(todo.identity["here"], f"begun {os.getpid()}").touch()
        time.sleep(600)
    notify("half way")
    print("printed")  # noqa: T201
    os.system("echo by another program >&2")
    machine = {"threads": os.environ.get("OMP_NUM_THREADS"), "torch": "torch" in sys.modules, "process": os.getpid()}
    return CellRecord(
        recipe=what, seed=todo.cell.seed, identity=dict(todo.identity), state="trained", training="t",
        checkpoint_sha256="c", training_seconds=1, threads=1, machine=machine,
    )  # fmt: skip


def parent(folder: str) -> None:
    """Begin two tasks that never end, and wait for them."""
    os.chdir(folder)
    launcher = Processes(work, 1, Path(folder) / "logs", lambda _: None)
    for seed in (1, 2):
        launcher.start(task("hang", seed))
    list(launcher.wait())
