"""``asdbench perturb``: the verbs about perturbations."""

from __future__ import annotations

import click

from asdbench.cli.lazy import LazyGroup


@click.command(
    cls=LazyGroup,
    package=__name__,
    verbs={
        "show": "write a face track as a perturbation leaves it: video, sound, contact sheet",
        "audit": "measure what a suite did to sound and faces, and what an audio-only classifier can tell",
    },
    epilog="Example: asdbench perturb show --data demo-val --with misalign --out shown",
)
def command() -> None:
    """See, hear and check what a perturbation does."""
