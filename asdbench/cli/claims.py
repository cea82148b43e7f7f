"""``asdbench claims``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from asdbench.cli.output import console, echo_json, json_option, note

_FAILED = 1


def _numbers(_context: click.Context, _parameter: click.Parameter, given: str | None) -> list[int]:
    parts = [part.strip() for part in (given or "").split(",") if part.strip()]
    if strays := [part for part in parts if not part.isdecimal()]:
        raise click.BadParameter(f"expected numbers with commas between them, got {strays[0]!r}.")
    return [int(part) for part in parts]


def _names(_context: click.Context, _parameter: click.Parameter, given: Sequence[str]) -> list[str]:
    return [part.strip() for text in given for part in text.split(",") if part.strip()]


@click.command(epilog="Example: asdbench claims --jobs 2    (hours; the same command goes on where it was stopped)")
@click.option(
    "--grid", default="demo", show_default=True, metavar="NAME|FILE", help="Cells and claims: demo, or a TOML file."
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("claims"), show_default=True, metavar="FOLDER",
    help="Trainings, runs, and what they come to.",
)  # fmt: skip
@click.option("--seeds", callback=_numbers, metavar="N,N,...", help="In place of the grid's.")
@click.option(
    "--only",
    multiple=True,
    callback=_names,
    metavar="CLAIM,...",
    help="Some claims, such as a or c1, and what they need.",
)
@click.option("--cell", "cells", multiple=True, metavar="RECIPE:SEED", help="Do this cell alone; several times.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Cells at a time.")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="CPU threads of each.  [default: 1 with several jobs, else torch's own]",
)
@click.option("--device", default="auto", show_default=True, metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps.")
@click.option("--table-only", is_flag=True, help="Train and measure nothing: the table of what is finished.")
@click.option(
    "--markdown", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write the tables between the markers of this page, too, and the figure into images/ beside it.",
)  # fmt: skip
@click.option("--quiet", is_flag=True, help="No notes.")
@json_option
def command(quiet: bool, as_json: bool, **flags: Any) -> None:
    """Train and measure what papers claim of losses and architectures, and say what of it holds here.

    Each cell, a recipe and a seed, is a process of its own. A cell that is finished is never done again; one that fails
    is reported, and the others go on. Without --only and --cell everything is done (docs/claims.md).
    """
    from asdbench.api import claims
    from asdbench.claims.tables import sentences, short_table
    from asdbench.report.terminal import print_table

    found = claims(**flags, notify=(lambda _: None) if quiet else note)
    if as_json:
        echo_json(found.to_dict())
    else:
        print_table(console(), short_table(found))
        for line in sentences(found):
            click.echo(line)
        for name, reason in found.failed.items():
            note(f"FAILED: {name}: {reason}")
        if found.missing:
            note(f"not measured: {len(found.missing)} cells; the same command goes on with them")
        for record in found.slow:
            note(f"above {found.grid.minutes:g} min: {record.cell.words} ({record.seconds / 60:.1f} min)")
        note(f"claims: {found.folder / 'claims.md'} (.json, .png, .svg, .pdf; claims.csv, figures.csv, cells.csv)")
    if found.failed:
        sys.exit(_FAILED)
