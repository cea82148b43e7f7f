"""The curve of a training: one row per batch in ``log.csv``, and the same for TensorBoard."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asdbench.atomic import write_text
from asdbench.errors import DataError

LOG_FILE = "log.csv"
"""One row per batch: epoch and batch from 0, rate, loss, and the terms of the loss."""

TENSORBOARD_FOLDER = "tensorboard"
"""Event files for ``tensorboard --logdir``."""

Row = Mapping[str, float]


def write_log(folder: Path, rows: Sequence[Row]) -> None:
    """Write the whole curve."""
    if not rows:
        return
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    # With all digits, so that a curve that was continued can be compared with one that was not.
    writer.writerows({key: repr(value) for key, value in row.items()} for row in rows)
    write_text(folder / LOG_FILE, buffer.getvalue())


def read_log(folder: Path, rows: int | None = None) -> list[dict[str, float]]:
    """Return the curve, or its first rows: later ones belong to batches that a killed training must do again.

    Raises:
        DataError: The file is missing, damaged, or shorter than that.
    """
    if rows == 0:
        return []
    path = folder / LOG_FILE
    try:
        with path.open(newline="", encoding="utf-8") as file:
            found = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); delete the folder to begin this training anew.") from error
    if rows is not None and len(found) < rows:
        raise DataError(f"{path}: {len(found)} rows instead of {rows}; delete the folder to begin this training anew.")
    return [{**row, "epoch": int(row["epoch"]), "batch": int(row["batch"])} for row in found[:rows]]


def board(folder: Path, since: int) -> Any:
    """Return Fabric's logger for TensorBoard, which forgets what was written from step ``since`` on.

    With 0, too: a start that was killed before its first state left events, but no row that counts.
    """
    from lightning_fabric.loggers import TensorBoardLogger

    return TensorBoardLogger(folder, name=TENSORBOARD_FOLDER, version="", purge_step=since)
