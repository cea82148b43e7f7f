"""Many figures on many resamples: in chunks, on all cores, with the same result whatever their number."""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from asdbench.metrics.bootstrap import Replicates, Resampling
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.units import MIN_UNITS

CHUNK = 128
"""Resamples at a time, whatever the number of threads: the order of rounding depends on it."""

Name = TypeVar("Name", bound=Hashable)
Figures = Callable[[NDArray[np.int64], slice], Mapping[Name, Float64Array]]


def evaluate(figures: Figures[Name], resampling: Resampling, threads: int | None = None) -> dict[Name, Replicates]:
    """Evaluate figures on all units, on every resample, and without each unit in turn.

    Args:
        figures: Called with ``[b, C]`` int64 weights and their place among all ``1 + B + C`` sets of weights (all units
            once, the resamples, all units but one); returns ``[b]`` values of each figure, NaN where it has none. It
            must bear being called by several threads at a time.
        resampling: The draws. With fewer than 5 units, or no resamples, nothing but the estimate is computed.
        threads: At most so many; as many as there are cores by default.

    Returns:
        The figures that have a value on all units.

    Raises:
        DataError: As ``figures`` raises it.

    Source:
        As ``bootstrap.replicate``, which takes one figure and one set of weights at a time.

    Example:
        >>> found = evaluate(lambda weights, _: {"rows": weights.sum(axis=1).astype(float)}, Resampling(5, count=10))
        >>> found["rows"].estimate, set(found["rows"].left_out.tolist())
        (5.0, {4.0})
    """
    whole = resampling.units >= MIN_UNITS and resampling.count
    total = 1 + resampling.count + resampling.units if whole else 1
    parts = [slice(start, min(start + CHUNK, total)) for start in range(0, total, CHUNK)]

    def compute(part: slice) -> Mapping[Name, Float64Array]:
        return figures(_weights(resampling, part), part)

    workers = min(len(parts), threads or _cores())
    if workers == 1:
        found = [compute(part) for part in parts]
    else:
        with ThreadPoolExecutor(workers) as pool:
            found = list(pool.map(compute, parts))
    joined = {name: np.concatenate([values[name] for values in found]) for name in found[0]}
    return {name: _replicates(resampling, values) for name, values in joined.items() if np.isfinite(values[0])}


def values_of(replicates: Replicates) -> Float64Array:
    """Return the values of a figure in the order in which ``evaluate`` hands out weights.

    Args:
        replicates: From ``evaluate``.

    Returns:
        ``[1 + B + C]``: the estimate, the resamples, without each unit.

    Raises:
        Nothing.

    Source:
        Own.

    Example:
        >>> values_of(Replicates(Resampling(1), 0.5, np.empty(0), np.empty(0)))
        array([0.5])
    """
    return np.concatenate([[replicates.estimate], replicates.resampled, replicates.left_out])


def _weights(resampling: Resampling, part: slice) -> NDArray[np.int64]:
    """Return ``[b, C]``, a part of: every unit once, the resamples, every unit but one."""
    units, first_left_out = resampling.units, 1 + resampling.count
    rows = np.ones((part.stop - part.start, units), dtype=np.int64)
    drawn = slice(max(part.start, 1), min(part.stop, first_left_out))
    if drawn.start < drawn.stop:
        rows[drawn.start - part.start : drawn.stop - part.start] = resampling.weights[drawn.start - 1 : drawn.stop - 1]
    left_out = np.arange(max(part.start, first_left_out), part.stop)
    rows[left_out - part.start, left_out - first_left_out] = 0
    return rows


def _replicates(resampling: Resampling, values: Float64Array) -> Replicates:
    drawn = 1 + resampling.count
    return Replicates(resampling, float(values[0]), values[1:drawn], values[drawn:])


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
