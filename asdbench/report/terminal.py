"""The table that a person reads in ten seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import rich.box
import rich.table
from rich.console import Console
from rich.text import Text

from asdbench.report.families import has_place
from asdbench.report.table import Table
from asdbench.report.text import printable

if TYPE_CHECKING:
    from asdbench.report.run import Run

_ROOMY = 110
_SHOWN = ("accuracy", "corruptions", "reliance", "peaks", "modality")


def main_tables(run: Run) -> Iterator[Table]:
    """Yield the tables to show at once: what has a table of its own is left out of the first one."""
    placed = {c["name"] for c in run.metrics["conditions"] if has_place(c)}
    table = run.tables["robustness"]
    rows = tuple(row for row in table.rows if row["condition"] not in placed)
    # On a suite of diagnostics only, the other tables say it all.
    tests = any(c.role in ("test", "control") and c.name not in placed for c in run.conditions.values())
    if tests or len(run.conditions) == 1:
        yield replace(table, rows=rows)
    yield from (run.tables[name] for name in _SHOWN if name in run.tables)


def print_table(console: Console, table: Table) -> None:
    """Print a table, its caption, and why cells are undefined; intervals where they fit."""
    # The main table fits 80 columns, but only with every column as narrow as its longest word and no air between them.
    roomy = console.width >= _ROOMY
    headers = [printable(column.header) for column in table.shown]
    rows, widths = _fitting(table, headers, intervals=True)
    fits = sum(widths) + (1 + 2 * roomy) * len(widths) <= console.width
    if not fits:
        rows, widths = _fitting(table, headers, intervals=False)
    shown = rich.table.Table(box=rich.box.SIMPLE_HEAD, padding=(0, int(roomy)), pad_edge=False, show_edge=False)
    for column, header, narrowest in zip(table.shown, headers, widths, strict=True):
        # Text, not markup: names come from files. Headers wrap between words, cells never do.
        align: Literal["left", "right"] = "left" if column.kind == "text" else "right"
        shown.add_column(Text(header), justify=align, min_width=narrowest, width=None if roomy else narrowest)
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    console.print(shown)
    hidden = " With intervals in report.md, or in a wider terminal." if table.has_intervals and not fits else ""
    console.print(Text(printable(table.caption + hidden if hidden else table.legend), style="dim"))
    for reason in table.reasons():
        console.print(Text(printable(f"– {reason}"), style="dim"))


def _fitting(table: Table, headers: list[str], intervals: bool) -> tuple[list[tuple[str, ...]], list[int]]:
    """Return the cells, and how narrow each column can be."""
    rows = [tuple(map(printable, row)) for row in table.cells(intervals)]
    columns = zip(headers, zip(*rows, strict=True), strict=True)
    return rows, [max(map(len, (*cells, *header.split()))) for header, cells in columns]
