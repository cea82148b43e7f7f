"""What may stand on one board, and what its tables say."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import msgspec
import pytest

from asdbench.leaderboard.boards import Board, boards_of
from asdbench.leaderboard.entry import Entry, sealed
from asdbench.leaderboard.tables import models_table, others_table, pairs_table, references_table, runs_table
from asdbench.leaderboard.words import DEMO_NOTE, cautions
from asdbench.report.comparison import compare
from asdbench.report.writers import to_csv
from tests.analysis.test_comparison import scored
from tests.leaderboard.crafted import made_entry, made_run


def test_models_stand_by_clean_ap(board: Board) -> None:
    assert [entry.model.name for entry in board.models] == ["light-asd.plain", "light-asd.twin", "light-asd.sync"]
    assert board.title == "films val, suite unsync@1, protocol ava"


def test_ranks_follow_what_can_be_told_apart(board: Board) -> None:
    rows = {row["model"]: row for row in models_table(board).rows}
    assert rows["light-asd.plain"]["clean.ava rank"] == rows["light-asd.twin"]["clean.ava rank"] == "1–2"
    assert rows["light-asd.sync"]["clean.ava rank"] == "3"
    assert rows["light-asd.sync"]["mismatch@1.00.retention rank"] == "1"  # less is better
    assert [row["model"] for row in others_table(board).rows] == [row["model"] for row in models_table(board).rows]


def test_pairs_say_who_is_better(board: Board) -> None:
    rows = {(row["figure"], row["first"], row["second"]): row for row in pairs_table(board).rows}
    assert rows["clean AP", "light-asd.plain", "light-asd.sync"]["verdict"] == "better"
    assert rows["retention, mismatch@1.00", "light-asd.plain", "light-asd.sync"]["verdict"] == "worse"
    twins = rows["clean AP", "light-asd.plain", "light-asd.twin"]
    assert (twins["difference"], twins["verdict"]) == (0.0, "not separable")


def test_a_pair_alone_is_what_compare_says(tmp_path: Path) -> None:
    rows = {"a": scored(0.9, 2.0), "b": scored(0.5, 1.5, seed=3)}
    runs = {name: made_run(tmp_path / name, name, each) for name, each in rows.items()}
    found = compare(runs["b"], runs["a"]).found["conditions"][1]["figures"]["at"]["tpr:0.9"]["retention"]
    (board,) = boards_of(made_entry(tmp_path / f"{name}2", name, each) for name, each in rows.items())
    row = next(row for row in pairs_table(board).rows if row["figure"] == "retention, mismatch@1.00")
    assert (row["first"], row["second"]) == ("light-asd.a", "light-asd.b")
    assert row["difference"] == pytest.approx(found["difference"], abs=1e-6)
    assert row["low"] == pytest.approx(found["interval"]["low"], abs=2e-6)
    assert row["high"] == pytest.approx(found["interval"]["high"], abs=2e-6)


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("data", {"fingerprint": "a" * 64}),
        ("data", {"media_digest": "a" * 32}),
        ("data", {"protocol": "ego4d-ava"}),
        ("data", {"rows_sha256": "a" * 64}),
        ("suite", {"plan_sha256": "a" * 64}),
        ("units", {"seed": "2"}),
        ("units", {"names_sha256": "a" * 64}),
    ],
)
def test_whatever_differs_makes_another_board(entries: dict[str, Entry], part: str, changes: dict[str, object]) -> None:
    other = entries["twin"]
    other = sealed(msgspec.structs.replace(other, **{part: msgspec.structs.replace(getattr(other, part), **changes)}))
    boards = boards_of([entries["plain"], other])
    assert [len(board.entries) for board in boards] == [1, 1]
    assert boards[0].key != boards[1].key
    assert any("no second model" in text for text in cautions(boards[0]))
    assert "clean.ava rank" not in {column.key for column in models_table(boards[0]).shown}


def test_reference_systems_have_no_rank_and_move_nobody_s(entries: dict[str, Entry], board: Board) -> None:
    deaf = msgspec.structs.replace(entries["twin"].model, name="deaf", adapter="deaf", checkpoint_sha256=None)
    reference = sealed(msgspec.structs.replace(entries["twin"], kind="reference", model=deaf))
    (found,) = boards_of([*board.entries, reference])
    assert found.ranks == board.ranks
    assert [row["model"] for row in references_table(found).rows] == ["deaf"]
    assert not any("rank" in column.key for column in references_table(found).columns)
    assert len(runs_table(found).rows) == 4


def test_demo_data_say_what_they_are(entries: dict[str, Entry]) -> None:
    data = msgspec.structs.replace(entries["plain"].data, name="demo-val")
    (board,) = boards_of([sealed(msgspec.structs.replace(entries["plain"], data=data))])
    assert DEMO_NOTE in list(cautions(board))
    assert board.data == "demo-val"
    for words in ("generated", "no benchmark", "out of domain"):
        assert words in DEMO_NOTE


def test_no_column_is_a_score_of_all(board: Board) -> None:
    figures = {figure.name for figure in board.figures}
    keys = {column.key for column in models_table(board, board.figures).columns}
    assert keys == {"model", "parameters", "trained_on", *figures, *(f"{name} rank" for name in figures)}


def test_machines_get_the_ends_of_intervals(board: Board) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(models_table(board, board.figures)))))
    assert float(rows[0]["clean.ava_low"]) <= float(rows[0]["clean.ava"]) <= float(rows[0]["clean.ava_high"])
