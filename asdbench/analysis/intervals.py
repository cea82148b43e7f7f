"""The intervals of a condition's figures, whole recordings resampled (docs/method.md, section 10)."""

from __future__ import annotations

from typing import Any

from asdbench.analysis.rows import RunRows
from asdbench.records.predictions import Predictions
from asdbench.types import Condition


def condition_intervals(rows: RunRows, condition: Condition, predictions: Predictions) -> dict[str, Any]:
    """Return the intervals of a condition, in the places that its figures have in ``metrics``.

    Args:
        rows: The rows of the run.
        condition: The condition.
        predictions: Its rows.
    """
    return {}


def units_record(rows: RunRows) -> dict[str, Any]:
    """Return what the intervals of a run rest on, for ``metrics.json``."""
    return {}
