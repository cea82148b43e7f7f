"""``asdbench demo``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.output import echo_json, json_option, note, show_contrast


@click.command(epilog="Example: asdbench demo --out build/demo")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where both run folders and the comparison go.  [default: runs/demo-<suite>]",
)
@click.option("--suite", metavar="NAME|FILE", help="Suite of conditions (asdbench ls suites).  [default: unsync]")
@click.option("--limit", type=int, metavar="N", help="Score only the first N tracks; the plan stays the same.")
@click.option("--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps.  [default: auto]")
@click.option("--quiet", is_flag=True, help="No progress bar, no notes.")
@json_option
def command(
    out: Path | None, suite: str | None, limit: int | None, device: str | None, quiet: bool, as_json: bool
) -> None:
    """Score the two shipped checkpoints on the shipped data and compare them.

    Needs no network, no data and no checkpoint of your own. Reads no file of settings and no ASDBENCH_* variable. The
    same command continues a demo that was stopped or killed.
    """
    from asdbench.api import demo

    found = demo(
        suite,
        out=out,
        limit=limit,
        device=device,
        progress=False if quiet else None,
        notify=(lambda _: None) if quiet else note,
    )
    if as_json:
        echo_json(found.to_dict())
    else:
        show_contrast(found)
