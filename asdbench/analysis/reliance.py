"""What sound and faces contribute to the figures of a run (docs/method.md, section 7)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from asdbench.analysis.conditions import HEADLINE
from asdbench.analysis.intervals import condition_replicates, interval_record, no_intervals
from asdbench.analysis.rows import Figure, RunRows
from asdbench.metrics import combine, measure
from asdbench.metrics.bootstrap import Replicates
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.measured import Measured, is_number
from asdbench.metrics.shapley import Reliance, contributions, reliance
from asdbench.types import IGNORE

COALITIONS = ("both", "video", "audio", "neither")
"""v(AV), v(V), v(A), v(empty): what is left as recorded."""

VARIANTS = {
    "replaced": {"video": "replace_audio", "audio": "replace_faces", "neither": "replace_both"},
    "zeroed": {"video": "silence", "audio": "face_mask", "neither": "silence+face_mask"},
}
"""Coalition to the conditions that make it: those of this name, or of this name and ``#`` and a number."""

MISMATCH = "mismatch@1.00"

_PLACES: dict[str, Figure] = {
    "ava_rescaled": ("ava_rescaled",),
    "balanced_accuracy_rescaled": ("at", HEADLINE, "balanced_accuracy"),
}
_PARTS = ("phi_audio", "phi_video", "interaction")


def section(rows: RunRows, conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the section of ``metrics.json``, ``None`` where the run has no rows for it.

    Args:
        rows: The rows of the run.
        conditions: The conditions of ``metrics.json``, with their point values.
    """
    found: dict[str, Any] = {}
    for variant, names in VARIANTS.items():
        made = _coalitions(rows, names)
        if all(made.values()):
            found[variant] = _variant(rows, conditions, made)
    if MISMATCH in rows.conditions:
        found["synchrony"] = _synchrony(rows, conditions)
    return {"threshold": HEADLINE, "chance": 0.0, **found} if found else None


def _coalitions(rows: RunRows, names: Mapping[str, str]) -> dict[str, list[str]]:
    """Return coalition to its conditions, of which several are several draws."""
    found = {"both": [next(iter(rows.conditions))]}
    for coalition, name in names.items():
        draw = re.compile(rf"{re.escape(name)}(#\d+)?")
        found[coalition] = [each for each in rows.conditions if draw.fullmatch(each)]
    return found


def _variant(
    rows: RunRows, conditions: Sequence[Mapping[str, Any]], made: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    unchanged = {name: _unchanged(rows, name) for each in COALITIONS[1:] for name in made[each]}
    counted = int(np.count_nonzero(rows.counted))
    idle = next((name for name, number in unchanged.items() if number == counted), None)
    figures = {
        figure: _figure(rows, conditions, made, place) if idle is None else _nothing(f"{idle} could change no row.")
        for figure, place in _PLACES.items()
    }
    return {
        "conditions": {coalition: list(names) for coalition, names in made.items()},
        "unchanged": max(unchanged.values()),
        "figures": figures,
    }


def _unchanged(rows: RunRows, name: str) -> int:
    """Rows that count although the condition left them as recorded, for want of a donor."""
    found = rows.read(name)
    return int(np.count_nonzero((found.label_after != IGNORE) & ~found.changed))


def _figure(
    rows: RunRows, conditions: Sequence[Mapping[str, Any]], made: Mapping[str, Sequence[str]], place: Figure
) -> dict[str, Any]:
    """Return values and intervals of one figure: of the coalitions, and of what follows from them."""
    by_name = {condition["name"]: condition["metrics"] for condition in conditions}
    for name in (name for coalition in COALITIONS for name in made[coalition]):
        value: Any = by_name[name]
        for key in place:
            value = value[key]
        if not is_number(value):
            return _nothing(f"{name}: {value['undefined']}")
    parts = {coalition: _mean(rows, made[coalition], place) for coalition in COALITIONS}
    four = [parts[coalition] for coalition in COALITIONS]
    for number, name in enumerate(_PARTS):
        parts[name] = combine(partial(_contribution, number), *four)
    parts["total"] = combine(np.subtract, parts["both"], parts["neither"])
    ends = interval_record(parts["total"])
    point = reliance(*(part.estimate for part in four))
    values: dict[str, Measured] = {name: part.estimate for name, part in parts.items()}
    for number, modality in enumerate(("audio", "video")):
        share = measure(partial(_share, point, ends, number))
        values[f"share_{modality}"] = share
        if is_number(share):
            parts[f"share_{modality}"] = combine(_ratio, parts[f"phi_{modality}"], parts["total"])
    without = bool(no_intervals(rows))
    return {
        "values": values,
        "intervals": {} if without else {name: interval_record(part) for name, part in parts.items()},
    }


def _mean(rows: RunRows, names: Sequence[str], place: Figure) -> Replicates:
    """Mean of a figure over the draws of a coalition, resample by resample, on a scale where chance is 0."""
    draws = [condition_replicates(rows, rows.conditions[name], rows.read(name))[place] for name in names]
    mean = combine(lambda *each: np.mean(each, axis=0), *draws)
    return combine(lambda share: 2 * share - 1, mean) if place[-1] == "balanced_accuracy" else mean


def _synchrony(rows: RunRows, conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Synchrony reliance: the share of detections that somebody else's voice takes away."""
    place = ("at", HEADLINE, "retention")
    metrics = next(condition["metrics"] for condition in conditions if condition["name"] == MISMATCH)
    kept = metrics["at"][HEADLINE]["retention"]
    if not is_number(kept):
        return {"condition": MISMATCH, "value": kept}
    found = condition_replicates(rows, rows.conditions[MISMATCH], rows.read(MISMATCH))[place]
    lost = combine(lambda retention: 1 - retention, found)
    record = {"condition": MISMATCH, "value": lost.estimate}
    return record if no_intervals(rows) else record | {"interval": interval_record(lost)}


def _nothing(reason: str) -> dict[str, Any]:
    names = (*COALITIONS, *_PARTS, "total", "share_audio", "share_video")
    return {"values": {name: {"undefined": reason} for name in names}, "intervals": {}}


def _contribution(number: int, *values: Float64Array) -> Float64Array:
    return contributions(*values)[number]


def _share(point: Reliance, total: Mapping[str, Any], number: int) -> float:
    return point.shares(total["low"], total["high"])[number]


def _ratio(part: Float64Array, whole: Float64Array) -> Float64Array:
    """Shares of a total; NaN where it is 0."""
    shares = np.full(np.shape(whole), np.nan)
    np.divide(part, whole, out=shares, where=np.asarray(whole) != 0)
    return shares
