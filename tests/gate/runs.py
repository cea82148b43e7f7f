"""Runs without a folder: rows made by hand, and records that say where they come from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from asdbench.analysis.rows import RunRows
from asdbench.records.predictions import Predictions
from asdbench.report.run import Run
from tests.analysis.test_comparison import CONDITIONS, scored


@dataclass(frozen=True)
class Made(Run):
    """A run whose rows are in memory."""

    held: RunRows = field(default_factory=lambda: scored(0.5))

    @property
    def rows(self) -> RunRows:
        return self.held

    @property
    def conditions(self) -> dict[str, Any]:  # type: ignore[override]
        return dict(self.held.conditions)

    def read(self, condition: str) -> Predictions:
        return self.held.read(condition)


def made(rows: RunRows | None = None, /, **changes: Any) -> Made:
    """A run of given rows; ``changes`` are values of its record, by dotted name with ``__`` for the dots."""
    record: dict[str, Any] = {
        "fingerprint": "f",
        "model": {"name": "made"},
        "data": {"name": "made", "notes": (), "protocol": "ava", "media_digest": "m"},
        "suite": {"name": "s", "version": 1, "seed": 1, "sha256": "0", "conditions": []},
        "identity": {
            "model": {"dtype": "float32", "options": {}}, "data": {"fingerprint": "d"}, "plan_sha256": "p",
            "limit": None,
        },
        "counts": {"tracks": 9, "skipped_tracks": 0, "incomplete_tracks": 0},
        "config": {},
        "custom": False,
        "plan": {"conditions": {}},
    }  # fmt: skip
    for name, value in changes.items():
        *path, last = name.split("__")
        part = record
        for key in path:
            part = part[key]
        part[last] = value
    held = scored(0.5) if rows is None else rows
    return Made(Path("runs/made"), record, {"units": {"status": "ok"}, "conditions": [], "thresholds": {}}, held)


def edited(rows: RunRows, condition: str, **columns: Any) -> RunRows:
    """The same rows with other columns under one condition."""

    def read(name: str) -> Predictions:
        return replace(rows.read(name), **columns) if name == condition else rows.read(name)

    return replace(rows, read=read)


def without(rows: RunRows, *names: str) -> RunRows:
    """The rows of a run whose suite lacks conditions."""
    return replace(rows, conditions={name: each for name, each in CONDITIONS.items() if name not in names})


def with_nan(rows: RunRows, condition: str) -> RunRows:
    """The rows of a model that returned a NaN."""
    score = rows.read(condition).score.copy()
    score[3] = np.nan
    return edited(rows, condition, score=score)
