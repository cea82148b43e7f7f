"""``asdbench fetch``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from asdbench.cli.output import note
from asdbench.report.text import printable


@click.command(epilog="Example: asdbench fetch light-asd.ava")
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder to put the file in.  [default: $ASDBENCH_CACHE, else the user's cache]",
)
def command(name: str, out: Path | None) -> None:
    """Download the published checkpoint NAME (asdbench ls models), compare its sha256, and print its path.

    In the cache --checkpoint NAME finds it.
    """
    from asdbench.checkpoints.fetch import fetch
    from asdbench.checkpoints.shipped import named_card, shipped_file

    card = named_card(name)
    if card.file is not None:
        note(f"{name} is shipped with asdbench: --checkpoint {name} takes it")
        click.echo(printable(str(shipped_file(card))))
        return
    path = fetch(card, out, progress=sys.stderr.isatty())
    note(f"{name}: licence {card.licence}, from {card.code}; trained on {card.trained_on}")
    click.echo(printable(str(path)))
