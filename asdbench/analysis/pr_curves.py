"""Precision against recall: clean, and under tests and controls that leave positives."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from asdbench.analysis.conditions import value_of
from asdbench.analysis.graded import graded_families
from asdbench.analysis.masks import counted_rows
from asdbench.analysis.rows import RunRows
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.precision_recall import PrecisionRecall, precision_recall, thinned
from asdbench.types import Condition

MOST_POINTS = 300
"""Of a curve in ``metrics.json``; what is left out is below ``error``."""

_DIGITS = 6


def section(rows: RunRows, conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the section of ``metrics.json``.

    Args:
        rows: The rows of the run.
        conditions: The conditions of ``metrics.json``, with their point values.
    """
    ap = {condition["name"]: value_of(condition["metrics"].get("ava")) for condition in conditions}
    clean = next(iter(rows.conditions.values()))
    families = graded_families(rows.conditions.values())
    shown = [("", clean), *((family, each) for family, some in families.items() for each in some)]
    return {
        "curves": [
            {"condition": each.name, "family": family, **_record(curve_of(rows, each))}
            for family, each in shown
            if ap.get(each.name) is not None
        ]
    }


def curve_of(rows: RunRows, condition: Condition) -> PrecisionRecall:
    """Return every point of a condition's curve, on the rows that its AP counts.

    Raises:
        UndefinedMetricError: No positive rows.
    """
    own = rows.clean if condition.perturbation is None else rows.read(condition.name)
    counted = counted_rows(rows.clean, own, condition)
    return precision_recall(own.label_after[counted], own.score[counted])


def defined_curves(rows: RunRows, conditions: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, PrecisionRecall]]:
    """Yield name and curve of every condition of a run that has AP.

    Args:
        rows: The rows of the run.
        conditions: The conditions of ``metrics.json``.
    """
    for condition in conditions:
        if value_of(condition["metrics"].get("ava")) is not None:
            yield condition["name"], curve_of(rows, rows.conditions[condition["name"]])


def _record(curve: PrecisionRecall) -> dict[str, Any]:
    thin = thinned(*curve.staircase, MOST_POINTS)
    return {
        "points": len(curve.score),
        "error": math.ceil(thin.error * 10**_DIGITS) / 10**_DIGITS,
        "recall": _rounded(thin.x),
        "precision": _rounded(thin.y),
    }


def _rounded(values: Float64Array) -> list[float]:
    return [round(float(value), _DIGITS) for value in values]
