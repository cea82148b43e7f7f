"""Which data set a verb is about: the argument and options that the verbs of ``asdbench data`` share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from asdbench.types import Dataset

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = (
    click.argument("data", type=click.Path(path_type=Path), metavar="FOLDER|NAME"),
    click.option(
        "--format", "data_format", default="auto", show_default=True, metavar="NAME",
        help="Format of the data set (asdbench ls data).",
    ),
    click.option("--split", default="val", show_default=True, metavar="NAME", help="Part of the data set."),
    click.option(
        "--data-option", "data_options", multiple=True, metavar="NAME=VALUE",
        help="Choice that the format offers (docs/data_formats.md); may be given several times.",
    ),
)  # fmt: skip


def source_options(command: Command) -> Command:
    """Give a verb the argument DATA and the options --format, --split and --data-option."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def open_source(data: Path, data_format: str, split: str, data_options: tuple[str, ...]) -> Dataset:
    """Open the data set that a verb was given.

    Raises:
        AsdbenchError: As for `asdbench.data.open_dataset`.
    """
    from asdbench.config import named_values
    from asdbench.data import open_dataset

    return open_dataset(data, split, data_format, options=named_values(data_options))
