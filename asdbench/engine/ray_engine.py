"""Scores tracks on a Ray cluster: many processes, GPUs or machines, one driver that keeps what they find.

Each worker holds the model, the plan and the annotation, and is sent a few tracks at a time. What it returns goes to
the driver, the only one that writes the run folder. A worker that dies is replaced, and what it had is scored again.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from pickle import PicklingError
from typing import Any, NamedTuple

from asdbench.devices import describe_device
from asdbench.engine.batches import Batch
from asdbench.engine.how import How
from asdbench.engine.loop import Result
from asdbench.engine.peaks import peak_memory
from asdbench.engine.timings import Timings
from asdbench.engine.tracks import TrackEvaluator
from asdbench.errors import AsdbenchError, MissingDependencyError, ResourceError, UsageError

MAX_DEATHS = 3
"""How often workers may die over the same tracks before the run is given up."""

_TASK_FRAMES = 500
"""Least frames that are sent at a time: enough to make the way there cheap, few enough to lose."""


@dataclass(frozen=True)
class Cluster:
    """Which workers to ask Ray for.

    Attributes:
        address: Of a running cluster, ``auto`` for the one of this machine; ``None`` starts one here for this run.
        workers: How many; as many as the cluster has room for by default.
        gpus: GPUs per worker, which may be a part of one.
        cpus: CPU cores per worker, and threads it computes with.
    """

    address: str | None = None
    workers: int | None = None
    gpus: float = 0.0
    cpus: int = 1


@dataclass
class _Task:
    """Batches that are scored one after the other by one worker."""

    batches: tuple[Batch, ...]
    deaths: int = 0


class _Found(NamedTuple):
    """What a worker returns: what there is for each track; of itself seconds, counts and memory so far, its device."""

    results: list[Any]
    seconds: Timings
    counts: dict[str, int]
    device: dict[str, object]
    peak: dict[str, int]


class _Worker:
    """Lives in a process of its own; whatever goes wrong is returned, not raised, so that it arrives as it is."""

    def __init__(self, build: Callable[[], TrackEvaluator], folder: str, threads: int, device: str) -> None:
        self._build, self._folder, self._threads, self._device = build, folder, threads, device
        self._evaluator: TrackEvaluator | None = None

    def score(self, batches: Sequence[Batch]) -> _Found | AsdbenchError:
        """Score batches one after the other."""
        import torch

        try:
            if self._evaluator is None:
                with suppress(OSError):  # paths are relative to where the driver was started, if that is here, too
                    os.chdir(self._folder)
                torch.set_num_threads(self._threads)
                self._evaluator = self._build()
            results = [found for _, found in self._evaluator.results(batches)]
            seconds, counts = self._evaluator.timings, self._evaluator.counts()
            return _Found(results, seconds, counts, describe_device(self._device), peak_memory(self._device))
        except AsdbenchError as error:
            return error


@dataclass
class RayEngine:
    """Scores tracks on the workers of a Ray cluster; see `asdbench.engine.loop.Engine`.

    Attributes:
        build: Makes what scores tracks; called once in each worker, so it must be picklable.
        cluster: Which workers.
        device: Torch device of each.
        batch_frames: How many frames tracks may have that are embedded together, as for what ``build`` makes.
        seconds: Seconds by stage of each worker so far.
        counted: What each has counted so far.
        devices: What each computes with.
        peaks: How much memory each took at most.

    Raises:
        MissingDependencyError: Ray is not installed.
    """

    build: Callable[[], TrackEvaluator]
    cluster: Cluster
    device: str = "cpu"
    batch_frames: int = 0
    seconds: dict[int, Timings] = field(default_factory=dict)
    counted: dict[int, dict[str, int]] = field(default_factory=dict)
    devices: dict[int, dict[str, object]] = field(default_factory=dict)
    peaks: dict[int, dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_ray()

    @property
    def timings(self) -> Timings:
        """Seconds by stage, summed over all workers."""
        return Timings.total(self.seconds.values())

    def record(self) -> dict[str, Any]:
        """Return what ``run.json`` says under ``engine``."""
        asked = {"cpus_per_worker": self.cluster.cpus, "gpus_per_worker": self.cluster.gpus}
        counts: Counter[str] = Counter()
        for each in self.counted.values():
            counts.update(each)
        together = How(batch_frames=self.batch_frames).record()
        return {"kind": "ray", "workers": len(self.seconds), **asked, **together, **counts}

    def results(self, batches: Sequence[Batch]) -> Generator[Result, None, None]:
        """Yield each track of batches once, as soon as it is scored.

        Raises:
            ResourceError: The cluster cannot be reached or has no room, or workers kept dying over the same tracks.
            UsageError: The model is an object that cannot be pickled.
            AsdbenchError: As a worker raises it.
        """
        ray = require_ray()
        started = _connect(ray, self.cluster)
        try:
            yield from _Pool(ray, self, _tasks(batches)).run()
        finally:
            if started:
                ray.shutdown()


class _Hand(NamedTuple):
    """A worker, and its number."""

    number: int
    worker: Any


class _Pool:
    """The workers of one run, and who does what."""

    def __init__(self, ray: Any, engine: RayEngine, tasks: deque[_Task]) -> None:
        self._ray, self._engine, self._tasks = ray, engine, tasks
        cluster = engine.cluster
        kind = ray.remote(_Worker).options(num_cpus=cluster.cpus, num_gpus=cluster.gpus)
        try:
            recipe = ray.put(engine.build)
        except (TypeError, PicklingError) as error:
            raise UsageError(
                f"the model cannot be sent to other processes ({str(error).splitlines()[0]}); name it with --model, or "
                "use --engine local."
            ) from error
        self._hire: Callable[[], Any] = lambda: kind.remote(recipe, str(Path.cwd()), cluster.cpus, engine.device)
        self._hired = 0
        self._busy: dict[Any, tuple[_Hand, _Task]] = {}

    def run(self) -> Generator[Result, None, None]:
        count = min(_room(self._ray, self._engine.cluster), len(self._tasks))
        try:
            for _ in range(count):
                self._give(self._new_hand())
            while self._busy:
                (ready,), _ = self._ray.wait(list(self._busy), num_returns=1)
                hand, task = self._busy.pop(ready)
                yield from self._collect(ready, hand, task)
        finally:
            for hand, _ in self._busy.values():
                self._ray.kill(hand.worker)

    def _new_hand(self) -> _Hand:
        self._hired += 1
        return _Hand(self._hired, self._hire())

    def _give(self, hand: _Hand) -> None:
        """Send a worker what is next; one that nobody holds any more is ended by Ray."""
        if self._tasks:
            task = self._tasks.popleft()
            self._busy[hand.worker.score.remote(task.batches)] = hand, task

    def _collect(self, ready: Any, hand: _Hand, task: _Task) -> Generator[Result, None, None]:
        try:
            found = self._ray.get(ready)
        except self._ray.exceptions.RayActorError as error:
            task.deaths += 1
            if task.deaths >= MAX_DEATHS:
                first = task.batches[0][0]
                raise ResourceError(
                    f"a worker died {task.deaths} times over the track {first.entity_id!r} of video "
                    f"{first.video_id!r}, perhaps for lack of memory (Ray's logs say more); what was scored "
                    "is kept, try fewer --workers."
                ) from error
            self._tasks.appendleft(task)
            self._give(self._new_hand())
            return
        if isinstance(found, AsdbenchError):
            raise found
        engine, number = self._engine, hand.number
        engine.seconds[number], engine.counted[number] = found.seconds, found.counts
        engine.devices[number], engine.peaks[number] = found.device, found.peak
        self._give(hand)
        yield from zip(chain(*task.batches), found.results, strict=True)


def require_ray() -> Any:
    """Return the package Ray.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingDependencyError("the engine 'ray' needs Ray; pip install 'asdbench[ray]'.") from error
    return ray


