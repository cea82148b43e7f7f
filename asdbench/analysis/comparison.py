"""Two runs on the same rows: every figure's difference on the same resamples (docs/method.md, section 10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from asdbench.analysis.conditions import HEADLINE, condition_metrics, row_counts, value_of
from asdbench.analysis.intervals import condition_replicates, interval_record, no_intervals, units_record
from asdbench.analysis.resampled import CLEAN_AVA, ConditionFigures
from asdbench.analysis.rows import Figure, RunRows
from asdbench.errors import NotComparableError
from asdbench.metrics import combine, interval, verdict, win_tie_loss
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.measured import Measured
from asdbench.records.predictions import Predictions
from asdbench.types import Condition

_PRECISION = ("ava", "ap", "ava_rescaled", "ap_rescaled")
_RATES = ("tpr", "precision", "f1", "balanced_accuracy")
_HIGHER = {*_PRECISION, *_RATES}
_LOWER = {"ap_drop", "fpr", "tpr_drop"}
_REACTION = {
    "sync_auroc": 1, "sync_winrate": 1, "fa_changed": -1, "fa_changed_voiced": -1, "retention": -1,
    "retention_voiced": -1,
}  # fmt: skip
"""What says how a model reacts to sound of which it should no longer believe that it belongs to the lips."""

TOP_FIGURES = (*_PRECISION, "ap_drop", "sync_auroc", "sync_winrate")
"""The figures that need no threshold."""

AT_FIGURES = (
    "tpr", "fpr", "fa_changed", "fa_changed_voiced", "tpr_same_rows", "retention", "retention_voiced", "tpr_drop",
    "precision", "f1", "balanced_accuracy",
)  # fmt: skip
"""Those at each threshold."""

_OPPOSITE = {"better": "worse", "worse": "better"}


def better_direction(condition: Condition, figure: str) -> int:
    """Return 1 where more of a figure is better, -1 where less is, and 0 where neither is (docs/method.md, section 5).

    Args:
        condition: The condition; a diagnostic has no better direction, and a control only says how far to trust others:
            it should move no figure, up or down.
        figure: Its key in ``metrics``, or in one threshold's part of them.
    """
    if condition.role in ("diagnostic", "control"):
        return 0
    if figure in _REACTION and condition.labels != "negative":
        return 0
    return usual_direction(figure)


def usual_direction(figure: str) -> int:
    """Return the better direction of a figure where it has one: 1 for more, -1 for less, 0 for neither.

    Args:
        figure: Its key, as for `better_direction`, which also looks at the condition.
    """
    return _REACTION.get(figure, int(figure in _HIGHER) - int(figure in _LOWER))


def compare_runs(a: RunRows, b: RunRows) -> dict[str, Any]:
    """Compare run B with run A, figure by figure, on the same resamples of the same recordings.

    Both runs draw as A does: number and seed of the resamples are A's.

    Args:
        a: The rows of the run that is compared with, *old*.
        b: The rows of the run that is compared, *new*.

    Returns:
        ``units`` and ``rows`` of the clean condition (as in ``metrics.json``), ``headline``, ``conditions`` and
        ``left_out`` (names of the conditions that only one run has). A condition has ``name``, ``perturbation``,
        ``proportion``, ``labels``, ``role`` and ``figures``: the tree of its ``metrics`` (``figures["ava"]``,
        ``figures["at"]["tpr:0.9"]["retention"]``), with a record per figure::

            {"old": 0.61, "new": 0.32, "difference": -0.29,      # or {"undefined": reason}
             "interval": {"low": -0.35, "high": -0.22, "bca_low": ..., "bca_high": ..., "reason": ""},
             "better": "lower",                                   # "higher", or None where neither is better
             "sources": {"wins": 12, "ties": 0, "losses": 1},     # of B; None where neither is better
             "separable": True,                                   # None without an interval
             "verdict": "better"}                                 # "worse", "not separable", or None

        ``interval`` is ``None`` where the difference is undefined or the data have too few units. ``separable`` says
        whether it excludes 0; ``verdict`` also needs a better direction.

    Raises:
        NotComparableError: The runs differ in protocol, rows, or in what was changed.
    """
    if a.protocol != b.protocol:
        raise NotComparableError(
            f"the runs differ in protocol ({a.protocol} and {b.protocol}), so their numbers mean different things."
        )
    require_same_rows(a.clean, b.clean, next(iter(a.conditions)))
    if (a.resamples, a.seed) != (b.resamples, b.seed):
        b = replace(b, resamples=a.resamples, seed=a.seed)
    shared = [name for name in a.conditions if name in b.conditions]
    return {
        "units": units_record(a),
        "rows": row_counts(a.clean),
        "headline": HEADLINE,
        "conditions": [_compared(a, b, a.conditions[name]) for name in shared],
        "left_out": sorted(set(a.conditions) ^ set(b.conditions)),
    }


def find_figure(comparison: Mapping[str, Any], condition: str, figure: str) -> dict[str, Any] | None:
    """Return the record of a figure, rates at the headline threshold; ``None`` where it was not compared.

    Args:
        comparison: From `compare_runs`.
        condition: Name of a condition.
        figure: Such as ``ava`` or ``retention``.
    """
    for each in comparison["conditions"]:
        if each["name"] == condition:
            tree = each["figures"]
            found: dict[str, Any] | None = tree.get(figure, tree["at"][comparison["headline"]].get(figure))
            return found
    return None


def require_same_rows(old: Predictions, new: Predictions, condition: str) -> None:
    """Refuse rows that differ in anything but what the models made of them.

    Args:
        old: The rows of one run under a condition.
        new: Those of the other.
        condition: Its name, for the message.

    Raises:
        NotComparableError: They differ in their rows, in labels, or in what was changed.
    """
    if len(old) != len(new):
        raise NotComparableError(
            f"the runs differ in their rows: {len(old):,} and {len(new):,} under {condition!r}; score both on the same "
            "tracks of one data set (skipped.csv says which were skipped)."
        )
    for columns, what in (
        (("video_id", "entity_id", "timestamp_ms", "source_id"), "their rows"),
        (("label",), "the labels"),
        (("changed", "eligible", "label_after"), "what was changed"),
    ):
        differing = [name for name in columns if not np.array_equal(getattr(old, name), getattr(new, name))]
        if differing:
            raise NotComparableError(
                f"the runs differ in {what} under {condition!r} (column {differing[0]}); compare runs of one plan on "
                "one data set."
            )


def _compared(a: RunRows, b: RunRows, condition: Condition) -> dict[str, Any]:
    sides = [_Side(rows, condition) for rows in (a, b)]
    require_same_rows(sides[0].predictions, sides[1].predictions, condition.name)
    tree: dict[str, Any] = {"at": {name: {} for name in a.thresholds}}
    for figure in _figures(a):
        old, new = (side.value(figure) for side in sides)
        if old is None or new is None:
            continue
        branch = tree if len(figure) == 1 else tree["at"][figure[1]]
        branch[figure[-1]] = _difference(figure, (old, new), sides, better_direction(condition, figure[-1]), a)
    return {
        "name": condition.name,
        "perturbation": condition.perturbation,
        "proportion": condition.proportion,
        "labels": condition.labels,
        "role": condition.role,
        "figures": tree,
    }


def _figures(rows: RunRows) -> Iterator[Figure]:
    yield from ((name,) for name in TOP_FIGURES)
    yield from (("at", threshold, name) for threshold in rows.thresholds for name in AT_FIGURES)


class _Side:
    """One run under one condition."""

    def __init__(self, rows: RunRows, condition: Condition) -> None:
        clean = next(iter(rows.conditions))
        self.predictions = rows.clean if condition.name == clean else rows.read(condition.name)
        self._metrics = condition_metrics(rows.clean, self.predictions, condition, rows.thresholds, rows.protocol)
        self.replicates = condition_replicates(rows, condition, self.predictions)
        self.alone = _alone(rows, condition, self.predictions)

    def value(self, figure: Figure) -> Measured | None:
        found: Any = self._metrics
        for key in figure:
            found = found.get(key) if isinstance(found, Mapping) else None
        measured: Measured | None = found
        return measured


def _alone(rows: RunRows, condition: Condition, predictions: Predictions) -> dict[Figure, Float64Array]:
    """Return every figure on each unit alone, at the thresholds of the whole run; ``[C]``, NaN where it has none."""
    each = np.eye(rows.units.count, dtype=np.int64)
    limits = {name: np.full(rows.units.count, limit) for name, limit in rows.thresholds.items()}
    found = ConditionFigures(rows, condition, predictions).at(each, limits)
    before = found.pop(CLEAN_AVA, None)
    if condition.perturbation is not None and condition.labels == "keep" and ("ava",) in found:
        if before is None:
            clean = next(iter(rows.conditions.values()))
            before = ConditionFigures(rows, clean, rows.clean).at(each, {})["ava",]
        found["ap_drop",] = before - found["ava",]
    return found


def _difference(
    figure: Figure, values: tuple[Measured, Measured], sides: list[_Side], direction: int, rows: RunRows
) -> dict[str, Any]:
    old, new = values
    before, after = value_of(old), value_of(new)
    record: dict[str, Any] = {
        "old": old,
        "new": new,
        "difference": _reason(old, new) if before is None or after is None else after - before,
        "interval": None,
        "better": {1: "higher", -1: "lower", 0: None}[direction],
        "sources": _sources(figure, sides, direction),
        "separable": None,
        "verdict": None,
    }
    parts = [side.replicates.get(figure) for side in sides]
    if before is None or after is None or no_intervals(rows) or parts[0] is None or parts[1] is None:
        return record
    difference = combine(np.subtract, parts[1], parts[0])
    found = verdict(interval(difference))
    record["interval"] = interval_record(difference)
    record["separable"] = None if found is None else found != "not separable"
    if found is not None and direction:
        record["verdict"] = _OPPOSITE.get(found, found) if direction < 0 else found
    return record


def _reason(old: Measured, new: Measured) -> Measured:
    return new if isinstance(new, dict) else old


def _sources(figure: Figure, sides: list[_Side], direction: int) -> dict[str, int] | None:
    old, new = (side.alone.get(figure) for side in sides)
    if not direction or old is None or new is None:
        return None
    wins, ties, losses = win_tie_loss(direction * new, direction * old)
    return {"wins": wins, "ties": ties, "losses": losses}
