"""Tables and figure of a grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asdbench.claims.cell import CellRecord
from asdbench.claims.findings import find
from asdbench.claims.grid import load_grid
from asdbench.claims.result import Claims
from asdbench.claims.tables import cells_table, claims_table, figures_table, machines, number, sentences, short_table
from asdbench.claims.verdict import spread
from asdbench.claims.write import write_claims
from tests.claims.test_findings import shipped


def record(recipe: str, seed: int, **more: Any) -> CellRecord:
    values: dict[str, Any] = {
        "identity": {"device": "cpu", "torch": "2.13", "asdbench": "0.1"}, "state": "complete", "training": "t",
        "checkpoint_sha256": "c", "training_seconds": 300.0, "run": "r", "evaluation_seconds": 100.0, "threads": 1,
        "machine": {"cores": 2, "processor": "Abacus", "system": "Linux"},
    }  # fmt: skip
    return CellRecord(recipe=recipe, seed=seed, **(values | more))


def claims(folder: Path, *cells: CellRecord, **changes: float) -> Claims:
    grid = load_grid("demo")
    return Claims(folder, find(grid, shipped(**changes)), cells, {"lip.demo, seed 3": "no *room*"})


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([0.9, 0.9, 0.9], "0.900 [0.900, 0.900]"),
        ([0.5], "0.500"),
        ([], "–"),
        ([-0.0001, 0.0], "0.000 [−0.001, 0.001]"),
        ([0.69, 0.70, 0.71], "0.700 [0.675, 0.725]"),  # reach 0.02484: ends are rounded outwards
    ],
)
def test_numbers_hold_what_they_round(values: list[float], text: str) -> None:
    assert number(spread(dict(enumerate(values)))) == text


def test_rows_say_what_was_measured(tmp_path: Path) -> None:
    rows = {row["claim"]: row for row in claims_table(claims(tmp_path)).rows}
    assert rows["a1"]["measured"] == "retention, mismatch@1.00: talknet.demo 0.953"
    assert rows["a1"]["number"] == "0.953 [0.951, 0.955]"
    assert rows["c1"]["measured"] == (
        "drop without it, minus 0.5 of the whole drop, of retention, shifts >= 400 ms, misalign@1.00: "
        "sync-talknet-no-positions.demo 0.803, talknet.demo 0.903, sync-talknet.demo 0.403; 20 % of the drop is left"
    )
    assert rows["d"]["measured"].startswith("rise of AP, hard-2: ")
    assert (
        "hard is hard-2 (mean ap of talknet.demo: hard-1 0.953, hard-2 0.803" in claims_table(claims(tmp_path)).caption
    )
    none = claims(tmp_path, **{"talknet.demo__hard-2.ap": 0.95})
    assert "hard is none of hard-1, hard-2, hard-3" in claims_table(none).caption
    assert {row["claim"]: row for row in claims_table(none).rows}["d"]["measured"].startswith("rise of AP, hard (none)")
    assert [column.key for column in short_table(none).columns] == ["claim", "number", "said", "seeds", "verdict"]
    assert "d: CANNOT BE TESTED HERE: The talk-aware" in "\n".join(sentences(none))


def test_every_figure_of_every_recipe(tmp_path: Path) -> None:
    table = figures_table(claims(tmp_path))
    rows = {row["recipe"]: row for row in table.rows}
    assert set(rows) == set(load_grid("demo").recipes)
    assert rows["pair-net.demo"]["phi_gap"].startswith("0.303 [")
    assert rows["lip.demo"]["seeds"] == 5


def test_times_and_machines(tmp_path: Path) -> None:
    slow = record("talknet.demo", 2, training_seconds=400.0)
    front = record("lip-front.demo", 1, state="trained", run=None, evaluation_seconds=0.0)
    other = record("lip.demo", 1, machine={"cores": 16, "processor": "Loom", "system": "Linux"}, continued=True)
    found = claims(tmp_path, record("talknet.demo", 1), slow, front, other)
    rows = {row["recipe"]: row for row in cells_table(found).rows}
    assert list(rows) == ["talknet.demo", "lip.demo", "lip-front.demo"]
    assert rows["talknet.demo"] == {
        "recipe": "talknet.demo", "cells": 2, "training": 350.0, "evaluation": 100.0, "longest": 500.0, "above": 1,
    }  # fmt: skip
    assert rows["lip-front.demo"]["evaluation"] is None
    assert found.slow == (slow,)
    said = machines(found)
    assert "3 cells on 2 cores of Abacus (Linux), 1 thread per cell, cpu, torch 2.13, asdbench 0.1." in said
    assert "1 cell on 16 cores of Loom" in said
    assert "All cells together: 0.4 h" in said
    assert "last start" in said


def test_a_page_of_everything_and_of_nothing(tmp_path: Path) -> None:
    page = write_claims(claims(tmp_path / "all", record("talknet.demo", 1)))
    assert "- lip.demo, seed 3: no \\*room\\*" in page.read_text(encoding="utf-8")
    grid = load_grid("demo")
    write_claims(Claims(tmp_path / "none", find(grid, {}), (), {}))
    for folder in ("all", "none"):
        assert (tmp_path / folder / "claims.png").stat().st_size > 10_000
