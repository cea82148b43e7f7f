"""``asdbench data``: the verbs about data sets."""

from __future__ import annotations

import click

from asdbench.cli.lazy import LazyGroup


@click.command(
    cls=LazyGroup,
    package=__name__,
    verbs={
        "info": "count tracks, hours, faces and labels",
        "verify": "read everything once and list what is wrong",
        "prepare": "cut faces and sound out of videos, into the community layout",
        "materialize": "write the perturbed sets of a suite for other code bases",
    },
    epilog="Example: asdbench data info AVADataPath",
)
def command() -> None:
    """Look at, check and write data sets."""
