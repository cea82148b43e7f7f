"""``asdbench perturb audit``."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from asdbench.cli.output import console, echo_json, echo_rows, json_option, note


@click.command(epilog="Example: asdbench perturb audit --data demo-val --suite unsync --sample 20")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FOLDER|NAME",
    help="Folder of the data set, or demo-val for the shipped one.",
)
@click.option("--suite", default="unsync", show_default=True, metavar="NAME|FILE", help="Suite of conditions.")
@click.option("--format", metavar="NAME", default="auto", show_default=True, help="Format of the data set.")
@click.option("--data-option", multiple=True, metavar="NAME=VALUE", help="Choice that the format offers.")
@click.option("--split", metavar="NAME", default="val", show_default=True, help="Part of the data set.")
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="Tracks to measure per condition. The cue check hears all, up to 500.",
)
@click.option("--seed", type=int, help="Another seed than the suite's.")
@json_option
def command(
    data: Path,
    suite: str,
    format: str,  # noqa: A002 - the flag's name
    data_option: tuple[str, ...],
    split: str,
    sample: int,
    seed: int | None,
    as_json: bool,
) -> None:
    """Measure what a suite did to sound and faces, and what an audio-only classifier can tell of it.

    Needs no model. The exit code is 1 where something is not what the suite says. An AUROC above 0.60 is flagged: there
    sound alone gives the change away, which is no fault of the perturbation but belongs beside its numbers.
    """
    from asdbench.api import audit_suite
    from asdbench.config import named_values
    from asdbench.report.audit import audit_rows, cue_table
    from asdbench.report.terminal import print_table

    found = audit_suite(
        suite, data, format=format, data_options=named_values(data_option), split=split, sample=sample, seed=seed
    )
    if as_json:
        echo_json(found)
    else:
        echo_rows(list(audit_rows(found)))
        click.echo()
        print_table(console(), cue_table(found))
        note(f"{found['tracks']} tracks measured, {found['unreadable']} unreadable")
    sys.exit(0 if found["ok"] else 1)
