"""The figures of each source on its own (docs/method.md, section 10).

Where there are too few sources for intervals, these are all that can be said of the spread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.analysis.conditions import HEADLINE
from asdbench.analysis.masks import counted_rows
from asdbench.analysis.rows import RunRows
from asdbench.metrics import (
    average_precision_step,
    average_precision_tie_safe,
    false_positive_rate,
    positive_share,
    retention,
    sync_auroc,
    true_positive_rate,
)
from asdbench.metrics.measured import Measured, measure
from asdbench.perturb.dubbed import DUBBED
from asdbench.records.predictions import Predictions
from asdbench.types import BoolArray, Condition

_NO_NEGATIVES: Measured = {"undefined": "no negative rows remain."}


def section(rows: RunRows, conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the section of ``metrics.json``, ``None`` where the run has no rows for it.

    Args:
        rows: The rows of the run.
        conditions: The conditions of ``metrics.json``, with their point values.

    Returns:
        Per unit: counts and figures of its clean rows, and what remains of its speaking rows under each test of
        synchrony at its largest proportion, and under ``dubbed``; all at the threshold of the whole run.
    """
    chosen = [rows.conditions[name] for name in _tests(conditions)]
    units = [
        {"name": name, **_clean(rows, places[rows.counted[places]]), "conditions": {}}
        for name, places in zip(rows.units.names, _places(rows), strict=True)
    ]
    for condition in chosen:
        predictions = rows.read(condition.name)
        counted = counted_rows(rows.clean, predictions, condition)
        for unit, places in zip(units, _places(rows), strict=True):
            unit["conditions"][condition.name] = _changed(rows, condition, predictions, places, counted)
    names = [condition.name for condition in chosen]
    return {"kind": rows.units.kind, "threshold": HEADLINE, "conditions": names, "sources": units}


def _tests(conditions: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the tests whose changed rows are negative, each perturbation at its largest proportion."""
    largest: dict[str, Mapping[str, Any]] = {}
    for condition in conditions[1:]:
        name = condition["perturbation"]
        if condition["role"] != "test" or condition["labels"] != "negative":
            continue
        if name not in largest or condition["proportion"] > largest[name]["proportion"]:
            largest[name] = condition
    return [condition["name"] for condition in largest.values()]


def _places(rows: RunRows) -> list[NDArray[np.int64]]:
    """Return the rows of each unit."""
    units = rows.units
    order = np.argsort(units.of_row, kind="stable")
    return np.split(order, np.cumsum(np.bincount(units.of_row, minlength=units.count))[:-1])


def _clean(rows: RunRows, places: NDArray[np.int64]) -> dict[str, Any]:
    labels, scores = rows.clean.label_after[places], rows.clean.score[places]
    positives, threshold = int(np.count_nonzero(labels == 1)), rows.thresholds[HEADLINE]
    one_class = _NO_NEGATIVES if positives == len(labels) and positives else None  # every ranking of them is perfect
    return {
        "rows": {"total": len(labels), "positive": positives, "negative": len(labels) - positives},
        "metrics": {
            "ava": one_class or measure(lambda: average_precision_tie_safe(labels, scores)),
            "ap": one_class or measure(lambda: average_precision_step(labels, scores)),
            "tpr": measure(lambda: true_positive_rate(labels, scores, threshold)),
            "fpr": measure(lambda: false_positive_rate(labels, scores, threshold)),
        },
    }


def _changed(
    rows: RunRows, condition: Condition, predictions: Predictions, places: NDArray[np.int64], counted: BoolArray
) -> dict[str, Any]:
    threshold = rows.thresholds[HEADLINE]
    if condition.perturbation == DUBBED.perturbation:
        scores = predictions.score[places[(counted & predictions.changed)[places]]]
        return {"rows": len(scores), "fa_changed": measure(lambda: positive_share(scores, threshold))}
    places = places[predictions.paired[places]]
    before, after = rows.clean.score[places], predictions.score[places]
    return {
        "rows": len(places),
        "fa_changed": measure(lambda: positive_share(after, threshold)),
        "retention": measure(lambda: retention(before, after, threshold)),
        "sync_auroc": measure(lambda: sync_auroc(before, after)),
    }
