"""What every verb prints: a run for people on a terminal, or for machines as JSON."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from asdbench.report.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from asdbench.report.comparison import Comparison
    from asdbench.report.contrast import Contrast
    from asdbench.report.run import Run

_UNCUT = 400
_WIDE = 110  # columns in which a comparison has room for the models' names

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout instead of tables.")


def echo_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, indent=2, allow_nan=False))


def echo_rows(rows: Sequence[Mapping[str, str]]) -> None:
    """Print rows of text with the same keys as columns under their keys."""
    widths = {key: max(len(row[key]) for row in [*rows, {k: k for k in rows[0]}]) for key in rows[0]}
    for row in [{key: key for key in rows[0]}, *rows]:
        click.echo(printable("  ".join(row[key].ljust(width) for key, width in widths.items()).rstrip()))


def note(message: str) -> None:
    """Tell what happens, on stderr."""
    click.echo(printable(message), err=True)


def show_run(run: Run) -> None:
    """Print the main tables of a run, its conclusion and where to look on."""
    from asdbench.report.audit import cue_line
    from asdbench.report.terminal import main_tables, print_table

    out = console()
    for table in main_tables(run):
        print_table(out, table)
    _show_words(out, run.conclusion, run.warnings)
    heard = cue_line(run.audit) if run.audit else ""
    if heard:
        out.print(printable(heard), style="dim", markup=False, soft_wrap=True)
    path = printable(str(run.path))
    out.print(f"\nrun folder: {path} (report.html, tables/, plots/, predictions/)", markup=False, soft_wrap=True)


def show_contrast(found: Contrast) -> None:
    """Print the table of a comparison, its conclusion and where to look on."""
    from asdbench.report.terminal import print_table

    out = console()
    print_table(out, found.table if out.width >= _WIDE else found.narrow_table)
    _show_words(out, found.conclusion, found.warnings)
    page = printable(str(found.runs[0].path.parent / "contrast.md"))
    out.print(f"\ncomparison: {page} (.csv, .json, .png, .svg)", markup=False, soft_wrap=True)
    for run in found.runs:
        path = printable(str(run.path))
        out.print(f"run folder: {path} (report.html, tables/, plots/, ...)", markup=False, soft_wrap=True)


def show_comparison(found: Comparison, folder: Path | None, page: Path | None = None) -> None:
    """Print the table of two runs, the verdict, and where more was written."""
    from asdbench.report.terminal import print_table

    out = console()
    print_table(out, found.shown)
    _show_words(out, found.conclusion, found.warnings)
    if folder is not None:
        path = printable(str(folder / "comparison.md"))
        out.print(f"\ncomparison: {path} (.html, .csv, .tex, .json, .png, .svg, .pdf)", markup=False, soft_wrap=True)
    if page is not None:
        out.print(f"\npage: {printable(str(page))}", markup=False, soft_wrap=True)


def console() -> Console:
    """Return where tables go."""
    from rich.console import Console

    # A pipe has no width, so nothing may be cut there.
    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=_UNCUT)


def _show_words(console: Console, conclusion: str, warnings: Iterable[str]) -> None:
    console.print()
    console.print(printable(conclusion), style="bold", markup=False)
    for warning in warnings:
        console.print(printable(f"note: {warning}"), style="yellow", markup=False)
