"""``asdbench perturb show``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from asdbench.cli.output import note
from asdbench.errors import UsageError
from asdbench.report.text import printable


@click.command(
    epilog="Example: asdbench perturb show --data demo-val --with misalign --option min_ms=400 --out build/show"
)
@click.argument("track", required=False)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    metavar="FOLDER|NAME",
    help="Folder of the data set, or demo-val for the shipped one.",
)
@click.option("--with", "perturbation", metavar="NAME", help="Perturbation (asdbench ls perturbations).")
@click.option("--option", multiple=True, metavar="NAME=VALUE", help="Option of the perturbation; may be repeated.")
@click.option("--suite", metavar="NAME|FILE", help="Suite from which to take a condition instead.")
@click.option("--condition", metavar="NAME", help="Condition of the suite (asdbench suites show SUITE).")
@click.option("--format", metavar="NAME", default="auto", show_default=True, help="Format of the data set.")
@click.option("--data-option", multiple=True, metavar="NAME=VALUE", help="Choice that the format offers.")
@click.option("--split", metavar="NAME", default="val", show_default=True, help="Part of the data set.")
@click.option("--seed", type=int, help="Another seed than the suite's.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder for the two files.")
def command(
    track: str | None,
    perturbation: str | None,
    option: tuple[str, ...],
    suite: str | None,
    condition: str | None,
    **rest: Any,
) -> None:
    """Write the face track TRACK (video_id/entity_id) unchanged beside changed: an mp4 and a contact sheet.

    Without TRACK it takes the first one that is changed. The video has the own face left, the changed one right, and
    two tracks of sound: changed (the default), own.
    """
    from asdbench.api import show_perturbation
    from asdbench.config import named_values
    from asdbench.resources import toml_value

    if (perturbation is None) == (suite is None):
        raise UsageError("give either --with PERTURBATION or --suite SUITE (with --condition NAME).")
    if (suite is not None and option) or (perturbation is not None and condition is not None):
        raise UsageError("--option belongs to --with, --condition to --suite.")
    chosen: dict[str, Any] = {"suite": suite, "condition": condition}
    if perturbation is not None:
        options = {name: toml_value(value) for name, value in named_values(option).items()}
        chosen = {"perturbation": perturbation, "options": options}
    rest["data_options"] = named_values(rest.pop("data_option"))
    preview, paths = show_perturbation(track, **chosen, **rest)
    note(f"{preview.title}: {preview.notes}")
    for path in paths:
        click.echo(printable(str(path)))
