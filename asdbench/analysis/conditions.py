"""Every number of a condition: against the clean one, at thresholds frozen on the clean one.

Definitions: docs/method.md, sections 5 and 6. A metric that has no value on the given rows is kept as
``{"undefined": reason}``, so that tables can say why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.analysis.masks import counted_rows, dubbed_parts, inner_rows, own_negatives, voiced_pairs
from asdbench.errors import DataError, UndefinedMetricError
from asdbench.metrics import (
    false_positive_rate,
    operating_point,
    positive_share,
    rescaled_ap,
    retention,
    sync_auroc,
    sync_winrate,
    true_positive_rate,
)
from asdbench.metrics.measured import Measured, measure
from asdbench.perturb.dubbed import DUBBED
from asdbench.protocols.frame_ap import frame_ap_or_reason
from asdbench.records.predictions import Predictions
from asdbench.types import IGNORE, BoolArray, Condition, Float32Array

HEADLINE = "tpr:0.9"
"""The threshold at which tables and sentences speak unless they name another."""

ONE_SHIFT = ("shift", "laser_shift")
"""Perturbations that shift all sound by the same time, so that bands of shifts say nothing."""

SHIFT_BANDS_MS = ((165, 250), (250, 500), (500, 1000))

_NO_CLEAN_VERSION: Measured = {"undefined": "a dubbed track has no clean version."}


def base_rate(condition: Mapping[str, Any]) -> float | None:
    """Return the share of positives among the rows that count under a condition of ``metrics.json``."""
    positive, negative = condition["rows"]["positive"], condition["rows"]["negative"]
    return positive / (positive + negative) if positive + negative else None


def share(mask: BoolArray) -> float:
    """Return the share of true values.

    Raises:
        UndefinedMetricError: No rows.
    """
    if not len(mask):
        raise UndefinedMetricError("no eligible speaking rows.")
    return float(np.mean(mask))


def mean(scores: Float32Array) -> float:
    """Return the mean of scores.

    Raises:
        UndefinedMetricError: No rows.
    """
    if not len(scores):
        raise UndefinedMetricError("no eligible speaking rows.")
    return float(np.mean(scores, dtype=np.float64))


def value_of(measured: Measured | None) -> float | None:
    """Return the number, or ``None`` where it is undefined or absent."""
    return measured if isinstance(measured, float) else None


def require_both_classes(labels: NDArray[np.int8]) -> None:
    """Refuse rows without speaking or without silent frames, on which no threshold could be frozen.

    Raises:
        DataError: One of the two classes is missing.
    """
    positive, total = int(np.count_nonzero(labels == 1)), len(labels)
    if positive in (0, total):
        raise DataError(
            f"{positive:,} of the {total:,} frames to be scored are labelled speaking; AP and thresholds need "
            "frames of both kinds, so choose more tracks (or raise --limit)."
        )


def row_counts(rows: Predictions) -> dict[str, int]:
    """Return how many rows a condition has, by what becomes of them."""
    counted = {
        "total": np.ones(len(rows), dtype=np.bool_),
        "positive": rows.label_after == 1,
        "negative": rows.label_after == 0,
        "ignored": rows.label_after == IGNORE,
        "changed": rows.changed,
        "ineligible": ~rows.eligible,
        "paired": rows.paired,
    }
    return {name: int(np.count_nonzero(mask)) for name, mask in counted.items()}


def condition_metrics(
    clean: Predictions, rows: Predictions, condition: Condition, thresholds: Mapping[str, float], protocol: str = "ava"
) -> dict[str, Any]:
    """Compute every number of a condition.

    Args:
        clean: The rows of the clean condition.
        rows: The same rows under the condition.
        condition: The condition.
        thresholds: Name to threshold, frozen on the clean condition.
        protocol: Name of the scoring rule of the data set.

    Returns:
        The ``metrics`` of the condition in ``metrics.json``.
    """
    if condition.perturbation == DUBBED.perturbation:
        return _dubbed_metrics(protocol, clean, rows, thresholds)
    counted = counted_rows(clean, rows, condition)
    metrics: dict[str, Any] = {**_precision(protocol, rows, counted)}
    if condition.perturbation is not None:
        eligible = rows.eligible & (rows.label == 1)
        metrics["share_changed"] = measure(lambda: share(rows.changed[eligible]))
        metrics["ap_unchanged"] = _precision(protocol, rows, counted & ~rows.changed)["ava"]
        metrics |= _synchrony(clean, rows, rows.paired)
    if condition.perturbation is not None and condition.labels == "keep":
        # Drops compare tie-safe AP: silence can leave whole tracks with equal scores, in whose row order AP may rise.
        metrics["ap_drop"] = _drop(_precision(protocol, clean, counted)["ava"], metrics["ava"])
    metrics["at"] = {name: _rates(clean, rows, condition, threshold) for name, threshold in thresholds.items()}
    shifts = np.unique(rows.shift_ms[np.isfinite(rows.shift_ms)])
    if len(shifts) and (condition.perturbation or "").partition("@")[0] in ONE_SHIFT:
        metrics |= _at_offset(clean, rows, float(shifts[0]))
    elif len(shifts):
        metrics["by_shift"] = _by_shift(clean, rows, thresholds[HEADLINE])
    return metrics


def _at_offset(clean: Predictions, rows: Predictions, offset_ms: float) -> dict[str, Measured]:
    """Return what a curve over offsets is drawn from."""
    return {
        "offset_ms": offset_ms,
        "score_changed": measure(lambda: mean(rows.score[rows.paired])),
        "score_same_rows": measure(lambda: mean(clean.score[rows.paired])),
    }


def _dubbed_metrics(
    protocol: str, clean: Predictions, rows: Predictions, thresholds: Mapping[str, float]
) -> dict[str, Any]:
    """Return the metrics of all clean rows with the dubbed ones as further negatives; nothing was edited."""
    counted = counted_rows(clean, rows, DUBBED)
    return {
        **_precision(protocol, rows, counted),
        "sync_auroc": _NO_CLEAN_VERSION,
        "sync_winrate": _NO_CLEAN_VERSION,
        "at": {name: _dubbed_rates(rows, counted, threshold) for name, threshold in thresholds.items()},
    }


def _dubbed_rates(rows: Predictions, counted: BoolArray, threshold: float) -> dict[str, Measured]:
    # Articulating rows are what `fa_changed` counts, so FPR leaves them out, as it does the changed rows elsewhere.
    others, articulating = dubbed_parts(rows, counted)
    inner = articulating & inner_rows(rows)
    labels, scores = rows.label_after[others], rows.score[others]
    return {
        "tpr": measure(lambda: true_positive_rate(labels, scores, threshold)),
        "fpr": measure(lambda: false_positive_rate(labels, scores, threshold)),
        "fa_changed": measure(lambda: positive_share(rows.score[articulating], threshold)),
        "fa_changed_inner": measure(lambda: positive_share(rows.score[inner], threshold)),
        "tpr_same_rows": _NO_CLEAN_VERSION,
        "retention": _NO_CLEAN_VERSION,
        **_operating(rows, counted, threshold),
    }


def _precision(protocol: str, rows: Predictions, mask: BoolArray) -> dict[str, Any]:
    labels = rows.label_after[mask]
    found = frame_ap_or_reason(labels, rows.score[mask], protocol)
    if isinstance(found, dict):
        return dict.fromkeys(("ava", "ava_best", "ap", "tied_share", "ava_rescaled", "ap_rescaled"), found)
    base = float(np.mean(labels == 1))
    return {
        "ava": found.ava,
        "ava_best": found.ava_best,
        "ap": found.ap,
        "tied_share": found.tied_share,
        "constant": found.constant,
        "ava_rescaled": measure(lambda: rescaled_ap(found.ava, base)),
        "ap_rescaled": measure(lambda: rescaled_ap(found.ap, base)),
    }


def _drop(before: Measured, after: Measured) -> Measured:
    if isinstance(before, dict):
        return before
    return after if isinstance(after, dict) else before - after


def _synchrony(clean: Predictions, rows: Predictions, mask: BoolArray) -> dict[str, Measured]:
    pair = clean.score[mask], rows.score[mask]
    return {
        "sync_auroc": measure(lambda: sync_auroc(*pair)),
        "sync_winrate": measure(lambda: sync_winrate(*pair)),
    }


def _rates(clean: Predictions, rows: Predictions, condition: Condition, threshold: float) -> dict[str, Measured]:
    # A negative counts for FPR unless the condition itself made it one: "unchanged" speaks of labels here, since a
    # condition such as silence changes the sound of every row.
    counted = (rows.label_after == 1) | own_negatives(rows)
    labels, scores = rows.label_after[counted], rows.score[counted]
    rates = {
        "tpr": measure(lambda: true_positive_rate(labels, scores, threshold)),
        "fpr": measure(lambda: false_positive_rate(labels, scores, threshold)),
        **_operating(rows, rows.label_after != IGNORE, threshold),
    }
    if condition.perturbation is None:
        return rates
    if condition.labels == "keep":
        before = measure(lambda: true_positive_rate(labels, clean.score[counted], threshold))
        rates["tpr_drop"] = _drop(before, rates["tpr"])
    return rates | _changed_rates(clean, rows, rows.paired, threshold) | _voiced_rates(clean, rows, threshold)


def _operating(rows: Predictions, mask: BoolArray, threshold: float) -> dict[str, Measured]:
    labels, scores = rows.label_after[mask], rows.score[mask]
    return {
        "precision": measure(lambda: operating_point(labels, scores, threshold).precision),
        "f1": measure(lambda: operating_point(labels, scores, threshold).f1),
        "balanced_accuracy": measure(lambda: operating_point(labels, scores, threshold).balanced_accuracy),
    }


def _voiced_rates(clean: Predictions, rows: Predictions, threshold: float) -> dict[str, Measured]:
    mask = voiced_pairs(clean, rows)
    if mask is None:
        return {}
    before, after = clean.score[mask], rows.score[mask]
    return {
        "fa_changed_voiced": measure(lambda: positive_share(after, threshold)),
        "retention_voiced": measure(lambda: retention(before, after, threshold)),
    }


def _changed_rates(clean: Predictions, rows: Predictions, mask: BoolArray, threshold: float) -> dict[str, Measured]:
    before, after = clean.score[mask], rows.score[mask]
    inner = mask & inner_rows(rows)
    return {
        "fa_changed": measure(lambda: positive_share(after, threshold)),
        "fa_changed_inner": measure(lambda: positive_share(rows.score[inner], threshold)),
        "tpr_same_rows": measure(lambda: positive_share(before, threshold)),
        "retention": measure(lambda: retention(before, after, threshold)),
    }


def _by_shift(clean: Predictions, rows: Predictions, threshold: float) -> dict[str, Any]:
    """Return the synchrony metrics by sign of the shift and in bands of its size."""
    size, mask = np.abs(rows.shift_ms), rows.paired
    groups = {"late": rows.shift_ms > 0, "early": rows.shift_ms < 0}
    for low, high in SHIFT_BANDS_MS:
        last = high == SHIFT_BANDS_MS[-1][1]
        groups[f"{low}-{high} ms"] = (size >= low) & ((size <= high) if last else (size < high))
    return {
        name: {"rows": int(np.count_nonzero(mask & group))}
        | _changed_rates(clean, rows, mask & group, threshold)
        | _synchrony(clean, rows, mask & group)
        for name, group in groups.items()
    }
