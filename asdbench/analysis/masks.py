"""Which rows of a condition a figure speaks of."""

from __future__ import annotations

import numpy as np

from asdbench.perturb.dubbed import DUBBED
from asdbench.records.predictions import Predictions
from asdbench.types import IGNORE, BoolArray, Condition

INNER_MS = 200
"""What ``fa_changed_inner`` leaves out at each end of a run, where the splice is."""


def counted_rows(clean: Predictions, rows: Predictions, condition: Condition) -> BoolArray:
    """Return the rows that count in AP and in precision, F1 and balanced accuracy."""
    counted: BoolArray = rows.label_after != IGNORE
    if condition.perturbation == DUBBED.perturbation:
        # Only dubbed rows are ignored in the clean condition. Without any, where --limit or an error left them all out,
        # the other rows would be the clean condition under another name.
        return counted & bool(np.any(clean.label_after == IGNORE))
    return counted


def own_negatives(rows: Predictions) -> BoolArray:
    """Return the negatives that the condition itself did not make: those of FPR."""
    mask: BoolArray = (rows.label_after == 0) & (rows.label != 1)
    return mask


def voiced_pairs(clean: Predictions, rows: Predictions) -> BoolArray | None:
    """Return the paired rows in which voice is heard before and after the change; ``None`` where nobody listened."""
    if clean.voiced is None or rows.voiced is None:
        return None
    mask: BoolArray = rows.paired & (clean.voiced == 1) & (rows.voiced == 1)
    return mask


def dubbed_parts(rows: Predictions, counted: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Return the rows under ``dubbed`` that make up TPR and FPR, and those of articulating lips."""
    return counted & ~rows.changed, counted & rows.changed


def inner_rows(rows: Predictions) -> BoolArray:
    """Return the rows at least 0.2 s away from the first and the last frame of their run."""
    starts = rows.run_starts
    lengths = np.diff([*starts, len(rows)])
    first = np.repeat(rows.timestamp_ms[starts], lengths)
    last = np.repeat(rows.timestamp_ms[starts + lengths - 1], lengths)
    mask: BoolArray = (rows.timestamp_ms - first >= INNER_MS) & (last - rows.timestamp_ms >= INNER_MS)
    return mask
