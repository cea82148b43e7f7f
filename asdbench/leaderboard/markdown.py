"""The leaderboard as Markdown: what was measured on one page, the literature on another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from asdbench.leaderboard.boards import Board
from asdbench.leaderboard.literature import Source, datasets_of, gains, sources_of, tables_of
from asdbench.leaderboard.published import Note, Published
from asdbench.leaderboard.tables import models_table, others_table, pairs_table, references_table, runs_table
from asdbench.leaderboard.words import SEPARATE, cautions
from asdbench.report.table import Table
from asdbench.report.writers import markdown_text, to_markdown

MADE_BY = "Made by `asdbench leaderboard`; do not edit by hand. How to read it and how to submit: docs/leaderboard.md."


def measured_page(boards: Sequence[Board], published: Published) -> str:
    """Return ``leaderboard.md``."""
    parts = ["# Leaderboard", MADE_BY, markdown_text(SEPARATE)]
    parts += [_quoted(note) for note in published.notes if note.shown == "always"]
    parts += ["What the literature says stands apart, in [published.md](published.md)."]
    for board in boards:
        parts += [f"## {markdown_text(board.title)}", *(_paragraph(text) for text in cautions(board))]
        parts += [_table(table) for table in board_tables(board)]
    return _joined(parts if boards else [*parts, "Nothing was measured yet."])


def published_page(published: Published) -> str:
    """Return ``published.md``."""
    sources = sources_of(published)
    parts = [
        "# Published results",
        MADE_BY,
        f"{len(published.numbers)} numbers from {len(sources.all)} sources. None of them was measured here. A table "
        "holds one protocol on one part of one data set. *verified*: read at the named source; *secondary*: read where "
        "others quote it.",
    ]
    parts += [_quoted(note) for note in published.notes if note.shown == "always"]
    for dataset in datasets_of(published):
        parts.append(f"## {markdown_text(dataset if dataset != 'none' else 'Without a data set')}")
        parts += [f"### {markdown_text(title)}\n\n{_table(table)}" for title, table in tables_of(published, dataset)]
        stated = [f"- {markdown_text(text)}" for text in gains(published, dataset)]
        parts += ["Differences that sources state without the numbers:\n\n" + "\n".join(stated)] if stated else []
        parts += [_quoted(note) for note in published.notes_on(dataset)]
    parts += [_quoted(note) for note in published.notes if not note.datasets]
    parts.append("## Sources")
    parts.append("\n".join(_source(place, each) for place, each in enumerate(sources.all, 1)))
    return _joined(parts)


def board_tables(board: Board) -> Iterator[Table]:
    """Yield the tables of a board that have rows."""
    for table in (
        models_table(board),
        others_table(board),
        references_table(board),
        runs_table(board),
        pairs_table(board),
    ):
        if table.rows:
            yield table


def _table(table: Table) -> str:
    return to_markdown(replace(table, caption=markdown_text(table.caption)))


def _paragraph(text: str) -> str:
    return f"> {markdown_text(text)}"


def _quoted(note: Note) -> str:
    return f"> **{markdown_text(note.title)}.** {markdown_text(note.text)}"


def _source(place: int, source: Source) -> str:
    return f"- S{place}: {markdown_text(str(source))}{f', <{source.url}>' if source.url else ''}"


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part.strip() for part in parts) + "\n"
