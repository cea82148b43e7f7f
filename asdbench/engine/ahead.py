"""Reads the media of the next tracks while the current one is scored.

Threads are enough: decoding pictures and sound is done by libraries that do not hold Python's lock.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")
_Loaded = TypeVar("_Loaded")

_MOST = 4


def default_loaders(device: str) -> int:
    """Return how many threads should read media beside a model on a torch device.

    On the CPU of a small machine none: the model takes all of it.
    """
    cores = os.cpu_count() or 1
    if device.partition(":")[0] == "cpu":
        return int(cores > 2)
    return max(1, min(_MOST, cores // 2))


def read_ahead(
    items: Iterable[_Item], load: Callable[[_Item], _Loaded], threads: int
) -> Generator[tuple[_Item, Callable[[], _Loaded]], None, None]:
    """Yield each item, in order, with a function that returns what was loaded of it, or raises why it was not.

    No more than one item per thread is held ready, so memory does not grow with their number.

    Args:
        items: What to load.
        load: Loads one, in another thread.
        threads: How many; with 0 the function itself loads.
    """
    if not threads:
        for item in items:
            yield item, lambda item=item: load(item)  # type: ignore[misc]
        return
    left = iter(items)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="asdbench-loader")
    ready: deque[tuple[_Item, Future[_Loaded]]] = deque()
    try:
        ready.extend((item, pool.submit(load, item)) for item in islice(left, threads))
        while ready:
            item, found = ready.popleft()
            wait([found])  # the next is begun once this is there, so that only so many are held
            ready.extend((later, pool.submit(load, later)) for later in islice(left, 1))
            yield item, found.result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
