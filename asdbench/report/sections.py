"""The sections of ``metrics.json`` that have tables and figures of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from asdbench.report import (
    breakdowns,
    named,
    plan_seeds,
    pr_curves,
    reliability,
    reliance,
    score_histograms,
    sources,
    suspects,
    synchrony,
)
from asdbench.report.plot import Plot
from asdbench.report.table import Table


class Section(Protocol):
    """What a module of a section offers."""

    def tables(self, metrics: Mapping[str, Any]) -> Iterator[Table]:
        """Yield its tables."""

    def figures(self, model: str, metrics: Mapping[str, Any]) -> Iterator[Plot]:
        """Yield its figures."""


SECTIONS: tuple[Section, ...] = (
    pr_curves,
    score_histograms,
    reliance,
    synchrony,
    named,
    breakdowns,
    suspects,
    reliability,
    sources,
    plan_seeds,
)
"""In the order of the report."""
