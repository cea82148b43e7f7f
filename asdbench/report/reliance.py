"""What sound and lips contribute: tables, figures, words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asdbench.report.plot import Plot
from asdbench.report.table import Table


def tables(metrics: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the tables of the section, none where ``metrics.json`` lacks it."""
    yield from ()


def figures(model: str, metrics: Mapping[str, Any]) -> Iterator[Plot]:
    """Yield the figures of the section, none where ``metrics.json`` lacks it."""
    yield from ()
