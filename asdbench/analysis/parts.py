"""The clean figures of a part of the rows, at the threshold of all rows, on the resamples of the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.analysis.conditions import HEADLINE
from asdbench.analysis.intervals import interval_record, no_intervals
from asdbench.analysis.rows import RunRows
from asdbench.metrics import cell
from asdbench.metrics.bootstrap import Replicates
from asdbench.metrics.counted import CountedRows
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.measured import is_number
from asdbench.metrics.passes import PairPass, PrecisionPass
from asdbench.metrics.resampled import Figures, evaluate
from asdbench.metrics.weighted import RankedRows
from asdbench.types import BoolArray, Float32Array

FIGURES = ("ava", "ap", "auroc", "tpr", "fpr")


class Parts:
    """Measures parts of the counted clean rows of a run.

    Args:
        rows: The rows of the run.
    """

    def __init__(self, rows: RunRows) -> None:
        self._rows = rows

    def record(self, name: str, mask: BoolArray, figures: Sequence[str] = FIGURES) -> dict[str, Any]:
        """Return the figures of a part.

        Args:
            name: What to call it.
            mask: ``[N]`` of all rows of the run; those that do not count are left out.
            figures: Which of ``FIGURES``.

        Returns:
            Name, numbers of rows, base rate, ``metrics``, ``intervals`` and the number of ``units`` with such rows.
        """
        rows, mask = self._rows, mask & self._rows.counted
        labels, scores = rows.clean.label_after[mask], rows.clean.score[mask]
        found = cell(labels, scores, rows.thresholds[HEADLINE])
        metrics = {figure: getattr(found, figure) for figure in figures}
        defined = [figure for figure, value in metrics.items() if is_number(value)]
        units = rows.units.of_row[mask]
        return {
            "name": name,
            "rows": {"total": len(labels), "positive": found.positives, "negative": found.negatives},
            "base_rate": found.base_rate,
            "units": len(np.unique(units)),
            "metrics": metrics,
            "intervals": {} if no_intervals(rows) else self._intervals(labels == 1, scores, units, defined),
        }

    def _intervals(
        self, positive: BoolArray, scores: Float32Array, units: NDArray[np.int32], figures: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        if not figures:
            return {}
        found = evaluate(self._figures(positive, scores, units, figures), self._rows.resampling)
        which = {"tpr": positive, "fpr": ~positive}
        everything = np.ones(len(scores), dtype=np.bool_)
        return {
            figure: interval_record(of_own_units(found[figure], self._rows_of(units[which.get(figure, everything)])))
            for figure in figures
        }

    def _rows_of(self, units: NDArray[np.int32]) -> NDArray[np.int64]:
        return np.bincount(units, minlength=self._rows.units.count)

    def _figures(
        self, positive: BoolArray, scores: Float32Array, units: NDArray[np.int32], figures: Sequence[str]
    ) -> Figures[str]:
        count = self._rows.units.count
        classes = {
            figure: CountedRows(scores[mask], units[mask], count)
            for figure, mask in (("tpr", positive), ("fpr", ~positive))
            if mask.any()
        }
        # Only parts with both classes have an AP and an area under the curve.
        ranking = PrecisionPass(RankedRows(positive, scores, units, count)) if "ava" in figures else None
        pairs = PairPass(classes["tpr"], classes["fpr"]) if "auroc" in figures else None

        limits = self._rows.resampled_thresholds[HEADLINE]

        def compute(weights: NDArray[np.int64], place: slice) -> dict[str, Float64Array]:
            found = {}
            with np.errstate(invalid="ignore", divide="ignore"):
                for figure, rows in classes.items():
                    found[figure] = rows.above(weights, limits[place]) / (weights @ rows.rows)
            if pairs is not None:
                found["auroc"] = pairs.values(weights)
            if ranking is not None:
                values = ranking.values(weights)
                ranked = values["base_rate"] < 1
                found |= {rule: np.where(ranked, values[rule], np.nan) for rule in ("ava", "ap")}
            return found

        return compute


def of_own_units(replicates: Replicates, rows: NDArray[np.int64]) -> Replicates:
    """Return resampled values as those of the units that have rows: only these are witnesses.

    Five categories of five recordings each do not become surer by being parts of 25 recordings. The draws stay those of
    the whole run, so that the share of the part in a resample varies as it does between data sets.

    Args:
        replicates: The figure on the resamples of the run.
        rows: ``[C]``, how many rows of each unit the figure rests on.
    """
    there = rows > 0
    effective = int(rows.sum()) ** 2 // int((rows**2).sum())  # as ``Units.effective``
    draws = replace(replicates.resampling, units=int(np.count_nonzero(there)), effective=effective)
    left_out = replicates.left_out[there] if len(replicates.left_out) else replicates.left_out
    return replace(replicates, resampling=draws, left_out=left_out)
