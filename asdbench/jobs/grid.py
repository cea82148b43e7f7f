"""Works off the cells of a grid, several at a time, each in a process of its own, and what they start from first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from asdbench.claims.cell import Cell, CellRecord
from asdbench.errors import UsageError
from asdbench.training.recipe import Recipe
from asdbench.training.recipes import load_recipe, recipe_hash

Load = Callable[[str], Recipe]


@dataclass(frozen=True)
class Task:
    """A cell that is to be done.

    Attributes:
        cell: Which.
        identity: See `CellRecord`.
        needs: Cells whose trainings it starts from, directly or not; they are done first.
        measured: Whether it is measured, or others only start from it.
        recipe: Name of the recipe, or its file.
    """

    cell: Cell
    identity: Mapping[str, Any]
    needs: tuple[Cell, ...]
    measured: bool
    recipe: str


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


@dataclass(frozen=True)
class _Known:
    """A recipe, how it is named, and those that it starts from, each after what it starts from itself."""

    recipe: Recipe
    reference: str
    starts: tuple[_Known, ...]


def tasks_of(
    cells: Sequence[Cell], common: Mapping[str, Any], folder: Path | None = None, load: Load = load_recipe
) -> list[Task]:
    """Return what must be done for cells to be there: all of the first seed first, each after what it starts from.

    Args:
        cells: Those that are to be measured.
        common: What the identities of all cells have in common.
        folder: Where a file ``RECIPE.toml`` comes before a shipped recipe of that name.
        load: How to read a recipe by its name or file.

    Raises:
        UnknownNameError: No such recipe.
        UsageError: A recipe is not valid.
    """
    known = {cell.recipe: _known(_reference(cell.recipe, folder), load) for cell in cells}
    for name, each in known.items():
        if each.recipe.name != name:
            raise UsageError(f"{each.reference}: holds the recipe {each.recipe.name!r}, not {name!r}; rename the file.")
    wanted = set(cells)
    tasks: dict[Cell, Task] = {}
    for cell in sorted(wanted, key=list(cells).index):
        for each in (*known[cell.recipe].starts, known[cell.recipe]):
            own = Cell(cell.seed, each.recipe.name)
            hashes = {part.recipe.name: recipe_hash(part.recipe) for part in (*each.starts, each)}
            needs = tuple(Cell(cell.seed, start.recipe.name) for start in each.starts)
            identity = {"recipes": hashes, "seed": cell.seed, **common}
            tasks.setdefault(own, Task(own, identity, needs, own in wanted, each.reference))
    return list(tasks.values())


def _reference(name: str, folder: Path | None) -> str:
    file = None if folder is None else folder / f"{name}.toml"
    return str(file) if file is not None and file.is_file() else name


def _known(reference: str, load: Load) -> _Known:
    recipe = load(reference)
    found: dict[str, _Known] = {}
    for start in recipe.start:
        beginning = _known(start.recipe, load)
        found |= {each.recipe.name: each for each in (*beginning.starts, beginning)}
    return _Known(recipe, reference, tuple(found.values()))


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
