"""The table that a person reads in ten seconds."""

from __future__ import annotations

import rich.box
import rich.table
from rich.console import Console
from rich.text import Text

from asdbench.report.tables import Table


def print_table(console: Console, table: Table) -> None:
    """Print a table, its caption, and why cells are undefined."""
    shown = rich.table.Table(box=rich.box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        # Text, not markup: names come from files.
        shown.add_column(Text(column.header), justify="left" if column.kind == "text" else "right")
    for cells in table.cells():
        shown.add_row(*(Text(cell) for cell in cells))
    console.print(shown)
    console.print(Text(table.caption, style="dim"))
    for reason in table.reasons():
        console.print(Text(f"– {reason}", style="dim"))
