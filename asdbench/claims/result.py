"""A grid with all that is there of it: cells, figures, findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from asdbench.claims.cell import CellRecord
from asdbench.claims.findings import Chosen, Finding, Findings, Met, find, quantities
from asdbench.claims.grid import Grid
from asdbench.claims.quantity import value_in
from asdbench.claims.verdict import Spread
from asdbench.metrics.measured import Measured
from asdbench.report.run import open_run

SCHEMA = 1


@dataclass(frozen=True)
class Claims:
    """What a grid came to.

    Attributes:
        folder: Of the grid: trainings, runs, records, and what is written of them.
        findings: Verdicts and figures.
        cells: What is finished, trainings that others only start from included, by seed and recipe.
        missing: Cells that are to be measured and are not, by name, with the reason where one failed.
    """

    folder: Path
    findings: Findings
    cells: tuple[CellRecord, ...]
    missing: Mapping[str, str]

    @property
    def grid(self) -> Grid:
        """The grid."""
        return self.findings.grid

    @cached_property
    def failed(self) -> dict[str, str]:
        """Cells that failed, with the reason."""
        return {name: reason for name, reason in self.missing.items() if reason}

    @cached_property
    def slow(self) -> tuple[CellRecord, ...]:
        """Cells that took longer than the grid allows."""
        return tuple(record for record in self.cells if record.seconds > 60 * self.grid.minutes)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``claims.json`` holds and ``--json`` prints."""
        grid = self.grid
        return {
            "schema": SCHEMA,
            "grid": {
                "name": grid.name, "version": grid.version, "sha256": grid.sha256, "train": grid.train, "val": grid.val,
                "suite": grid.suite, "recipes": list(grid.recipes), "minutes": grid.minutes,
            },
            "seeds": list(self.findings.seeds),
            "claims": [_finding(each) for each in self.findings.findings],
            "chosen": {each.alias: _chosen(each) for each in self.findings.chosen},
            "figures": {
                recipe: {name: _spread(found) for name, found in by_name.items()}
                for recipe, by_name in self.findings.listed.items()
            },
            "cells": [msgspec.to_builtins(record) for record in self.cells],
            "missing": dict(self.missing),
        }  # fmt: skip


def gather(
    folder: Path, grid: Grid, seeds: Sequence[int], cells: Sequence[CellRecord], missing: Mapping[str, str]
) -> Claims:
    """Read the figures of all finished cells, and judge every claim.

    Args:
        folder: Of the grid.
        grid: The grid.
        seeds: Those that count.
        cells: What is finished.
        missing: What is not; see `Claims`.

    Raises:
        DataError: A run is broken.
    """
    measured: dict[str, dict[int, Mapping[str, Measured]]] = {}
    for record in cells:
        if record.run is not None and record.seed in seeds and record.recipe in grid.recipes:
            run = open_run(folder / record.run)
            figures = {quantity.text: value_in(run, quantity) for quantity in quantities(grid)}
            measured.setdefault(record.recipe, {})[record.seed] = figures
    return Claims(folder, find(grid, measured, seeds), tuple(sorted(cells, key=_place)), missing)


def _place(record: CellRecord) -> tuple[int, str]:
    return record.seed, record.recipe


def _finding(found: Finding) -> dict[str, Any]:
    claim = found.claim
    return {
        "id": claim.id,
        "text": claim.text,
        "source": claim.source,
        "kind": claim.kind,
        "quantity": claim.quantity,
        "condition": found.condition,
        "bound": claim.bound.words,
        "verdict": found.verdict,
        "reason": found.reason,
        **_spread(found.found),
        "arms": {arm: _spread(values) for arm, values in found.arms.items()},
        "part_left": found.part_left,
        "requires": [_met(each) for each in found.requirements],
    }


def _met(met: Met) -> dict[str, Any]:
    each = met.requirement
    about = {"kind": each.kind, "arm": each.arm, "against": each.against, "quantity": each.quantity}
    return {**about, "bound": each.bound.words, "by": each.by, "holds": met.holds, **_spread(met.found)}


def _chosen(chosen: Chosen) -> dict[str, Any]:
    rule = {
        "arm": chosen.choice.arm,
        "figure": chosen.choice.figure,
        "low": chosen.choice.low,
        "high": chosen.choice.high,
    }
    means = {condition: _spread(found) for condition, found in chosen.means.items()}
    return {"condition": chosen.condition, **rule, "means": means}


def _spread(found: Spread) -> dict[str, Any]:
    return {
        "mean": found.mean,
        "interval": None if found.low is None else [found.low, found.high],
        "by_seed": {str(seed): value for seed, value in found.by_seed.items()},
        "undefined": {str(seed): reason for seed, reason in found.missing.items()},
    }
