"""Tables that only some suites have: corruptions by severity, the synchrony curve, LASER's accuracy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from asdbench.analysis.conditions import HEADLINE, value_of
from asdbench.report.evidence import figure_of
from asdbench.report.families import SEVERITIES, base, curve, drops_by_severity, mean_drop, severity_of
from asdbench.report.table import Column, Table

_FIXED = "fixed:0.5"
_Conditions = Sequence[Mapping[str, Any]]


def corruptions_table(conditions: _Conditions) -> Table:
    """Return the drop of AP by corruption and severity, and its means."""
    drops, cells = drops_by_severity(conditions), _drop_cells(conditions)
    rows: list[dict[str, Any]] = [
        {"corruption": kind, **cells[kind], "mean": mean_drop(found)} for kind, found in drops.items()
    ]
    means = {
        f"s{severity}": mean_drop(dict(enumerate(found[severity] for found in drops.values() if severity in found)))
        for severity in SEVERITIES
        if any(severity in found for found in drops.values())
    }
    if len(rows) > 1:
        everything = dict(enumerate(drop for found in drops.values() for drop in found.values()))
        rows.append({"corruption": "mean", **means, "mean": mean_drop(everything)})
    return Table(
        "corruptions",
        "Drop of AP in points, by corruption and severity; labels kept, smaller is better. mean: over severities, in "
        "the last row over corruptions; the last number of all is the mean corruption drop.",
        (
            Column("corruption", "corruption"),
            *(Column(f"s{severity}", f"severity {severity}", "percent") for severity in SEVERITIES),
            Column("mean", "mean", "percent"),
        ),
        tuple(rows),
    )


def _drop_cells(conditions: _Conditions) -> dict[str, dict[str, Any]]:
    """Return kind -> column -> drop of AP with its interval."""
    found: dict[str, dict[str, Any]] = {}
    for condition in conditions:
        place = severity_of(condition)
        if place is not None:
            found.setdefault(place[0], {})[f"s{place[1]}"] = figure_of(condition, "ap_drop")
    return found


def curve_table(conditions: _Conditions) -> Table:
    """Return what the model says of speaking rows at each offset of the sound."""
    rows = tuple(
        {
            "offset": f"{offset:+g}",
            "rows": condition["rows"]["paired"],
            **condition["metrics"],
            **condition["metrics"]["at"][HEADLINE],
        }
        for offset, condition in curve(conditions)
    )
    return Table(
        "curve",
        f"Speaking rows with all sound shifted; + is late. Rows whose shifted sound is not there are left out. Still "
        f"speaking: at the threshold {HEADLINE}. A diagnostic: labels are those of the clean data.",
        (
            Column("offset", "offset ms"),
            Column("rows", "rows", "count"),
            Column("fa_changed", "still speaking %", "share"),
            Column("tpr_same_rows", "same rows %", "share"),
            Column("retention", "retention", "ratio"),
            Column("score_changed", "mean score", "log-odds"),
            Column("score_same_rows", "same rows", "log-odds"),
            Column("sync_auroc", "sync AUROC", "ratio"),
        ),
        rows,
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
