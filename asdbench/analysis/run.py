"""Every number of a run: its conditions with their intervals, then one section after the other."""

from __future__ import annotations

from typing import Any

from asdbench.analysis import (
    breakdowns,
    corruptions,
    curve,
    named,
    plan_seeds,
    pr_curves,
    reliability,
    reliance,
    score_histograms,
    sources,
    suspects,
)
from asdbench.analysis.conditions import HEADLINE, condition_metrics, require_both_classes, row_counts
from asdbench.analysis.intervals import condition_intervals, units_record
from asdbench.analysis.rows import RunRows
from asdbench.protocols.catalogue import envelope_rule
from asdbench.records.predictions import Predictions
from asdbench.types import Condition

_SECTIONS = {
    "pr_curves": pr_curves.section,
    "score_histograms": score_histograms.section,
    "corruptions": corruptions.section,
    "reliance": reliance.section,
    "curve": curve.section,
    "breakdowns": breakdowns.section,
    "suspects": suspects.section,
    "reliability": reliability.section,
    "named": named.section,
    "sources": sources.section,
    "plan_seeds": plan_seeds.section,
}


def run_metrics(rows: RunRows) -> dict[str, Any]:
    """Compute every number of a run.

    Args:
        rows: The rows of the run.

    Returns:
        The content of ``metrics.json``.

    Raises:
        DataError: The clean rows lack one of the two classes.
        NotComparableError: A condition's rows are not those of the clean condition.
    """
    require_both_classes(rows.clean.label[rows.counted])
    clean = next(iter(rows.conditions.values()))
    conditions = [_condition(rows, clean, rows.clean)]
    conditions += [_condition(rows, condition, predictions) for condition, predictions in rows.others()]
    sections = {name: section(rows, conditions) for name, section in _SECTIONS.items()}
    return {
        "protocol": envelope_rule(rows.protocol),
        "headline": HEADLINE,
        "thresholds": rows.thresholds,
        "units": units_record(rows),
        "conditions": conditions,
        **{name: found for name, found in sections.items() if found is not None},
    }


def _condition(rows: RunRows, condition: Condition, predictions: Predictions) -> dict[str, Any]:
    return {
        "name": condition.name,
        "perturbation": condition.perturbation,
        "proportion": condition.proportion,
        "labels": condition.labels,
        "role": condition.role,
        "rows": row_counts(predictions),
        "metrics": condition_metrics(rows.clean, predictions, condition, rows.thresholds, rows.protocol),
        "intervals": condition_intervals(rows, condition, predictions),
    }
