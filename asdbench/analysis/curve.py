"""The synchrony curve of a model and of the activity floor (docs/method.md, section 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asdbench.analysis.conditions import ONE_SHIFT
from asdbench.analysis.curve_peak import curve_record
from asdbench.analysis.rows import RunRows
from asdbench.metrics.measured import is_number
from asdbench.metrics.synchrony_curve import choose_reach, rows_in_reach
from asdbench.types import IGNORE, BoolArray, Float32Array

LATE_MS, EARLY_MS = 125, -45
"""From where on people detect that sound is late or early."""

MARKS = {"late_ms": LATE_MS, "early_ms": EARLY_MS, "source": "ITU-R BT.1359-1, thresholds of detectability"}

LEAST_OFFSETS = 3
"""Points, the one at 0 among them, that make a curve; a grid is not cut to fewer."""

MODEL, FLOOR = "model", "activity floor"
ALL, VOICED = "all rows", "voiced rows"


@dataclass(frozen=True, eq=False)
class Shifted:
    """Speaking rows under each offset, the clean condition as offset 0.

    Attributes:
        offsets_ms: ``[K]`` increasing.
        scores: ``[K, N]``, NaN in rows that do not count at an offset.
        counted: ``[K, N]``, whether the row's shifted sound is there.
        activity: ``[K, N]`` score of the activity floor; ``None`` where a condition lacks it.
        voiced: ``[K, N]``, whether the sound that the row has is voice; ``None`` where nobody looked.
    """

    offsets_ms: NDArray[np.float64]
    scores: Float32Array
    counted: BoolArray
    activity: Float32Array | None
    voiced: BoolArray | None

    def within(self, reach_ms: float, rows: BoolArray) -> Shifted:
        """Return the offsets up to ``reach_ms`` and some of the rows."""
        grid = np.abs(self.offsets_ms) <= reach_ms

        def cut(table: Any) -> Any:
            return None if table is None else table[grid][:, rows]

        return Shifted(self.offsets_ms[grid], *map(cut, (self.scores, self.counted, self.activity, self.voiced)))


class _Line(NamedTuple):
    """Speaking rows under one offset; the rest of the condition's rows need not stay in memory."""

    score: Float32Array
    counted: BoolArray
    activity: Float32Array | None
    voiced: NDArray[np.int8] | None


@dataclass(frozen=True, eq=False)
class Curves:
    """Chooses the rows of the curves of a run.

    Attributes:
        rows: The rows of the run.
        points: Offset to condition, without the clean one.
    """

    rows: RunRows
    points: Mapping[float, str]

    @cached_property
    def speaking(self) -> NDArray[np.int64]:
        """Rows of the run that speak and count."""
        return np.flatnonzero(self.rows.counted & (self.rows.clean.label == 1))

    @cached_property
    def units(self) -> NDArray[np.int32]:
        """Unit of each speaking row."""
        return self.rows.units.of_row[self.speaking]

    @cached_property
    def shifted(self) -> Shifted:
        """Speaking rows under each offset of the run."""
        names = {0.0: next(iter(self.rows.conditions)), **self.points}
        offsets = sorted(names)
        found = [self._speaking_under(names[offset]) for offset in offsets]
        activity = [each.activity for each in found if each.activity is not None]
        voiced = [each.voiced == 1 for each in found if each.voiced is not None]
        return Shifted(
            np.array(offsets),
            np.stack([each.score for each in found]),
            np.stack([each.counted for each in found]),
            np.stack(activity) if len(activity) == len(found) else None,
            np.stack(voiced) if len(voiced) == len(found) else None,
        )

    def _speaking_under(self, condition: str) -> _Line:
        found, at = self.rows.read(condition), self.speaking
        return _Line(
            found.score[at],
            found.label_after[at] != IGNORE,
            None if found.activity is None else found.activity[at],
            None if found.voiced is None else found.voiced[at],
        )

    def in_reach(self, reach_ms: int) -> BoolArray:
        """``[N]``, speaking rows with real sound at every offset up to ``reach_ms`` and, where known, 0.5 s beyond."""
        grid = np.abs(self.shifted.offsets_ms) <= reach_ms
        there: BoolArray = np.all(self.shifted.counted[grid], axis=0)
        facts, at = self.rows.facts, self.speaking
        if facts is None:
            return there
        times = self.rows.clean.timestamp_ms[at]
        return there & rows_in_reach(times, facts.sound_from_ms[at], facts.sound_to_ms[at], reach_ms)


