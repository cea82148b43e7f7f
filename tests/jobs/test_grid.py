"""In which order the cells of a grid are done, and what a failure stops."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.claims.cell import Cell, CellRecord
from asdbench.errors import UsageError
from asdbench.jobs.grid import Ended, Task, tasks_of, work_off
from asdbench.training.recipe import Recipe

STARTS = {"front": [], "lip": ["front"], "vad": [], "product": ["vad", "lip"], "full": ["front"], "alone": []}


def recipe(name: str) -> Recipe:
    start = [{"recipe": each, "parts": {"": ""}} for each in STARTS[name]]
    content = {
        "name": name, "version": 1, "summary": "x", "source": "x", "epochs": 1, "start": start,
        "model": {"architecture": "talknet"}, "clips": {"batch_frames": 8}, "optimizer": {"rate": 1.0},
    }  # fmt: skip
    return msgspec.convert(content, Recipe)


def tasks(*cells: tuple[str, int]) -> list[Task]:
    return tasks_of([Cell(seed, name) for name, seed in cells], {"suite": "s"}, load=recipe)


def record(task: Task) -> CellRecord:
    return CellRecord(
        recipe=task.cell.recipe, seed=task.cell.seed, identity=dict(task.identity), state="trained", training="t",
        checkpoint_sha256="c", training_seconds=1, threads=1, machine={},
    )  # fmt: skip


class Later:
    """A launcher whose tasks end one by one, the last begun first, and which looks what runs beside what."""

    def __init__(self, failing: Iterable[str] = ()) -> None:
        self.failing = set(failing)
        self.begun: list[str] = []
        self.running: list[Task] = []
        self.most = 0
        self.ended: set[Cell] = set()
        self.stopped = False

    def start(self, task: Task) -> None:
        assert all(cell in self.ended for cell in task.needs), "begun before what it needs"
        assert task.cell not in {each.cell for each in self.running} | self.ended, "begun twice"
        self.begun.append(task.cell.name)
        self.running.append(task)
        self.most = max(self.most, len(self.running))

    def wait(self) -> Iterable[Ended]:
        task = self.running.pop()
        self.ended.add(task.cell)
        if task.cell.name in self.failing:
            return [Ended(task, reason="broken")]
        return [Ended(task, record(task))]

    def stop(self) -> None:
        self.stopped = True


def test_all_of_a_seed_comes_before_the_next_and_each_after_what_it_starts_from() -> None:
    found = tasks(("full", 1), ("product", 1), ("lip", 1), ("full", 2))
    assert [(task.cell.name, task.measured) for task in found] == [
        ("front-seed1", False), ("full-seed1", True), ("vad-seed1", False), ("lip-seed1", True),
        ("product-seed1", True), ("front-seed2", False), ("full-seed2", True),
    ]  # fmt: skip
    assert [cell.recipe for cell in found[4].needs] == ["vad", "front", "lip"]
    assert set(found[4].identity["recipes"]) == {"vad", "front", "lip", "product"}
    assert found[0].identity["seed"] == 1
    assert found[0].identity["suite"] == "s"


def test_a_recipe_of_your_own_is_found_beside_the_grid(tmp_path: Path) -> None:
    def load(name: str) -> Recipe:
        return recipe("alone" if name.endswith("alone.toml") else "lip" if name.endswith(".toml") else name)

    (tmp_path / "alone.toml").touch()
    found = tasks_of([Cell(1, "alone"), Cell(1, "vad")], {}, tmp_path, load)
    assert [task.recipe for task in found] == [str(tmp_path / "alone.toml"), "vad"]
    (tmp_path / "vad.toml").touch()
    with pytest.raises(UsageError, match=r"vad\.toml: holds the recipe 'lip', not 'vad'"):
        tasks_of([Cell(1, "vad")], {}, tmp_path, load)


EVERYTHING = tuple((name, seed) for seed in (1, 2) for name in STARTS)


@settings(max_examples=40)
@given(
    st.lists(st.sampled_from(EVERYTHING), unique=True, min_size=1),
    st.sets(st.sampled_from([f"{name}-seed{seed}" for name, seed in EVERYTHING])),
    st.sets(st.sampled_from([f"{name}-seed{seed}" for name, seed in EVERYTHING])),
    st.integers(1, 4),
)
def test_everything_ends_once_whatever_fails(
    cells: list[tuple[str, int]], failing: set[str], before: set[str], jobs: int
) -> None:
    todo = tasks(*cells)
    launcher = Later(failing)
    # What was done before was done with what it needed.
    done = {task.cell for task in todo if task.cell.name in before}
    done |= {cell for task in todo if task.cell in done for cell in task.needs}
    launcher.ended |= done

    ended = work_off(todo, lambda task: record(task) if task.cell in done else None, launcher, jobs)

    assert launcher.most <= jobs
    assert launcher.stopped
    cells_ended = [each.task.cell for each in ended]
    assert len(cells_ended) == len(set(cells_ended))
    assert {task.cell for task in todo if task.measured} <= set(cells_ended)
    for each in ended:
        own = each.task.cell
        needs_failed = any(cell.name in failing and cell not in done for cell in each.task.needs)
        assert (each.record is None) == (own not in done and (own.name in failing or needs_failed))
        assert not (needs_failed and own.name in launcher.begun and own not in done)


def test_a_failure_is_named_where_it_stops_others() -> None:
    ended = work_off(tasks(("product", 1), ("full", 1), ("alone", 1)), lambda _: None, Later(["vad-seed1"]), 2)
    reasons = {each.task.cell.name: each.reason for each in ended if each.record is None}
    assert reasons == {"vad-seed1": "broken", "product-seed1": "it starts from vad, seed 1, which failed"}


def test_what_only_finished_cells_start_from_is_not_made_again() -> None:
    launcher = Later()
    launcher.ended = {Cell(1, "full")}
    ended = work_off(
        tasks(("full", 1), ("alone", 1)), lambda task: record(task) if task.cell.recipe == "full" else None, launcher, 1
    )
    assert launcher.begun == ["alone-seed1"]
    assert [each.task.cell.recipe for each in ended] == ["full", "alone"]


def test_what_is_under_way_is_ended_when_the_user_stops() -> None:
    class Stopped(Later):
        def wait(self) -> Iterable[Ended]:
            raise KeyboardInterrupt

    launcher = Stopped()
    with pytest.raises(KeyboardInterrupt):
        work_off(tasks(("alone", 1)), lambda _: None, launcher, 1)
    assert launcher.stopped
