"""The table that a person reads in ten seconds."""

from __future__ import annotations

from typing import Literal

import rich.box
import rich.table
from rich.console import Console
from rich.text import Text

from asdbench.report.tables import Table
from asdbench.report.text import printable

_ROOMY = 110


def print_table(console: Console, table: Table) -> None:
    """Print a table, its caption, and why cells are undefined."""
    # The main table fits 80 columns, but only with every column as narrow as its longest word and no air between them.
    roomy = console.width >= _ROOMY
    shown = rich.table.Table(box=rich.box.SIMPLE_HEAD, padding=(0, int(roomy)), pad_edge=False, show_edge=False)
    rows = [tuple(map(printable, row)) for row in table.cells()]
    headers = [printable(column.header) for column in table.shown]
    for column, header, cells in zip(table.shown, headers, zip(*rows, strict=True), strict=True):
        # Text, not markup: names come from files. Headers wrap between words, cells never do.
        align: Literal["left", "right"] = "left" if column.kind == "text" else "right"
        narrowest = max(map(len, (*cells, *header.split())))
        shown.add_column(Text(header), justify=align, min_width=narrowest, width=None if roomy else narrowest)
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    console.print(shown)
    console.print(Text(printable(table.caption), style="dim"))
    for reason in table.reasons():
        console.print(Text(printable(f"– {reason}"), style="dim"))
