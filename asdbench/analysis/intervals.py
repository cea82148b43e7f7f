"""The intervals of a condition's figures, whole recordings resampled (docs/method.md, section 10)."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from asdbench.analysis.resampled import CLEAN_AVA, ConditionFigures
from asdbench.analysis.rows import Figure, RunRows
from asdbench.metrics import combine, interval
from asdbench.metrics.bootstrap import Replicates
from asdbench.metrics.intervals import LEVEL
from asdbench.metrics.resampled import evaluate
from asdbench.metrics.units import FEW_UNITS, MIN_UNITS, Units
from asdbench.records.predictions import Predictions
from asdbench.types import Condition


class Resampled(Protocol):
    """Rows whose units are resampled: those of a run, or of files."""

    @property
    def units(self) -> Units:
        """What is resampled."""

    @property
    def resamples(self) -> int:
        """How many resamples there are."""

    @property
    def seed(self) -> str:
        """Of the resamples."""


def condition_replicates(rows: RunRows, condition: Condition, predictions: Predictions) -> dict[Figure, Replicates]:
    """Return the figures of a condition on all units, on each resample of the run, and without each unit.

    They are computed once per condition; ``bootstrap.combine`` makes differences and means of them.

    Args:
        rows: The rows of the run.
        condition: The condition.
        predictions: Its rows.

    Returns:
        The figures that have a value and an interval, by their place in ``metrics``: ``("ava",)``, ``("ap_drop",)``,
        ``("at", "tpr:0.9", "retention")``.
    """
    known = rows.replicated
    if condition.name not in known:
        found = evaluate(ConditionFigures(rows, condition, predictions), rows.resampling)
        before = found.pop(CLEAN_AVA, None)
        if condition.perturbation is not None and condition.labels == "keep" and ("ava",) in found:
            clean = next(iter(rows.conditions.values()))
            start = before or condition_replicates(rows, clean, rows.clean)["ava",]
            found["ap_drop",] = combine(np.subtract, start, found["ava",])
        known[condition.name] = found
    return known[condition.name]


def condition_intervals(rows: RunRows, condition: Condition, predictions: Predictions) -> dict[str, Any]:
    """Return the intervals of a condition, in the places that its figures have in ``metrics``.

    Args:
        rows: The rows of the run.
        condition: The condition.
        predictions: Its rows.

    Returns:
        ``interval_record`` of each figure that has a value; nothing where the whole run has no intervals.
    """
    if no_intervals(rows):
        return {}
    tree: dict[str, Any] = {}
    for (*path, key), replicates in condition_replicates(rows, condition, predictions).items():
        branch = tree
        for name in path:
            branch = branch.setdefault(name, {})
        branch[key] = interval_record(replicates)
    return tree


def interval_record(replicates: Replicates) -> dict[str, Any]:
    """Return the interval of a figure as ``metrics.json`` holds it.

    Args:
        replicates: From ``condition_replicates``, ``metrics.replicate`` or ``metrics.combine``.

    Returns:
        ``low`` and ``high`` (percentile), ``bca_low`` and ``bca_high``, each ``None`` where there is none, and the
        ``reason``, empty where there are all four.
    """
    found = interval(replicates)
    return {
        "low": found.low,
        "high": found.high,
        "bca_low": found.bca_low,
        "bca_high": found.bca_high,
        "reason": found.reason,
    }


def units_record(rows: Resampled) -> dict[str, Any]:
    """Return what the intervals of a run rest on, for ``metrics.json``.

    Args:
        rows: The rows of the run.

    Returns:
        The kind of units and their number, the effective number, how many resamples, seed and level; whether the
        intervals are ``ok``, only ``indicative``, or ``none``, and in the last two cases why.
    """
    units, missing = rows.units, no_intervals(rows)
    status, reason = "ok", ""
    if missing:
        status, reason = "none", missing
    elif units.count < FEW_UNITS:
        status = "indicative"
        reason = (
            f"intervals of fewer than {FEW_UNITS} {_NAMES[units.kind]} are often too short; there are {units.count}."
        )
    return {
        "kind": units.kind,
        "count": units.count,
        "effective": units.effective,
        "resamples": rows.resamples,
        "seed": rows.seed,
        "level": LEVEL,
        "status": status,
        "reason": reason,
    }


def no_intervals(rows: Resampled) -> str:
    """Return why no figure of a run has an interval; empty where they have.

    Args:
        rows: The rows of the run.
    """
    if not rows.resamples:
        return "resampling was switched off (--resamples off)."
    if rows.units.count < MIN_UNITS:
        kind = _NAMES[rows.units.kind]
        return f"an interval needs at least {MIN_UNITS} {kind}, and there are {rows.units.count}."
    return ""


_NAMES = {"source": "sources", "block": "blocks of 60 s"}
