"""The leaderboard as a page that opens offline: sorts, filters, loads nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from asdbench.leaderboard.boards import Board
from asdbench.leaderboard.figure import board_plot
from asdbench.leaderboard.literature import datasets_of, gains, sources_of, tables_of
from asdbench.leaderboard.markdown import MADE_BY
from asdbench.leaderboard.published import Published
from asdbench.leaderboard.tables import models_table, others_table, pairs_table, references_table, runs_table
from asdbench.leaderboard.words import READING, SEPARATE, cautions, evidence
from asdbench.report.pages import picture, render_page, svg_of, table_html

_SIZES = ((1_000_000, "at most 1 million"), (5_000_000, "at most 5 million"), (20_000_000, "at most 20 million"),
          (40_000_000, "at most 40 million"))  # fmt: skip


def page(boards: Sequence[Board], published: Published) -> str:
    """Return ``leaderboard.html``."""
    sources, shown = sources_of(published), datasets_of(published)
    entries = sum(len(board.entries) for board in boards)
    return render_page(
        "leaderboard.html",
        "Leaderboard of active speaker detection",
        {
            "summary": f"{entries} measured {'run' if entries == 1 else 'runs'} and {len(published.numbers)} published "
            "numbers. Which models listen, and which only add up sound and lips?",
            "separate": SEPARATE,
            "always": [note for note in published.notes if note.shown == "always"],
            "datasets": list(
                dict.fromkeys([board.data for board in boards] + [name for name in shown if name != "none"])
            ),
            "suites": list(dict.fromkeys(board.suite for board in boards)),
            "sizes": _SIZES,
            "measured": [_measured(board) for board in boards],
            "published_summary": f"{len(published.numbers)} numbers from {len(sources.all)} sources; none of them "
            "was measured here. A table holds one protocol on one part of one data set. Verified: read at the named "
            "source; secondary: read where others quote it. Parameters are those of models.csv, some of them lower "
            "bounds.",
            "literature": [_literature(published, dataset) for dataset in shown],
            "others": [note for note in published.notes if not note.datasets],
            "sources": sources.all,
            "reading": READING,
            "made_by": MADE_BY,
        },
    )


def _measured(board: Board) -> dict[str, Any]:
    return {
        "id": f"board-{board.key}",
        "board": board,
        "evidence": evidence(board),
        "cautions": list(cautions(board)),
        "articles": list(_articles(board)),
    }


def _articles(board: Board) -> Iterator[dict[str, Any]]:
    plain: dict[str, Any] = {"texts": (), "hidden": None, "hidden_title": ""}
    if board.models:
        others, pairs = others_table(board), pairs_table(board)
        yield {
            **plain,
            "title": "Models",
            "pieces": [table_html(models_table(board)), _picture(board)],
            "hidden": table_html(pairs) if pairs.rows else None,
            "hidden_title": "Which of them can be told apart: every pair under every figure",
        }
        if others.rows:
            yield {**plain, "title": "Further figures", "pieces": [table_html(others)]}
    if board.references:
        yield {**plain, "title": "Systems without weights", "pieces": [table_html(references_table(board))]}
    yield {**plain, "title": "What the runs warn of", "pieces": [], "texts": list(_warnings(board))}
    yield {**plain, "title": "What makes them again", "pieces": [table_html(runs_table(board))]}


def _picture(board: Board) -> Markup:
    alt = f"Figures of all models on {board.title}, with intervals and ranks; the same numbers stand in the table."
    caption = (
        "Bars: 95 % intervals of each figure alone. Beside each panel: the ranks that the data leave open. Below the "
        "dotted line: systems without weights, which have no rank; an arrow points to a value beyond the axis."
    )
    return picture(svg_of(board_plot(board)), alt, caption)


def _warnings(board: Board) -> Iterator[str]:
    """Yield what all runs of a board warn of, then what only some do."""
    everywhere = [text for text in board.first.warnings if all(text in entry.warnings for entry in board.entries)]
    yield from everywhere
    for entry in board.entries:
        yield from (f"{entry.model.name}: {text}" for text in entry.warnings if text not in everywhere)


def _literature(published: Published, dataset: str) -> dict[str, Any]:
    return {
        "id": f"published-{datasets_of(published).index(dataset)}",
        "dataset": dataset,
        "title": dataset if dataset != "none" else "without a data set",
        "tables": [{"title": title, "html": table_html(table)} for title, table in tables_of(published, dataset)],
        "gains": list(gains(published, dataset)),
        "notes": published.notes_on(dataset),
    }
