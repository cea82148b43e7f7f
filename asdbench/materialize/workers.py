"""Tracks through worker processes, or through none."""

from __future__ import annotations

import pickle
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from os import _exit
from typing import NamedTuple

from asdbench.errors import DataError, ResourceError, UsageError
from asdbench.materialize.journal import Journal
from asdbench.materialize.track import Recipe, TrackWriter
from asdbench.perturb.edits import Edit
from asdbench.types import Track, TrackKey

_WAITING = 4  # tasks per worker that are on their way, so that neither side waits for the other


class Task(NamedTuple):
    """A track to write, and its edits under each condition."""

    key: TrackKey
    edits: Mapping[str, tuple[Edit, ...]]


class Done(NamedTuple):
    """A track that was written, or the reason why it was left out."""

    key: TrackKey
    reason: str | None = None


@dataclass(frozen=True)
class Setup:
    """What every worker is told once."""

    tracks: tuple[Track, ...]
    recipe: Recipe
    journal: Journal


class Worker:
    """Writes one track after the other, and notes each in the journal."""

    def __init__(self, setup: Setup) -> None:
        self._writer = TrackWriter(setup.tracks, setup.recipe)
        self._skip = setup.recipe.skip
        self._journal = setup.journal

    def do(self, task: Task) -> Done:
        """Write one track.

        Raises:
            DataError: Its media, or those of a donor, are missing or broken, and nothing is to be skipped.
            ResourceError: The disk is full.
        """
        try:
            written = self._writer.write(*task)
        except DataError as error:
            if not self._skip:
                raise DataError(
                    f"{error} Use --on-error skip to leave such tracks out and have them counted."
                ) from error
            self._writer.discard(*task)
            return Done(task.key, str(error))
        self._journal.add(written)
        return Done(task.key)


def work(setup: Setup, tasks: Iterable[Task], workers: int) -> Iterator[Done]:
    """Write tracks; they come back in the order in which they are finished.

    Args:
        setup: What to write, and how.
        tasks: The tracks.
        workers: How many processes; with 1 it is this one.

    Raises:
        AsdbenchError: What one of the tracks raised; those that were begun are finished first.
        UsageError: The media of the data set cannot be sent to other processes.
        ResourceError: A process died.
    """
    if workers == 1:
        yield from map(Worker(setup).do, tasks)
        return
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _start, (_pickled(setup),))
    try:
        yield from _spread(pool, iter(tasks), workers * _WAITING)
    except BrokenProcessPool as error:
        raise ResourceError(
            "a worker process died, perhaps for want of memory; run the same command again with fewer --workers, it "
            "continues."
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _spread(pool: ProcessPoolExecutor, tasks: Iterator[Task], most: int) -> Iterator[Done]:
    pending: set[Future[Done]] = set()
    while True:
        while len(pending) < most and (task := next(tasks, None)) is not None:
            pending.add(pool.submit(_do, task))
        if not pending:
            return
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()


def _pickled(setup: Setup) -> bytes:
    try:
        return pickle.dumps(setup)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise _not_sent(error) from error


def _not_sent(error: Exception) -> UsageError:
    return UsageError(f"the data set cannot be sent to worker processes ({error}); use --workers 1.")


_worker: Worker | None = None
_problem: Exception | None = None


def _start(setup: bytes) -> None:
    global _worker, _problem
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which lets us finish
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        _worker = Worker(pickle.loads(setup))  # noqa: S301 - our own, from the parent
    except Exception as error:  # anything a user's own reader may do; told with the first task, not as a dead pool
        _problem = error


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        _exit(1)


def _do(task: Task) -> Done:
    if _worker is None:
        raise _not_sent(_problem or RuntimeError("not started"))
    return _worker.do(task)
