"""Everything that ``asdbench leaderboard`` writes: a page, Markdown, CSV and JSON, equal bytes for equal entries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from asdbench.atomic import write_json, write_text
from asdbench.leaderboard.boards import Board, boards_of
from asdbench.leaderboard.check import entries_in
from asdbench.leaderboard.entry import Entry, Figure
from asdbench.leaderboard.literature import every_number
from asdbench.leaderboard.markdown import measured_page, published_page
from asdbench.leaderboard.published import Published, read_published
from asdbench.leaderboard.ranks import Pair
from asdbench.leaderboard.tables import models_table, pairs_table, references_table, rounded
from asdbench.leaderboard.words import cautions
from asdbench.report.table import Column, Table
from asdbench.report.writers import to_csv
from asdbench.resources import resource_folder

SHIPPED = "shipped"
"""Stands for the entries that asdbench ships."""


@dataclass(frozen=True)
class Leaderboard:
    """All of it.

    Attributes:
        boards: What was measured.
        published: What the literature says.
    """

    boards: tuple[Board, ...]
    published: Published

    @cached_property
    def entries(self) -> int:
        """How many runs there are."""
        return sum(len(board.entries) for board in self.boards)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``leaderboard.json`` holds: the measured boards; the literature is in ``published.csv``."""
        return {"schema": 1, "boards": [_board_record(board) for board in self.boards]}


def leaderboard(results: Sequence[str | Path] = (SHIPPED,), published: Path | None = None) -> Leaderboard:
    """Read entries and literature.

    Args:
        results: Folders of entries; ``shipped`` stands for those of asdbench.
        published: Folder of the literature; the shipped one by default.

    Raises:
        DataError: An entry, or a row of the literature, is not in order.
    """
    folders = [resource_folder("baselines/results") if str(each) == SHIPPED else Path(each) for each in results]
    return Leaderboard(boards_of(entries_in(folders)), read_published(published))


def default_folder() -> Path:
    """Return where a leaderboard goes: into the reports of the checkout that one stands in, else beside the runs."""
    checkout = all(Path(name).is_dir() for name in ("baselines/results", "reports/templates"))
    return Path("reports" if checkout else "runs") / "leaderboard"


def write_leaderboard(found: Leaderboard, folder: Path) -> tuple[Path, ...]:
    """Write the leaderboard.

    Args:
        found: From `leaderboard`.
        folder: Made where it is missing.

    Returns:
        The files, the page first.

    Raises:
        ResourceError: The folder cannot be written.
    """
    from asdbench.leaderboard.page import page

    texts = {"leaderboard.html": page(found.boards, found.published), **plain_files(found)}
    for name, text in texts.items():
        write_text(folder / name, text)
    write_json(folder / "leaderboard.json", found.to_dict())
    return tuple(folder / name for name in (*texts, "leaderboard.json"))


def plain_files(found: Leaderboard) -> dict[str, str]:
    """Return the files without pictures, by name: the same bytes on every machine."""
    files = {
        "leaderboard.md": measured_page(found.boards, found.published),
        "published.md": published_page(found.published),
        "published.csv": to_csv(every_number(found.published)),
    }
    for board in found.boards:
        files[f"measured-{_file_name(board)}.csv"] = to_csv(_whole(board))
        files[f"pairs-{_file_name(board)}.csv"] = to_csv(pairs_table(board))
    return files


def _whole(board: Board) -> Table:
    """Return models and reference systems in one table for machines: all are measured, under one protocol."""
    models, kinds = models_table(board, board.figures), Column("kind", "kind")
    rows = (*({**row, "kind": "model"} for row in models.rows), *references_table(board).rows)
    return replace(models, columns=(*models.columns, kinds), rows=tuple({"kind": "reference", **row} for row in rows))


def _file_name(board: Board) -> str:
    return re.sub(r"[^A-Za-z0-9@._-]+", "-", f"{board.data}-{board.suite}-{board.first.data.protocol}-{board.key}")


def _board_record(board: Board) -> dict[str, Any]:
    first = board.first
    return {
        "key": board.key,
        "data": msgspec.to_builtins(first.data),
        "suite": msgspec.to_builtins(first.suite),
        "units": msgspec.to_builtins(first.units),
        "threshold": first.threshold,
        "cautions": list(cautions(board)),
        "entries": [_entry_record(board, entry) for entry in board.entries],
        "pairs": [
            {"figure": name, **_pair_record(board, pair)} for name, ranks in board.ranks.items() for pair in ranks.pairs
        ],
    }


def _entry_record(board: Board, entry: Entry) -> dict[str, Any]:
    place = board.models.index(entry) if entry.kind == "model" else None
    return {
        "name": entry.name,
        "kind": entry.kind,
        "model": msgspec.to_builtins(entry.model),
        "commands": list(entry.commands),
        "figures": {figure.name: _figure_record(board, figure, place) for figure in entry.figures},
    }


def _figure_record(board: Board, figure: Figure, place: int | None) -> dict[str, Any]:
    ranks = None if place is None else board.ranks[figure.name].intervals[place]
    return {
        "value": {"undefined": figure.undefined} if figure.value is None else rounded(figure.value),
        "low": rounded(figure.low),
        "high": rounded(figure.high),
        "better": figure.better,
        "rank": None if ranks is None else list(ranks),
    }


def _pair_record(board: Board, pair: Pair) -> dict[str, Any]:
    names = [entry.name for entry in board.models]
    numbers = {key: rounded(getattr(pair, key)) for key in ("difference", "low", "high", "all_low", "all_high")}
    return {"first": names[pair.first], "second": names[pair.second], **numbers, "separable": pair.separable}
