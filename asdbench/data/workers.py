"""Runs one function over many tasks in several processes, with a progress bar; stops cleanly, leaves nobody behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from asdbench.errors import ResourceError

Result = TypeVar("Result")

_stop: Any = None
_shared: tuple[Any, ...] = ()


def available_cpus() -> int:
    """Return how many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_all(
    work: Callable[..., Result],
    tasks: Sequence[tuple[Any, ...]],
    weights: Sequence[int],
    workers: int | None = None,
    *,
    shared: tuple[Any, ...] = (),
    media: Iterable[object] = (),
    total: int | None = None,
    hidden: bool | None = None,
) -> Iterator[Result]:
    """Yield the result of each task, in the order in which they are finished.

    Args:
        work: A function of a module; called with ``shared``, the items of a task and ``stopped``, which it asks now and
            then.
        tasks: The arguments, which can be pickled.
        weights: What each task counts on the progress bar, in frames.
        workers: Processes; as many as there are CPUs by default. With one, everything happens in this process.
        shared: Arguments before those of a task, which each process is sent once.
        media: Objects in the tasks that a user's own reader may have made: where their module cannot be imported by
            name, there is no second process that could know them.
        total: End of the progress bar; the rest of it was done before.
        hidden: Whether to hide the bar; ``None`` shows it on a terminal only.

    Raises:
        ResourceError: A process was killed.
        Exception: The first that a task raises; the others are stopped.
    """
    from tqdm import tqdm

    count = min(workers or available_cpus(), len(tasks))
    if count > 1 and not all(map(_importable, {type(each) for each in media})):
        count = 1
    total = sum(weights) if total is None else total
    with tqdm(total=total, initial=total - sum(weights), unit="frame", unit_scale=True, disable=hidden) as bar:
        results = _in_turn(work, tasks, shared) if count <= 1 else _in_processes(work, tasks, shared, count)
        for index, result in results:
            bar.update(weights[index])
            yield result


def _importable(kind: type) -> bool:
    """Whether another process would find the module of a class; importlib.util.find_spec also says what is loaded."""
    top = kind.__module__.partition(".")[0]
    return top != "__main__" and any(finder.find_spec(top, None) is not None for finder in sys.meta_path)


def _in_turn(
    work: Callable[..., Result], tasks: Sequence[tuple[Any, ...]], shared: tuple[Any, ...]
) -> Iterator[tuple[int, Result]]:
    for index, task in enumerate(tasks):
        yield index, work(*shared, *task, stopped=lambda: False)


def _in_processes(
    work: Callable[..., Result], tasks: Sequence[tuple[Any, ...]], shared: tuple[Any, ...], count: int
) -> Iterator[tuple[int, Result]]:
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    executor = ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(stop, shared))
    try:
        futures: dict[Future[Result], int] = {
            executor.submit(_call, work, task): index for index, task in enumerate(tasks)
        }
        for future in as_completed(futures):
            yield futures.pop(future), future.result()
    except BrokenProcessPool as error:
        raise ResourceError(
            "a worker process ended by itself, perhaps for lack of memory (or, in a script, for lack of "
            'if __name__ == "__main__"); run the same command again with fewer --workers.'
        ) from error
    finally:
        # Also on the way out of an error or an interrupt: nobody keeps writing.
        stop.set()
        executor.shutdown(wait=True, cancel_futures=True)


def _begin(stop: Any, shared: tuple[Any, ...]) -> None:
    global _stop, _shared
    _stop, _shared = stop, shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # the parent was killed: another may write the same files soon


def _call(work: Callable[..., Result], task: tuple[Any, ...]) -> Result:
    return work(*_shared, *task, stopped=_stop.is_set)
