"""``asdbench score PRED --labels GT``: files scored by named protocols."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from asdbench.cli.output import console, echo_json, note
from asdbench.report.text import printable


def score_given_files(request: Any, protocol: str, out: Path | None, as_json: bool) -> None:
    """Score files, print a table per protocol, and write the numbers where wanted.

    Args:
        request: An `asdbench.analysis.file_inputs.Request`.
        protocol: Its name, or ``all``.
        out: A json file for the numbers.
        as_json: Whether to print JSON in place of tables.
    """
    from asdbench.analysis.file_scores import score_files
    from asdbench.atomic import write_json

    _check_place(out, request)
    found = score_files(request, protocol)
    if out is not None:
        write_json(out, found)
    if as_json:
        echo_json(found)
        return
    _show(found)
    if out is not None:
        note(f"numbers: {out}")


def _check_place(out: Path | None, request: Any) -> None:
    from asdbench.errors import UsageError

    if out is None:
        return
    if out.is_dir():
        raise UsageError(f"{out}: a folder; --out with --labels is the json file to write.")
    given = (request.predictions, request.labels, request.clean, request.division)
    if out.exists() and any(path is not None and path.exists() and out.samefile(path) for path in given):
        raise UsageError(f"{out}: --out would overwrite what is scored; give another file.")


def _show(found: dict[str, Any]) -> None:
    from asdbench.report.scored import scored_table
    from asdbench.report.terminal import print_table

    screen = console()
    for number, each in enumerate(found["protocols"]):
        if number:
            screen.print()
        print_table(screen, scored_table(each))
        for line in each["lines"]:
            if line["metrics"].get("constant"):
                click.echo(
                    f"warning: {printable(line['part'])}: every score is the same, so nothing was ranked.", err=True
                )
    if found["not_computed"]:
        screen.print("\nnot computed:")
        for name, reason in found["not_computed"].items():
            screen.print(printable(f"  {name}: {reason}"), markup=False, soft_wrap=True)
