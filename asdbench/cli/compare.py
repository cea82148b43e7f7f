"""``asdbench compare``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.output import echo_json, json_option, show_comparison


@click.command(epilog="Example: asdbench compare runs/light-asd.demo-... runs/light-asd.demo-sync-... --out compared")
@click.argument("old", type=click.Path(path_type=Path), metavar="A")
@click.argument("new", type=click.Path(path_type=Path), metavar="B")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write comparison.{md,csv,tex,json,png,svg} there.",
)
@json_option
def command(old: Path, new: Path, out: Path | None, as_json: bool) -> None:
    """Compare run B with run A on the same rows: better, worse or not separable, figure by figure.

    Both must be of one plan on the same data (exit code 3 where they are not). Every difference has an interval, for
    which the same recordings are resampled in both runs.
    """
    from asdbench.report.comparison import compare

    found = compare(old, new, out=out)
    if as_json:
        echo_json(found.to_dict())
    else:
        show_comparison(found, out)
