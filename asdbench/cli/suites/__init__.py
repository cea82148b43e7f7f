"""``asdbench suites``: the verbs about suites."""

from __future__ import annotations

import click

from asdbench.cli.lazy import LazyGroup


@click.command(
    cls=LazyGroup,
    package=__name__,
    verbs={"show": "print the conditions of a suite"},
    epilog="Example: asdbench suites show unsync",
)
def command() -> None:
    """Show what a suite does."""
