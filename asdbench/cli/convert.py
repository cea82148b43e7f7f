"""``asdbench convert``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.output import note
from asdbench.report.text import printable

_SHOWN = 12


@click.command(epilog="Example: asdbench convert large_vox_iter5.pt av-hubert.safetensors --key model")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--key", metavar="KEY", help="Which table of tensors to take, where FILE holds several: model, ...")
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
def command(file: Path, out: Path, key: str | None, force: bool) -> None:
    """Write the weights in the PyTorch checkpoint FILE to OUT.safetensors. Runs no code from FILE.

    Takes what torch refuses to load safely, too: what FILE would import and call is left out.
    """
    from asdbench.checkpoints.convert import TOP, convert

    done = convert(file, out, key, force)
    if done.foreign:
        note(f"left out, and not called: {_listing(done.foreign)}")
    if done.left_out:
        note(f"left out, since they are no tensors: {_listing(done.left_out)}")
    table = "" if done.key == TOP else f" from {done.key}"
    click.echo(printable(f"{done.path}: {done.entries} tensors{table}, {done.numbers:,} numbers"))
    click.echo("\n" + printable(f"asdbench inspect {done.path}"))


def _listing(names: tuple[str, ...]) -> str:
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(name[:80] for name in names[:_SHOWN]) + more
