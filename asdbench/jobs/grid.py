"""Works off the cells of a grid, several at a time, each in a process of its own, and what they start from first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from asdbench.claims.cell import Cell, CellRecord
from asdbench.training.recipe import Recipe
from asdbench.training.recipes import chain, load_recipe, recipe_hash

Load = Callable[[str], Recipe]


@dataclass(frozen=True)
class Task:
    """A cell that is to be done.

    Attributes:
        cell: Which.
        identity: See `CellRecord`.
        needs: Cells whose trainings it starts from, directly or not; they are done first.
        measured: Whether it is measured, or others only start from it.
    """

    cell: Cell
    identity: Mapping[str, Any]
    needs: tuple[Cell, ...]
    measured: bool


@dataclass(frozen=True)
class Ended:
    """How a task ended.

    Attributes:
        task: The task.
        record: What came of it; ``None`` where it failed.
        reason: Why it failed.
        before: Whether it was finished before.
    """

    task: Task
    record: CellRecord | None = None
    reason: str = ""
    before: bool = False


class Launcher(Protocol):
    """Does tasks beside this process."""

    def start(self, task: Task) -> None:
        """Begin a task."""

    def wait(self) -> Iterable[Ended]:
        """Wait until at least one of those that were begun has ended."""

    def stop(self) -> None:
        """End what is under way."""


def tasks_of(cells: Sequence[Cell], common: Mapping[str, Any], load: Load = load_recipe) -> list[Task]:
    """Return what must be done for cells to be there: all of the first seed first, each after what it starts from.

    Args:
        cells: Those that are to be measured.
        common: What the identities of all cells have in common.
        load: How to read a recipe.

    Raises:
        UnknownNameError: No such recipe.
        UsageError: A recipe is not valid.
    """
    names = list(dict.fromkeys(cell.recipe for cell in cells))
    recipes = {name: load(name) for name in names}
    starts = {name: chain(recipe) for name, recipe in recipes.items()}
    for found in list(starts.values()):
        for recipe in found:
            recipes.setdefault(recipe.name, recipe)
            starts.setdefault(recipe.name, chain(recipe))
    wanted, tasks = set(cells), dict[Cell, Task]()
    for seed in dict.fromkeys(cell.seed for cell in cells):
        for name in (name for name in names if Cell(seed, name) in wanted):
            for each in (*(recipe.name for recipe in starts[name]), name):
                cell = Cell(seed, each)
                hashes = {r.name: recipe_hash(r) for r in (*starts[each], recipes[each])}
                needs = tuple(Cell(seed, recipe.name) for recipe in starts[each])
                identity = {"recipes": hashes, "seed": seed, **common}
                tasks.setdefault(cell, Task(cell, identity, needs, cell in wanted))
    return list(tasks.values())


def work_off(
    tasks: Sequence[Task],
    finished: Callable[[Task], CellRecord | None],
    launcher: Launcher,
    jobs: int,
    notify: Callable[[Ended], None] = lambda _: None,
) -> list[Ended]:
    """Do tasks, at most so many at a time, none before what it needs; one that fails stops only what needs it.

    Args:
        tasks: Each after what it needs.
        finished: Tells what of them was done before.
        launcher: Does the others.
        jobs: How many at a time.
        notify: Told of each that ends.

    Returns:
        How each ended, in the order in which they did.
    """
    ended: dict[Cell, Ended] = {}
    waiting, running = deque(tasks), 0

    def settle(each: Ended) -> None:
        ended[each.task.cell] = each
        notify(each)

    for task in list(waiting):
        record = finished(task)
        if record is not None:
            waiting.remove(task)
            settle(Ended(task, record, before=True))
    pending = {cell for task in waiting if task.measured for cell in (task.cell, *task.needs)}
    waiting = deque(task for task in waiting if task.cell in pending)
    try:
        while waiting or running:
            for task in _dropped(waiting, ended):
                waiting.remove(task)
                settle(_not_begun(task, ended))
            while running < jobs and (ready := _ready(waiting, ended)) is not None:
                waiting.remove(ready)
                launcher.start(ready)
                running += 1
            if running:
                for each in launcher.wait():
                    running -= 1
                    settle(each)
    finally:
        launcher.stop()
    return list(ended.values())


def _not_begun(task: Task, ended: Mapping[Cell, Ended]) -> Ended:
    """Return the end of a task that cannot begin, since one that it needs failed."""
    culprit = next(cell for cell in task.needs if cell in ended and ended[cell].record is None)
    return Ended(task, reason=f"it starts from {culprit.words}, which failed")


def _dropped(waiting: Iterable[Task], ended: Mapping[Cell, Ended]) -> list[Task]:
    return [task for task in waiting if any(cell in ended and ended[cell].record is None for cell in task.needs)]


def _ready(waiting: Iterable[Task], ended: Mapping[Cell, Ended]) -> Task | None:
    return next((task for task in waiting if all(cell in ended for cell in task.needs)), None)
