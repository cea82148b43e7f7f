"""The figures that rules name, of two runs on the same rows, on all units and without each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.analysis.comparison import TOP_FIGURES
from asdbench.analysis.conditions import condition_metrics
from asdbench.analysis.masks import counted_rows, dubbed_parts, own_negatives, voiced_pairs
from asdbench.analysis.resampled import CLEAN_AVA, ConditionFigures
from asdbench.analysis.rows import Figure, RunRows
from asdbench.gate.verdict import Rule
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.jackknife import LeftOut, leave_one_out
from asdbench.metrics.passes import PrecisionPass, ThresholdPass
from asdbench.perturb.dubbed import DUBBED
from asdbench.records.predictions import Predictions
from asdbench.types import BoolArray, Condition


def place_of(rule: Rule) -> Figure:
    """Return where the figure of a rule stands in the ``metrics`` of its condition."""
    return (rule.metric,) if rule.metric in TOP_FIGURES else ("at", rule.threshold, rule.metric)


@dataclass(frozen=True)
class Side:
    """One of the two runs.

    Attributes:
        rows: Its rows.
        thresholds_of: The run whose thresholds its rates are taken at: in each set of weights those that its clean rows
            freeze with these weights.
    """

    rows: RunRows
    thresholds_of: RunRows

    def left_out(
        self, condition: Condition, predictions: Predictions, thresholds: Iterable[str]
    ) -> dict[Figure, LeftOut]:
        """Return every figure of a condition on all units and without each.

        Args:
            condition: The condition.
            predictions: Its rows.
            thresholds: At which rates are wanted.
        """
        figures = ConditionFigures(self.rows, condition, predictions)
        passed, names = self._threshold_pass, tuple(thresholds)
        keeps = condition.perturbation is not None and condition.labels == "keep"

        def values(weights: NDArray[np.int64]) -> Mapping[Figure, Float64Array]:
            found = figures.at(weights, {name: passed.values(weights, name) for name in names})
            before = found.pop(CLEAN_AVA, None)
            if keeps and ("ava",) in found:
                start = self._clean_precision.values(weights)["ava"] if before is None else before
                found["ap_drop",] = start - found["ava",]
            return found

        return leave_one_out(values, self.rows.units.count)

    def reason(self, condition: Condition, predictions: Predictions, place: Figure) -> str:
        """Return why a figure has no value on all rows."""
        rows = self.rows
        found: Any = condition_metrics(rows.clean, predictions, condition, self.thresholds_of.thresholds, rows.protocol)
        for key in place:
            found = found.get(key) if isinstance(found, Mapping) else None
        return str(found["undefined"]) if isinstance(found, dict) else "it has none under this condition."

    @cached_property
    def _threshold_pass(self) -> ThresholdPass:
        return ThresholdPass(self.thresholds_of.ranked)

    @cached_property
    def _clean_precision(self) -> PrecisionPass:
        return PrecisionPass(self.rows.ranked)


def rows_per_unit(rows: RunRows, condition: Condition, predictions: Predictions, metric: str) -> NDArray[np.int64]:
    """Return ``[C]``, how many rows of each unit a figure counts.

    Args:
        rows: The rows of the run.
        condition: The condition.
        predictions: Its rows.
        metric: Key of the figure.
    """
    mask = _mask(rows, condition, predictions, metric)
    return np.bincount(rows.units.of_row[mask], minlength=rows.units.count).astype(np.int64)


def _mask(rows: RunRows, condition: Condition, predictions: Predictions, metric: str) -> BoolArray:
    counted = counted_rows(rows.clean, predictions, condition)
    dubbed = condition.perturbation == DUBBED.perturbation
    others, articulating = dubbed_parts(predictions, counted) if dubbed else (counted, predictions.paired)
    mask: BoolArray | None = counted
    if metric in ("tpr", "tpr_drop"):
        mask = others & (predictions.label_after == 1)
    elif metric == "fpr":
        mask = others & (predictions.label_after == 0) if dubbed else own_negatives(predictions)
    elif metric.endswith("_voiced"):
        mask = voiced_pairs(rows.clean, predictions)
    elif metric.startswith(("sync_", "fa_changed", "retention")):
        mask = articulating
    return np.zeros(len(predictions), dtype=np.bool_) if mask is None else mask
