"""How scores are distributed: on clean rows, and on changed rows before and after the change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from asdbench.analysis.graded import graded_families
from asdbench.analysis.rows import RunRows
from asdbench.metrics.inputs import Float64Array
from asdbench.perturb.dubbed import DUBBED
from asdbench.types import Condition, Float32Array

BINS = 60

_TAIL = 0.002
"""Share of scores at either end that goes into the outermost bins, so that a few of them do not set the scale."""


@dataclass(frozen=True, eq=False)
class _Changed:
    """The scores of the rows that a condition changes; of dubbed tracks there are none from before."""

    family: str
    condition: str
    before: Float32Array | None
    after: Float32Array


def section(rows: RunRows, conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the section of ``metrics.json``: of each perturbation the condition that changes most.

    Args:
        rows: The rows of the run.
        conditions: The conditions of ``metrics.json``, with their point values.
    """
    clean = rows.clean
    families = graded_families(rows.conditions.values())
    found = [each for family, some in families.items() if len((each := _changed(rows, family, some[-1])).after)]
    speaking = {"negative": 0, "positive": 1}
    reference = {name: clean.score[rows.counted & (clean.label_after == label)] for name, label in speaking.items()}
    edges = _edges([*reference.values(), *(each.after for each in found)])
    return {
        "from": float(edges[0]),
        "to": float(edges[-1]),
        "bins": BINS,
        "clean": {name: _counts(scores, edges) for name, scores in reference.items()},
        "changed": [
            {
                "family": each.family,
                "condition": each.condition,
                **({} if each.before is None else {"before": _counts(each.before, edges)}),
                "after": _counts(each.after, edges),
            }
            for each in found
        ],
    }


def _changed(rows: RunRows, family: str, condition: Condition) -> _Changed:
    own = rows.read(condition.name)
    if condition.perturbation == DUBBED.perturbation:  # no row of it was ever positive
        return _Changed(family, condition.name, None, own.score[own.changed & (own.label_after == 0)])
    return _Changed(family, condition.name, rows.clean.score[own.paired], own.score[own.paired])


def _edges(groups: Sequence[Float32Array]) -> Float64Array:
    low, high = np.quantile(np.concatenate(groups).astype(np.float64), [_TAIL, 1 - _TAIL])
    margin = max(0.03 * (high - low), 0.1)
    return np.linspace(low - margin, high + margin, BINS + 1)


def _counts(scores: Float32Array, edges: Float64Array) -> list[int]:
    """Count scores by bin; those beyond the ends go into the outermost."""
    counts, _ = np.histogram(np.clip(scores.astype(np.float64), edges[0], edges[-1]), bins=edges)
    return [int(count) for count in counts]
