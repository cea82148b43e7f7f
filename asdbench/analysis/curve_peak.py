"""One synchrony curve with its intervals and its peak."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.analysis.intervals import interval_record, no_intervals
from asdbench.analysis.parts import of_own_units
from asdbench.analysis.rows import RunRows
from asdbench.errors import UndefinedMetricError
from asdbench.metrics.bootstrap import Replicates
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.resampled import evaluate
from asdbench.metrics.synchrony_curve import SynchronyCurve, UnitSums, floor_offsets
from asdbench.metrics.synchrony_peak import find_peak, peak_interval
from asdbench.types import BoolArray, Float32Array

_PEAK = "peak"
_NOT_THERE = {"undefined": "the curve does not fall half-way to its floor on this side of its highest point."}


def curve_record(
    rows: RunRows, offsets_ms: NDArray[np.float64], scores: Float32Array, units: NDArray[np.int32], counted: BoolArray
) -> dict[str, Any]:
    """Return a curve as ``metrics.json`` holds it.

    Args:
        rows: The rows of the run.
        offsets_ms: ``[K]`` increasing.
        scores: ``[K, N]``.
        units: ``[N]``, the unit of each row.
        counted: ``[K, N]``, which rows count at which offset.

    Returns:
        Rows, means and heights above the floor at each offset with their intervals, the peak; or why there is no curve.
    """
    try:
        sums = UnitSums(offsets_ms, scores, units, rows.units.count, counted)
    except UndefinedMetricError as error:
        return {"undefined": str(error)}
    curve = sums.curve
    far = floor_offsets(curve.offsets_ms)
    peak = find_peak(curve)
    found = peak_interval(sums, rows.resampling)
    record = {
        "rows": curve.rows.tolist(),
        "mean": curve.values.tolist(),
        "above": (curve.values - curve.values[far].mean()).tolist(),
        "peak": {name: _NOT_THERE if value is None else value for name, value in asdict(peak).items()}
        | {"height": peak.height},
        "peak_interval": asdict(found),
    }
    return record if no_intervals(rows) else record | _intervals(rows, sums, bool(found.is_peak))


def _intervals(rows: RunRows, sums: UnitSums, is_peak: bool) -> dict[str, Any]:
    """Return the interval of each point and, where there is a peak, of its place."""
    far = floor_offsets(sums.offsets_ms)

    def figures(weights: NDArray[np.int64], _: slice) -> dict[tuple[str, int], Float64Array]:
        means = sums.means(weights)
        above = means - means[:, far].mean(axis=1, keepdims=True)
        tables = {"mean": means, "above": above}
        found = {(name, place): line for name, table in tables.items() for place, line in enumerate(table.T)}
        return found | ({(_PEAK, 0): _places(sums, means)} if is_peak else {})

    replicates = evaluate(figures, rows.resampling)
    rows_of = sums.rows[:, int(np.argmin(sums.rows.sum(axis=0)))]

    def record(found: Replicates) -> dict[str, Any]:
        return interval_record(of_own_units(found, rows_of))

    places = range(len(sums.offsets_ms))
    points = {f"{name}_intervals": [record(replicates[name, k]) for k in places] for name in ("mean", "above")}
    if not is_peak:
        return points
    return points | {"offset_interval": record(replicates[_PEAK, 0])}


def _places(sums: UnitSums, means: Float64Array) -> Float64Array:
    """Return where the curve of each resample peaks, NaN where it has an offset without rows."""
    rows, found = sums.curve.rows, np.full(len(means), np.nan)
    for draw in np.flatnonzero(np.isfinite(means).all(axis=1)):
        found[draw] = find_peak(SynchronyCurve(sums.offsets_ms, means[draw], rows)).offset_ms
    return found
