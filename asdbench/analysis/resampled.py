"""The figures of a condition on many resamples at once: what ``conditions.py`` computes on all rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from asdbench.analysis.masks import counted_rows, dubbed_parts, own_negatives, voiced_pairs
from asdbench.analysis.rows import Figure, RunRows
from asdbench.metrics import MIN_TPR_SAME_ROWS
from asdbench.metrics.counted import CountedRows
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.passes import PairPass, PrecisionPass
from asdbench.metrics.weighted import RankedRows
from asdbench.perturb.dubbed import DUBBED
from asdbench.records.predictions import Predictions
from asdbench.types import BoolArray, Condition, Float32Array

CLEAN_AVA: Figure = ("clean", "ava")
"""AP of the clean scores of the rows that count under a condition: what a drop starts from."""

_AP = ("ava", "ap", "ava_rescaled", "ap_rescaled")


class ConditionFigures:
    """Evaluates a condition on resamples; for ``metrics.resampled.evaluate``.

    Args:
        rows: The rows of the run.
        condition: The condition.
        predictions: Its rows.
    """

    def __init__(self, rows: RunRows, condition: Condition, predictions: Predictions) -> None:
        self._rows, self._units = rows, rows.units
        clean = rows.clean
        dubbed = condition.perturbation == DUBBED.perturbation
        counted = counted_rows(clean, predictions, condition)
        labels = predictions.label_after
        self._precision = self._ranked(labels, predictions.score, counted)
        self._clean_precision: PrecisionPass | None = None
        keeps = condition.perturbation is not None and condition.labels == "keep"
        if keeps and not np.array_equal(counted, rows.counted):
            self._clean_precision = self._ranked(labels, clean.score, counted)
        others, articulating = dubbed_parts(predictions, counted) if dubbed else (counted, None)
        positives = counted & (labels == 1)
        parts: dict[str, tuple[Float32Array, BoolArray | None]] = {
            "positives": (predictions.score, positives),
            "negatives": (predictions.score, counted & (labels == 0)),
            "tpr": (predictions.score, others & positives),
            "fpr": (predictions.score, others & (labels == 0) if dubbed else own_negatives(predictions)),
            "tpr before": (clean.score, positives if keeps else None),
        }
        if dubbed:
            parts["fa_changed"] = predictions.score, articulating
        elif condition.perturbation is not None:
            voiced = voiced_pairs(clean, predictions)
            parts["fa_changed"] = predictions.score, predictions.paired
            parts["tpr_same_rows"] = clean.score, predictions.paired
            parts["fa_changed_voiced"] = predictions.score, voiced
            parts["tpr_same_rows_voiced"] = clean.score, voiced
        self._parts = {name: self._counted(*part) for name, part in parts.items()}
        self._pairs: PairPass | None = None
        self._wins: NDArray[np.int64] | None = None
        after, before = self._parts.get("fa_changed"), self._parts.get("tpr_same_rows")
        if after is not None and before is not None:
            self._pairs = PairPass(before, after)
            self._wins = self._half_points(clean.score, predictions)

    def __call__(self, weights: NDArray[np.int64], place: slice) -> dict[Figure, Float64Array]:
        """Return every figure that the condition can have, ``[b]`` each.

        Args:
            weights: ``[b, C]`` whole numbers, none negative.
            place: Where these resamples stand among all.
        """
        return self.at(weights, {name: values[place] for name, values in self._rows.resampled_thresholds.items()})

    def at(self, weights: NDArray[np.int64], thresholds: Mapping[str, Float64Array]) -> dict[Figure, Float64Array]:
        """Return every figure that the condition can have at given thresholds, ``[b]`` each.

        Args:
            weights: ``[b, C]`` whole numbers, none negative.
            thresholds: Name to ``[b]``, one for each set of weights.
        """
        found: dict[Figure, Float64Array] = {}
        if self._precision is not None:
            precision = self._precision.values(weights)
            found |= {(name,): precision[name] for name in _AP}
        if self._clean_precision is not None:
            found[CLEAN_AVA] = self._clean_precision.values(weights)["ava"]
        if self._pairs is not None and self._wins is not None:
            found["sync_auroc",] = self._pairs.values(weights)
            found["sync_winrate",] = _ratio(weights @ self._wins, 2 * self._total("fa_changed", weights))
        for name, values in thresholds.items():
            rates = self._rates(weights, values)
            found |= {("at", name, key): values for key, values in rates.items()}
        return found

    def _rates(self, weights: NDArray[np.int64], thresholds: Float64Array) -> dict[str, Float64Array]:
        above = {name: part.above(weights, thresholds) for name, part in self._parts.items() if part is not None}
        share = {name: _ratio(values, self._total(name, weights)) for name, values in above.items()}
        rates = {name: values for name, values in share.items() if name not in ("positives", "negatives")}
        before = rates.pop("tpr before", None)
        if before is not None:
            rates["tpr_drop"] = before - rates["tpr"]
        for suffix in ("", "_voiced"):
            kept = rates.get(f"tpr_same_rows{suffix}")
            if kept is not None:
                kept = np.where(kept >= MIN_TPR_SAME_ROWS, kept, np.nan)
                rates[f"retention{suffix}"] = _ratio(rates[f"fa_changed{suffix}"], kept)
        rates.pop("tpr_same_rows_voiced", None)
        if "positives" in share and "negatives" in share:
            hits, alarms = above["positives"], above["negatives"]
            rates["precision"] = _ratio(hits, hits + alarms)
            rates["f1"] = _ratio(2 * hits, hits + alarms + self._total("positives", weights))
            rates["balanced_accuracy"] = (share["positives"] + 1 - share["negatives"]) / 2
        return rates

    def _total(self, name: str, weights: NDArray[np.int64]) -> NDArray[np.int64]:
        part = self._parts[name]
        total: NDArray[np.int64] = weights @ part.rows if part is not None else np.zeros(len(weights), np.int64)
        return total

    def _ranked(self, labels: NDArray[np.int8], scores: Float32Array, mask: BoolArray) -> PrecisionPass | None:
        if not (mask & (labels == 1)).any():
            return None
        return PrecisionPass(RankedRows(labels[mask], scores[mask], self._units.of_row[mask], self._units.count))

    def _counted(self, scores: Float32Array, mask: BoolArray | None) -> CountedRows | None:
        if mask is None or not mask.any():
            return None
        return CountedRows(scores[mask], self._units.of_row[mask], self._units.count)

    def _half_points(self, before: Float32Array, rows: Predictions) -> NDArray[np.int64]:
        mask = rows.paired
        points = 2 * (before[mask] > rows.score[mask]).astype(np.int64) + (before[mask] == rows.score[mask])
        return np.bincount(self._units.of_row[mask], points, self._units.count).astype(np.int64)


def _ratio(part: NDArray[np.generic], whole: NDArray[np.generic]) -> Float64Array:
    """Divide; NaN where the whole is 0."""
    numerator, denominator = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    ratio: Float64Array = np.divide(numerator, denominator, out=np.full(len(numerator), np.nan), where=denominator != 0)
    return ratio