def section(rows: RunRows, conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the section of ``metrics.json``, ``None`` where the run has no rows for it.

    Args:
        rows: The rows of the run.
        conditions: The conditions of ``metrics.json``, with their point values.
    """
    found = Curves(rows, _points(rows, conditions))
    if len(found.points) + 1 < LEAST_OFFSETS:
        return None
    offsets = np.abs(found.shifted.offsets_ms)
    widest = int(np.ceil(offsets.max()))
    full = found.in_reach(widest)
    reach = min(widest, choose_reach(int(np.count_nonzero(full))))
    if np.count_nonzero(offsets <= reach) < LEAST_OFFSETS:
        reach = widest
    chosen = full if reach == widest else found.in_reach(reach)
    shifted = found.shifted.within(reach, chosen)
    missing = {
        name: reason
        for name, table, reason in (
            (FLOOR, shifted.activity, "the activity floor was not run"),
            (VOICED, shifted.voiced, "voice activity was not looked for"),
        )
        if table is None
    }
    return {
        "reach_ms": reach,
        "cut": {"from_ms": widest, "rows": int(np.count_nonzero(full))} if reach < widest else None,
        "rows": int(np.count_nonzero(chosen)),
        "units": len(np.unique(found.units[chosen])),
        "speaking": len(found.speaking),
        "sound_known": rows.facts is not None,
        "offsets_ms": [float(offset) for offset in shifted.offsets_ms],
        "marks": MARKS,
        "missing": missing,
        "curves": _curves(rows, shifted, found.units[chosen]),
    }


def _points(rows: RunRows, conditions: Sequence[Mapping[str, Any]]) -> dict[float, str]:
    """Return offset to condition for the diagnostics that shift all sound of a track by one time."""
    points: dict[float, str] = {}
    for condition in conditions:
        offset = condition["metrics"].get("offset_ms")
        shifts = (condition["perturbation"] or "").partition("@")[0] in ONE_SHIFT
        if shifts and condition["role"] == "diagnostic" and is_number(offset) and offset:
            points.setdefault(float(offset), condition["name"])
    return points


def _curves(rows: RunRows, shifted: Shifted, units: NDArray[np.int32]) -> list[dict[str, Any]]:
    """Return the curves of the model and of the floor, on all rows and on those voiced at both times.

    Which rows are voiced at their own and at the shifted time differs between offsets, so each offset has rows of its
    own there; rows voiced under *all* offsets would be few, and those in the middle of long speech.
    """
    scored = {MODEL: shifted.scores, FLOOR: shifted.activity}
    masks = {ALL: shifted.counted, VOICED: None}
    if shifted.voiced is not None:
        masks[VOICED] = shifted.voiced & shifted.voiced[shifted.offsets_ms == 0]
    found = []
    for rows_name, mask in masks.items():
        for of, scores in scored.items():
            if mask is None or scores is None:
                continue
            spread = _spread(rows, rows.clean.score if of == MODEL else rows.clean.activity)
            curve = curve_record(rows, shifted.offsets_ms, scores, units, mask)
            found.append({"of": of, "on": rows_name, "spread": spread, **curve})
    return found


def _spread(rows: RunRows, scores: Float32Array | None) -> float | None:
    """Standard deviation of the clean scores that count: the scale on which curves of two models compare."""
    return None if scores is None else float(np.std(scores[rows.counted], dtype=np.float64))
