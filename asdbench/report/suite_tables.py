"""Tables that only some suites have: corruptions by severity, LASER's accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from asdbench.analysis.conditions import value_of
from asdbench.report.families import SEVERITIES, base, drops_by_severity, mean_drops
from asdbench.report.table import Column, Table

_SEVERITY_KEYS = tuple(f"s{severity}" for severity in SEVERITIES)
_FIXED = "fixed:0.5"
_Conditions = Sequence[Mapping[str, Any]]


def corruptions_table(metrics: Mapping[str, Any]) -> Table:
    """Return the drop of AP by corruption and severity, and its means with their intervals."""
    drops, means = drops_by_severity(metrics["conditions"]), mean_drops(metrics)
    rows: list[dict[str, Any]] = [
        {"corruption": kind, **{f"s{severity}": drop for severity, drop in found.items()}, "mean": means.get(kind)}
        for kind, found in drops.items()
    ]
    if means and len(rows) > 1:
        rows.append({"corruption": "mean", **{key: means.get(key) for key in (*_SEVERITY_KEYS, "mean")}})
    return Table(
        "corruptions",
        "Drop of AP in points, by corruption and severity; labels kept, smaller is better. mean: over severities, in "
        "the last row over corruptions; the last number of all is the mean corruption drop.",
        (
            Column("corruption", "corruption"),
            *(Column(key, f"severity {key[1:]}", "percent") for key in _SEVERITY_KEYS),
            Column("mean", "mean", "percent"),
        ),
        tuple(rows),
    )


def accuracy_table(conditions: _Conditions) -> Table:
    """Return LASER's three accuracies at probability 0.5, for runs of its tests."""
    shown = [c for c in conditions if c["perturbation"] is None or base(c).startswith("laser_")]
    return Table(
        "accuracy",
        "LASER's measure: share of rows that are right at probability 0.5 (0.5 counts as speaking), of all rows, of "
        "those labelled talking, of the others. A model that never fires has 100 % on shifted sound, so read it beside "
        "clean talking. Rows that speak inaudibly count as not talking; in the authors' script they are never right.",
        (
            Column("condition", "condition"),
            Column("rows", "rows", "count"),
            Column("overall", "accuracy %", "percent"),
            Column("talking", "talking %", "percent"),
            Column("not_talking", "not talking %", "percent"),
        ),
        tuple(_accuracies(shown)) if len(shown) > 1 else (),
    )


def _accuracies(conditions: _Conditions) -> Iterator[dict[str, Any]]:
    for condition in conditions:
        rows, rates = condition["rows"], condition["metrics"]["at"][_FIXED]
        positive, negative = rows["positive"], rows["negative"]
        # FPR leaves out the rows that the condition itself made negative; they are what it counts as changed.
        made = rows["paired"] if condition["labels"] == "negative" else 0
        alarms = _weighted((rates["fpr"], negative - made), (rates.get("fa_changed"), made))
        hits = _weighted((rates["tpr"], positive))
        right = None if alarms is None or hits is None else hits + negative - alarms
        yield {
            "condition": condition["name"],
            "rows": positive + negative,
            "overall": right / (positive + negative) if right is not None and positive + negative else None,
            "talking": rates["tpr"],
            "not_talking": 1 - alarms / negative if alarms is not None and negative else None,
        }


def _weighted(*parts: tuple[Any, int]) -> float | None:
    """Return the sum of rates times rows, ``None`` where a rate of some rows is undefined."""
    found = [(value_of(rate), rows) for rate, rows in parts if rows]
    return None if any(rate is None for rate, _ in found) else sum((rate or 0.0) * rows for rate, rows in found)
