"""A grid of claims: its cells, done where they are not; then figures, verdicts, tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from asdbench.claims.cell import Cell, CellRecord
from asdbench.claims.grid import Grid
from asdbench.claims.result import Claims, gather
from asdbench.claims.write import parts_of, write_between_markers, write_claims
from asdbench.data import open_dataset
from asdbench.devices import choose_device
from asdbench.errors import ResourceError, UsageError
from asdbench.jobs.cells import CellWork, RunSuite, TrainRecipe, finished
from asdbench.jobs.grid import Ended, Launcher, Task, tasks_of, work_off
from asdbench.jobs.processes import Processes
from asdbench.jobs.training import Notify, require_lightning
from asdbench.records import provenance
from asdbench.suites import load_suite

_LOGS = "logs"
_LOCK = ".lock"

Launch = Callable[[CellWork, int | None, Path, Notify], Launcher]


@dataclass(frozen=True)
class Request:
    """What is to be done of a grid.

    Attributes:
        grid: The grid.
        folder: Where all of it lies.
        seeds: Those that count.
        cells: Those that are done; all without any.
        jobs: How many at a time.
        threads: CPU threads of each; one where there are several, else torch's own number.
        device: Torch device.
        table_only: Whether nothing is trained or measured.
        markdown: A page whose table is written, too.
        recipes: Folder of recipes that come before shipped ones.
    """

    grid: Grid
    folder: Path
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...] = ()
    jobs: int = 1
    threads: int | None = None
    device: str = "auto"
    table_only: bool = False
    markdown: Path | None = None
    recipes: Path | None = None

    @property
    def all_cells(self) -> tuple[Cell, ...]:
        """Every cell that the table speaks of."""
        return tuple(Cell(seed, recipe) for seed in self.seeds for recipe in self.grid.recipes)


def request_for(
    grid: Grid, folder: Path, *, seeds: Sequence[int], only: Sequence[str], cells: Sequence[str], jobs: int, **more: Any
) -> Request:
    """Check what is asked for.

    Args:
        grid: The grid.
        folder: Where it lies.
        seeds: In place of the grid's.
        only: Claims that are tested; all without any.
        cells: Those that are done, each ``RECIPE:SEED``.
        jobs: How many at a time.
        more: See `Request`.

    Raises:
        UsageError: Something is wrong with it.
        UnknownNameError: No such claim.
    """
    threads = more.get("threads")
    if jobs < 1 or (threads is not None and threads < 1):
        raise UsageError(f"jobs = {jobs}, threads = {threads}: expected at least 1.")
    chosen = grid.only(only) if only else grid
    wanted = tuple(dict.fromkeys(seeds or chosen.seeds))
    named = tuple(_cell(text, chosen, wanted) for text in cells)
    if more.get("markdown"):
        parts_of(more["markdown"])  # refused before hours of work
    return Request(chosen, folder, wanted, named, jobs, **more)


def _cell(text: str, grid: Grid, seeds: Sequence[int]) -> Cell:
    recipe, _, seed = text.rpartition(":")
    if recipe not in grid.recipes or not seed.isdecimal() or int(seed) not in seeds:
        raise UsageError(
            f"cell {text!r}: expected RECIPE:SEED with one of {', '.join(grid.recipes)} and one of the seeds "
            f"{', '.join(map(str, seeds))}."
        )
    return Cell(int(seed), recipe)


def run_claims(
    request: Request, train: TrainRecipe, run: RunSuite, notify: Notify = lambda _: None, launch: Launch = Processes
) -> Claims:
    """Do what is missing of a grid, and write what it comes to.

    Args:
        request: What is to be done.
        train: `asdbench.api.train`.
        run: `asdbench.api.run`.
        notify: Told of each cell that ends.
        launch: Makes what does tasks beside this process.

    Raises:
        AsdbenchError: See ``asdbench.errors`` for the tree. A cell that fails raises nothing, and is reported.
    """
    tasks = tasks_of(request.all_cells, _common(request), request.recipes)
    with _alone(request.folder):
        ended = [] if request.table_only else _do(request, tasks, train, run, notify, launch)
        reasons = {each.task.cell: each.reason for each in ended if each.record is None}
        cells = [record for task in tasks if (record := _finished(request, task)) is not None]
        there = {record.cell for record in cells if record.run is not None}
        missing = {cell.words: reasons.get(cell, "") for cell in request.all_cells if cell not in there}
        missing |= {cell.words: reason for cell, reason in reasons.items()}
        found = gather(request.folder, request.grid, request.seeds, cells, missing)
        write_claims(found)
        if request.markdown is not None:
            write_between_markers(found, request.markdown)
    return found


def _common(request: Request) -> dict[str, Any]:
    """Return what the identities of all cells have in common."""
    grid = request.grid
    place = {"device": choose_device(request.device).partition(":")[0], "asdbench": provenance.versions()["asdbench"]}
    return {
        "train": open_dataset(grid.train, grid.train_split).fingerprint,
        "val": open_dataset(grid.val, grid.val_split).fingerprint,
        "suite": load_suite(grid.suite).sha256,
        "torch": provenance.versions()["torch"],
        **place,
    }


def _do(
    request: Request, tasks: Sequence[Task], train: TrainRecipe, run: RunSuite, notify: Notify, launch: Launch
) -> list[Ended]:
    wanted = set(request.cells or request.all_cells)
    chosen = {cell for task in tasks if task.cell in wanted for cell in (task.cell, *task.needs)}
    # What others only start from is trained here, and measured when its own turn comes.
    todo = [replace(t, measured=t.measured and t.cell in wanted) for t in tasks if t.cell in chosen]
    if any(_finished(request, task) is None for task in todo):
        require_lightning()
    threads = request.threads or (1 if request.jobs > 1 else None)
    work = CellWork(train, run, request.grid, request.folder.resolve(), request.device, threads)
    told = _Progress(len(todo), notify)
    launcher = launch(work, threads, request.folder / _LOGS, notify)
    return work_off(todo, lambda task: _finished(request, task), launcher, request.jobs, told)


def _finished(request: Request, task: Task) -> CellRecord | None:
    # What another device or release made may be shown: the page says by what each cell was made.
    return finished(request.folder, task, anywhere=request.table_only)


class _Progress:
    """Tells of each cell that ends."""

    def __init__(self, total: int, notify: Notify) -> None:
        self._total, self._notify, self._ended, self._before = total, notify, 0, 0

    def __call__(self, each: Ended) -> None:
        self._ended += 1
        where = f"({self._ended} of {self._total})"
        if each.record is None:
            self._notify(f"{each.task.cell.words}: FAILED, {each.reason} {where}")
        elif not each.before:
            done = f"trained in {each.record.training_seconds:.0f} s"
            measured = f", measured in {each.record.evaluation_seconds:.0f} s" if each.record.run else ""
            self._notify(f"{each.task.cell.words}: {done}{measured} {where}")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second process from working off the same grid."""
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ResourceError(f"{folder}: another process works off this grid; wait, or choose another --out.") from error
    try:
        yield
    finally:
        lock.release()
