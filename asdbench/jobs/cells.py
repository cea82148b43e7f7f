"""One cell of a grid: train, measure, keep a record. Everything is where the same call finds it again."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from asdbench.claims.cell import Cell, CellRecord, read_cell, write_cell
from asdbench.claims.grid import Grid
from asdbench.errors import DataError
from asdbench.jobs.grid import Task
from asdbench.jobs.training import Trained, TrainingFolder
from asdbench.records.folder import RunFolder, fingerprint
from asdbench.report.run import Run, open_run

TRAININGS, RUNS = "trained", "runs"
"""Folders of trainings and of runs within that of a grid."""

TrainRecipe = Callable[..., Trained]
RunSuite = Callable[..., Run]


@dataclass(frozen=True)
class CellWork:
    """Does a cell; sent to processes of their own, so all of it can be pickled.

    Attributes:
        train: `asdbench.api.train`.
        run: `asdbench.api.run`.
        grid: Says on what.
        folder: Of the grid.
        device: Torch device.
        threads: CPU threads of torch; as they are where ``None``.
    """

    train: TrainRecipe
    run: RunSuite
    grid: Grid
    folder: Path
    device: str
    threads: int | None

    def __call__(self, task: Task, notify: Callable[[str], None]) -> CellRecord:
        """Train a cell, and measure it. What is finished of it is not done again; what it starts from is trained.

        Args:
            task: Which.
            notify: Told what happens.
        """
        cell = task.cell
        trained = self.train(
            task.recipe, self.grid.train, seed=cell.seed, root=self.folder / TRAININGS, split=self.grid.train_split,
            device=self.device, threads=self.threads, progress=False,
        )  # fmt: skip
        notify(f"trained in {trained.seconds:.0f} s")
        record = CellRecord(
            recipe=cell.recipe,
            seed=cell.seed,
            identity=dict(task.identity),
            state="trained",
            training=_within(trained.folder, self.folder),
            checkpoint_sha256=str(trained.record["checkpoint_sha256"]),
            training_seconds=trained.seconds,
            threads=int(trained.record["threads"]),
            machine=machine(),
        )
        write_cell(self.folder, record)
        if task.measured:
            record = self._measured(record, trained.checkpoint)
            write_cell(self.folder, record)
        return record

    def _measured(self, record: CellRecord, checkpoint: Path) -> CellRecord:
        if self.threads is not None:
            import torch

            torch.set_num_threads(self.threads)
        out = run_folder(self.folder, record.cell, record.identity)
        before = _state(out)
        begun = time.monotonic()
        # Without intervals of its own: seeds are what the verdicts rest on.
        found = self.run(
            "auto", self.grid.suite, self.grid.val, checkpoint=checkpoint, split=self.grid.val_split,
            device=self.device, out=out, audit="off", resamples="off", progress=False,
        )  # fmt: skip
        spent = float(found.record["timings"]["wall_seconds"]) if before == "complete" else time.monotonic() - begun
        return msgspec.structs.replace(
            record,
            state="complete",
            run=_within(found.path, self.folder),
            evaluation_seconds=round(spent, 1),
            continued=before == "running",
        )


def finished(folder: Path, task: Task, anywhere: bool = False) -> CellRecord | None:
    """Return the record of a cell where all of it is there and its own, else ``None``.

    Args:
        folder: Of the grid.
        task: Which, and whether its run must be there, too.
        anywhere: Whether what another device or release made counts, too.
    """
    try:
        record = read_cell(folder, task.cell)
        if record is None or not record.is_of(task.identity, anywhere) or (task.measured and record.run is None):
            return None
        training = TrainingFolder(folder / record.training).read_record()
        if training["state"] != "complete" or training["checkpoint_sha256"] != record.checkpoint_sha256:
            return None
        if task.measured:
            model = open_run(folder / str(record.run)).record["model"]
            return record if model["checkpoint_sha256"] == record.checkpoint_sha256 else None
    except DataError:  # something is gone or damaged
        return None
    return record


def run_folder(folder: Path, cell: Cell, identity: Mapping[str, Any]) -> Path:
    """Return where a cell is measured: what is another cell by its identity lies elsewhere."""
    return folder / RUNS / f"{cell.name}-{fingerprint(identity)[:8]}"


def machine() -> dict[str, Any]:
    """Return what this is, without names of users and hosts: cores that may be used, processor, system."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"cores": usable or 1, "processor": _processor(), "system": platform.system()}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _state(path: Path) -> str | None:
    """Return the state of a run folder, ``None`` where there is none yet."""
    try:
        return str(RunFolder(path).read_record().get("state"))
    except DataError:
        return None


def _within(path: Path, folder: Path) -> str:
    return path.resolve().relative_to(folder.resolve()).as_posix()
