"""What a figure owes to one plan: tests and controls under several (docs/method.md, section 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

from asdbench.analysis.conditions import HEADLINE, condition_metrics, value_of
from asdbench.analysis.rows import RunRows
from asdbench.metrics.measured import Measured

FIGURES = ("ava", "fa_changed", "retention", "sync_auroc")


def section(rows: RunRows, conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the section of ``metrics.json``, ``None`` where the run has no rows for it.

    Args:
        rows: The rows of the run.
        conditions: The conditions of ``metrics.json``, with their point values.
    """
    if not rows.repeats:
        return None
    known = {each["name"]: _figures(each["metrics"]) for each in conditions}
    found = []
    for name, repeats in rows.repeats.items():
        values = [known[name]]
        for repeat in repeats:
            predictions = rows.read(repeat.name)
            predictions.require_same_rows(rows.clean, repeat.name)
            values.append(_figures(condition_metrics(rows.clean, predictions, repeat, rows.thresholds, rows.protocol)))
        figures = {figure: spread([each[figure] for each in values]) for figure in FIGURES}
        found.append({"name": name, "plans": len(values), "figures": figures})
    return {"threshold": HEADLINE, "conditions": found}


def spread(values: Sequence[Measured]) -> dict[str, Any]:
    """Return how far a figure moves between plans.

    Args:
        values: The figure under each plan, the suite's own first.

    Returns:
        ``values``, and ``min``, ``max``, ``mean`` and ``sd`` (of a sample) over the plans under which it has a value;
        each ``{"undefined": reason}`` where fewer than two have.
    """
    known = [number for number in map(value_of, values) if number is not None]
    if len(known) < 2:
        reason = {"undefined": f"the figure has a value under {len(known)} of {len(values)} plans."}
        return {"values": list(values), **dict.fromkeys(("min", "max", "mean", "sd"), reason)}
    return {
        "values": list(values),
        "min": min(known),
        "max": max(known),
        "mean": fmean(known),
        "sd": stdev(known),
    }


def _figures(metrics: Mapping[str, Any]) -> dict[str, Measured]:
    absent: Measured = {"undefined": "the condition has no such figure."}
    return {figure: metrics.get(figure, metrics["at"][HEADLINE].get(figure, absent)) for figure in FIGURES}
