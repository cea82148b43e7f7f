"""What every verb prints: a run for people on a terminal, or for machines as JSON."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from asdbench.protocols.robustness import HEADLINE, value_of

_CONTROL_LIMIT = 0.01

if TYPE_CHECKING:
    from asdbench.report.run import Run

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
        found.append(
            f"tied scores: AP depends on row order by 0.05 points or more, see the table precision: {', '.join(tied)}"
        )
    found += [
        f"the control {name} itself moves AP or TPR by {100 * drop:+.1f} points: part of the effect is the splice"
        for name, drop in _moved_controls(run).items()
    ]
    if run.record["custom"]:
        found.append("custom seed: these numbers compare with no other run")
    return [f"note: {text}" for text in found]


def _moved_controls(run: Run) -> dict[str, float]:
    """Return the controls that move AP or TPR by a point or more, which they must not (docs/method.md, section 3)."""
    moved = {}
    for condition in run.metrics["conditions"]:
        if condition["role"] == "control":
            metrics = condition["metrics"]
            drops = (value_of(metrics["ap_drop"]), value_of(metrics["at"][HEADLINE]["tpr_drop"]))
            largest = max((drop for drop in drops if drop is not None), key=abs, default=0.0)
            if abs(largest) >= _CONTROL_LIMIT:
                moved[condition["name"]] = -largest
    return moved


def _tie_spread(run: Run) -> dict[str, float]:
    bounds = {c["name"]: (c["metrics"]["ap_tie_safe"], c["metrics"]["ap_best"]) for c in run.metrics["conditions"]}
    return {name: (value_of(best) or 0.0) - (value_of(worst) or 0.0) for name, (worst, best) in bounds.items()}
