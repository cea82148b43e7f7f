"""How far scores are probabilities: Brier, ECE and reliability of the clean run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.analysis.intervals import interval_record, no_intervals
from asdbench.analysis.parts import of_own_units
from asdbench.analysis.rows import RunRows
from asdbench.metrics import brier_score, probability, reliability, replicate
from asdbench.metrics.calibration import Reliability
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.means import mean_of


def section(rows: RunRows, conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the section of ``metrics.json``, ``None`` where the run has no rows for it.

    Args:
        rows: The rows of the run.
        conditions: The conditions of ``metrics.json``, with their point values.
    """
    labels = rows.clean.label_after[rows.counted]
    probabilities = probability(rows.clean.score[rows.counted])
    found = reliability(labels, probabilities)
    base = float(np.mean(labels == 1))
    intervals = {} if no_intervals(rows) else _intervals(rows, probabilities, found.place)
    return {
        "rows": len(labels),
        "base_rate": base,
        "metrics": {
            "brier": brier_score(labels, probabilities),
            "brier_base_rate": base * (1 - base),
            "ece": found.expected_calibration_error,
        },
        "intervals": {"brier": intervals["brier"]} if intervals else {},
        "bins": [_bin(found, number, intervals) for number in range(len(found.rows))],
    }


def _bin(found: Reliability, number: int, intervals: Mapping[str | int, Any]) -> dict[str, Any]:
    rows = int(found.rows[number])
    record = {"from": float(found.edges[number]), "to": float(found.edges[number + 1]), "rows": rows}
    if not rows:
        return record
    means = {"confidence": float(found.confidence[number]), "frequency": float(found.frequency[number])}
    return record | means | ({"interval": intervals[number]} if intervals else {})


def _intervals(rows: RunRows, probabilities: Float64Array, place: NDArray[np.intp]) -> dict[str | int, Any]:
    """Return the intervals of the Brier score and, by number of the bin, of the share of positives in each bin."""
    labels, units, count = rows.clean.label_after[rows.counted], rows.units.of_row[rows.counted], rows.units.count
    brier = replicate(mean_of((probabilities - labels) ** 2, units, count), rows.resampling)
    found: dict[str | int, Any] = {"brier": interval_record(brier)}
    for number in np.unique(place):
        here = place == number
        share = replicate(mean_of(labels[here], units[here], count), rows.resampling)
        found[int(number)] = interval_record(of_own_units(share, np.bincount(units[here], minlength=count)))
    return found
