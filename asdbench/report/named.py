"""What the data set's own protocol adds, and LASER's share: tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asdbench.report.plot import Plot
from asdbench.report.scored import scored_table
from asdbench.report.table import Table


def tables(metrics: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the tables of the section, none where ``metrics.json`` lacks it."""
    for found in metrics.get("named", ()):
        yield scored_table(found, metrics.get("units"))


def figures(model: str, metrics: Mapping[str, Any]) -> Iterator[Plot]:
    """Yield no figure: a handful of numbers is a table."""
    yield from ()