def _connect(ray: Any, cluster: Cluster) -> bool:
    """Join a cluster or start one; return whether this run must take it down."""
    if ray.is_initialized():
        return False
    quiet: Mapping[str, Any] = {"log_to_driver": False, "configure_logging": False, "include_dashboard": False}
    try:
        if cluster.address is not None:
            ray.init(address=cluster.address, log_to_driver=False, configure_logging=False)
        else:
            ray.init(num_cpus=None if cluster.workers is None else cluster.workers * cluster.cpus, **quiet)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise ResourceError(f"no Ray cluster at {cluster.address or 'this machine'}: {error}.") from error
    return True


def _room(ray: Any, cluster: Cluster) -> int:
    """Return how many workers to hire."""
    there = ray.cluster_resources()
    room = int(there.get("CPU", 0) // max(cluster.cpus, 1))
    if cluster.gpus:
        room = min(room, int(there.get("GPU", 0) / cluster.gpus))
    if not room:
        raise ResourceError(
            f"the Ray cluster has {there.get('CPU', 0):g} CPU cores and {there.get('GPU', 0):g} GPUs, too few for one "
            f"worker with {cluster.cpus} and {cluster.gpus:g}; ask for less with --gpus-per-worker."
        )
    return min(cluster.workers or room, room)


def _tasks(batches: Sequence[Batch]) -> deque[_Task]:
    """Put batches together to tasks, in their order, so that what is heard together is mostly scored together."""
    tasks: deque[_Task] = deque()
    taken: list[Batch] = []
    for batch in batches:
        taken.append(batch)
        if sum(len(track) for each in taken for track in each) >= _TASK_FRAMES:
            tasks.append(_Task(tuple(taken)))
            taken = []
    if taken:
        tasks.append(_Task(tuple(taken)))
    return tasks
