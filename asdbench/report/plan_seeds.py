"""How far figures move between plans: one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asdbench.analysis.plan_seeds import FIGURES
from asdbench.metrics.measured import is_number
from asdbench.report.plot import Plot
from asdbench.report.table import Column, Table

_NAMES = {"ava": "AP", "sync_auroc": "sync AUROC"}
_COLUMNS = (
    Column("condition", "condition"),
    Column("figure", "figure"),
    Column("plans", "plans", "count"),
    Column("first", "suite's plan %", "percent"),
    Column("mean", "mean %", "percent"),
    Column("sd", "sd", "percent"),
    Column("min", "min %", "percent"),
    Column("max", "max %", "percent"),
)


def tables(metrics: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the tables of the section, none where ``metrics.json`` lacks it."""
    found = metrics.get("plan_seeds")
    if found is None:
        return
    rows = tuple(
        {
            "condition": condition["name"],
            "figure": _NAMES.get(figure, figure),
            "plans": condition["plans"],
            "first": spread["values"][0],
            **{key: spread[key] for key in ("mean", "sd", "min", "max")},
        }
        for condition in found["conditions"]
        for figure in FIGURES
        if is_number((spread := condition["figures"][figure])["mean"])
    )
    caption = (
        f"The same conditions under other plans: other runs, donors and amounts, rates at the threshold "
        f"{found['threshold']} of the clean rows. Everything in percent; sd: standard deviation over plans. All other "
        "tables are of the suite's plan."
    )
    yield Table("plan_seeds", caption, _COLUMNS, rows)


def figures(model: str, metrics: Mapping[str, Any]) -> Iterator[Plot]:
    """Yield the figures of the section: there are none."""
    yield from ()
