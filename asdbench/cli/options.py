"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def number_or_off(_context: click.Context, _parameter: click.Parameter, given: str | None) -> int | str | None:
    """Return a number as such; what is no number is checked where all settings are."""
    return int(given) if given is not None and given.isdecimal() else given


def resamples_option(default: str) -> Callable[[Any], Any]:
    """Return the option ``--resamples``.

    Args:
        default: What holds without it, as the help says it.
    """
    return click.option(
        "--resamples",
        metavar="N|off",
        callback=number_or_off,
        help=f"Resamples of whole recordings that the intervals rest on, at least 100.  {default}",
    )
