"""What every verb prints: a run for people on a terminal, or for machines as JSON."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from asdbench.report.run import Run

_UNCUT = 400

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout instead of tables.")


def echo_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, indent=2, allow_nan=False))


def note(message: str) -> None:
    """Tell what happens, on stderr."""
    click.echo(message, err=True)


def show_run(run: Run) -> None:
    """Print the main tables of a run, its conclusion and where to look on."""
    from rich.console import Console

    from asdbench.report.terminal import print_table

    # A pipe has no width, so nothing may be cut there.
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=_UNCUT)
    for name in ("robustness", "modality"):
        # On a suite of diagnostics only, the modality table says it all.
        tests = any(condition.role == "test" for condition in run.conditions.values())
        if name in run.tables and (name == "modality" or tests or "modality" not in run.tables):
            print_table(console, run.tables[name])
    console.print()
    console.print(run.conclusion, style="bold", markup=False)
    for warning in run.warnings:
        console.print(f"note: {warning}", style="yellow", markup=False)
    console.print(f"\nrun folder: {run.path} (report.md, tables/, plots/, predictions/)", markup=False, soft_wrap=True)
