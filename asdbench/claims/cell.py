"""What is kept of a cell: one recipe, trained with one seed, and measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from asdbench.atomic import write_json
from asdbench.errors import DataError

CELLS = "cells"
"""Folder of the records within that of a grid."""

PLACE = ("device", "torch", "asdbench")
"""Parts of a cell's identity that say where and by what it was made; the others say what it is."""


class Cell(msgspec.Struct, frozen=True, order=True):
    """A recipe and a seed."""

    seed: int
    recipe: str

    @property
    def name(self) -> str:
        """Of its files."""
        return f"{self.recipe}-seed{self.seed}"

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.recipe}, seed {self.seed}"


class CellRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A cell that is trained, and perhaps measured.

    Attributes:
        recipe: Name of the recipe.
        seed: Of the training.
        identity: What it is (hashes of the recipe and of all it starts from, of both data sets and of the suite) and
            by what it was made (`PLACE`).
        state: ``complete`` once measured; ``trained`` before that, and for what others only start from.
        training: Folder of the training, from that of the grid.
        checkpoint_sha256: Of the weights.
        training_seconds: What the training took, without those that it starts from.
        run: Run folder, from that of the grid; ``None`` while it is not measured.
        evaluation_seconds: What measuring took.
        continued: Whether measuring was interrupted, so that its time is that of the last start.
        threads: CPU threads of torch.
        machine: What it was made on: cores, processor, system.
    """

    recipe: str
    seed: int
    identity: dict[str, Any]
    state: Literal["trained", "complete"]
    training: str
    checkpoint_sha256: str
    training_seconds: Annotated[float, msgspec.Meta(ge=0)]
    run: str | None = None
    evaluation_seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    continued: bool = False
    threads: int
    machine: dict[str, Any]

    @property
    def cell(self) -> Cell:
        """Recipe and seed."""
        return Cell(self.seed, self.recipe)

    @property
    def seconds(self) -> float:
        """Training and measuring."""
        return self.training_seconds + self.evaluation_seconds

    def is_of(self, identity: Mapping[str, Any], anywhere: bool = False) -> bool:
        """Tell whether this is the record of a cell.

        Args:
            identity: Of the cell.
            anywhere: Whether what another device or release made counts, too.
        """
        ours, theirs = dict(self.identity), dict(identity)
        for key in PLACE if anywhere else ():
            ours.pop(key, None)
            theirs.pop(key, None)
        return ours == theirs


def record_path(folder: Path, cell: Cell) -> Path:
    """Return where the record of a cell lies in the folder of a grid."""
    return folder / CELLS / f"{cell.name}.json"


def write_cell(folder: Path, record: CellRecord) -> None:
    """Keep a record."""
    write_json(record_path(folder, record.cell), msgspec.to_builtins(record))


def read_cell(folder: Path, cell: Cell) -> CellRecord | None:
    """Return the record of a cell, ``None`` without one.

    Raises:
        DataError: It is damaged.
    """
    path = record_path(folder, cell)
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=CellRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: not the record of a cell ({error}); delete it, and run the same command again."
        ) from error
