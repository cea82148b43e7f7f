"""What every verb prints: a run for people on a terminal, or for machines as JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from asdbench.report.run import Run

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout instead of tables.")


def echo_json(value: Any) -> None:
    """Print a value as indented JSON."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def note(message: str) -> None:
    """Tell what happens, on stderr."""
    click.echo(message, err=True)


def show_run(run: Run) -> None:
    """Print the main tables of a run, its conclusion and where to look on."""
    from rich.console import Console

    from asdbench.report.terminal import print_table

    # A pipe has no width, and a log needs no line breaks within a table.
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=120)
    for name in ("robustness", "modality"):
        # On a suite of diagnostics only, the modality table says it all.
        tests = any(condition.role == "test" for condition in run.conditions.values())
        if name in run.tables and (name == "modality" or tests or "modality" not in run.tables):
            print_table(console, run.tables[name])
    console.print()
    console.print(run.conclusion, style="bold", markup=False)
    for warning in warnings(run):
        console.print(warning, style="yellow", markup=False)
    console.print(f"\nrun folder: {run.path} (report.md, tables/, plots/, predictions/)", markup=False, soft_wrap=True)


def warnings(run: Run) -> list[str]:
    """Return what a reader of the numbers must not overlook."""
    counts, found = run.record["counts"], list(run.record["data"]["notes"])
    if counts["skipped_tracks"]:
        found.append(f"{counts['skipped_tracks']} of {counts['tracks']} tracks were skipped, see skipped.csv")
    if run.record["identity"]["limit"] is not None:
        found.append(f"only the first {counts['tracks']} tracks were scored (--limit)")
    tied = [name for name, spread in _tie_spread(run).items() if spread >= 0.0005]
    if tied:
        found.append(f"tied scores move AP, see the table precision: {', '.join(tied)}")
    if run.record["custom"]:
        found.append("custom seed: these numbers compare with no other run")
    return [f"note: {text}" for text in found]


def _tie_spread(run: Run) -> dict[str, float]:
    from asdbench.protocols.robustness import value_of

    bounds = {c["name"]: (c["metrics"]["ap_tie_safe"], c["metrics"]["ap_best"]) for c in run.metrics["conditions"]}
    return {name: (value_of(best) or 0.0) - (value_of(worst) or 0.0) for name, (worst, best) in bounds.items()}
