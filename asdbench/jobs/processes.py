"""Tasks of a grid as processes: spawned, a few threads each, ended with the process that began them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from asdbench.claims.cell import CellRecord
from asdbench.errors import AsdbenchError
from asdbench.jobs.grid import Ended, Task

Work = Callable[..., CellRecord]
"""``work(task, notify)``; see `asdbench.jobs.cells.CellWork`."""

_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_ORPHANED = 130


class Processes:
    """A `Launcher` of processes.

    Args:
        work: Does a task; pickled.
        threads: CPU threads of each; as they are where ``None``.
        logs: Folder of what they print, one file per cell.
        notify: Told what they tell, with the cell in front.
    """

    def __init__(self, work: Work, threads: int | None, logs: Path, notify: Callable[[str], None]) -> None:
        self._work, self._threads, self._logs, self._notify = work, threads, logs, notify
        self._context = multiprocessing.get_context("spawn")
        self._running: dict[Connection, tuple[Task, Any]] = {}

    def start(self, task: Task) -> None:
        """Begin a task."""
        self._logs.mkdir(parents=True, exist_ok=True)
        here, there = self._context.Pipe()
        arguments = (self._work, task, str(self._log(task)), there)
        process = self._context.Process(target=_in_process, args=arguments, name=task.cell.name)
        with _environment(self._threads):
            process.start()
        there.close()
        self._running[here] = (task, process)

    def wait(self) -> Iterator[Ended]:
        """Wait until at least one has ended."""
        found: list[Ended] = []
        while not found:
            for here in wait(list(self._running)):
                found += self._heard(here)  # type: ignore[arg-type]
        yield from found

    def _heard(self, here: Connection) -> Iterator[Ended]:
        task, process = self._running[here]
        try:
            kind, value = here.recv()
        except (EOFError, OSError):  # in the middle of a message, or between two
            process.join()
            kind, value = "failed", _gone(process.exitcode)
        if kind == "note":
            self._notify(f"{task.cell.words}: {value}")
            return
        process.join()
        here.close()
        del self._running[here]
        if kind == "done":
            yield Ended(task, value)
        else:
            yield Ended(task, reason=f"{value} (more in {self._log(task)})")

    def stop(self) -> None:
        """End what is under way; what it has done so far is kept."""
        for here, (_, process) in self._running.items():
            process.terminate()
            process.join()
            here.close()
        self._running.clear()

    def _log(self, task: Task) -> Path:
        return self._logs / f"{task.cell.name}.log"


def _gone(code: int | None) -> str:
    if code is not None and code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    return f"its process ended with code {code}"


@contextmanager
def _environment(threads: int | None) -> Iterator[None]:
    """Have processes that are begun meanwhile find how many threads libraries may use, before they import them."""
    if threads is None:
        yield
        return
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _in_process(work: Work, task: Task, log: str, there: Connection) -> None:
    """Do a task, in a process of its own; send how it ended."""
    _print_into(log)
    threading.Thread(target=_end_with_parent, args=(there,), daemon=True).start()
    try:
        record = work(task, lambda text: there.send(("note", text)))
    except AsdbenchError as error:
        traceback.print_exc()
        there.send(("failed", str(error).rstrip(".")))
    except Exception as error:
        traceback.print_exc()
        there.send(("failed", f"{type(error).__name__}: {error}"))
    else:
        there.send(("done", record))


def _print_into(log: str) -> None:
    """Send all that this process prints, from whichever library, into a file."""
    with Path(log).open("a", encoding="utf-8") as file:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(file.fileno(), stream.fileno())


def _end_with_parent(there: Connection) -> None:
    """Wait for something that is never sent: what comes is the end of the process that would send it."""
    try:
        there.recv()
    except (EOFError, OSError):
        os._exit(_ORPHANED)
