"""The numbers of the protocol that belongs to the data set, beside AP, and LASER's share of frames called silent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.analysis.rows import RunRows
from asdbench.analysis.scored import ALL, Line, Sample, negative_line, person_lines, precision_line, sample_line, scored
from asdbench.metrics import FIXED_HALF
from asdbench.metrics.inputs import Float64Array
from asdbench.protocols.columbia_f1 import PersonCalls, smoothed
from asdbench.protocols.unitalk import SUBCATEGORIES
from asdbench.protocols.wasd import CATEGORIES
from asdbench.types import IGNORE, BoolArray

_CATEGORIES = {"wasd": tuple(CATEGORIES), "unitalk": SUBCATEGORIES}
_LASER = "laser_shift"
_OWN_FACES = (
    "of the labelled faces themselves, where published results have a detector's; a picture with two labels counts "
    "once, and not at all where they differ."
)


def section(rows: RunRows, conditions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
    """Return the section of ``metrics.json``, ``None`` where the run has no rows for it.

    Args:
        rows: The rows of the run.
        conditions: The conditions of ``metrics.json``, with their point values.
    """
    sample = Sample(rows.units, rows.resamples, rows.seed)
    found = [each for each in (_own(rows, sample), _laser(rows, sample)) if each is not None]
    return found or None


def _own(rows: RunRows, sample: Sample) -> dict[str, Any] | None:
    if rows.protocol in _CATEGORIES:
        return _by_category(rows, sample)
    labels, scores, unit = _counted(rows)
    if rows.protocol == "asw":
        return scored("asw", [sample_line(labels, scores, unit, sample)])
    return _people(rows, sample) if rows.protocol == "columbia-f1" else None


def _counted(rows: RunRows) -> tuple[NDArray[np.int8], Float64Array, NDArray[np.int32]]:
    kept = rows.counted
    return rows.clean.label_after[kept], rows.clean.score[kept].astype(np.float64), rows.units.of_row[kept]


def _by_category(rows: RunRows, sample: Sample) -> dict[str, Any] | None:
    if rows.facts is None or not rows.facts.categories.any():
        return None
    labels, scores, unit = _counted(rows)
    named, of_row = np.unique(rows.facts.categories[rows.counted].astype(np.str_), return_inverse=True)
    lines: list[Line] = []
    everywhere = np.zeros(len(labels), dtype=np.bool_)
    for category in _CATEGORIES[rows.protocol]:
        here: BoolArray = np.array([category in name.split("|") for name in named])[of_row.reshape(-1)]
        everywhere |= here
        lines.append(precision_line(category, labels[here], scores[here], unit[here], sample))
    lines.append(precision_line(ALL, labels, scores, unit, sample))
    outside = int(np.count_nonzero(~everywhere))
    notes = [f"{outside:,} rows are in none of the categories; they count in the whole alone."] if outside else []
    return scored(rows.protocol, lines, notes)


def _people(rows: RunRows, sample: Sample) -> dict[str, Any] | None:
    called: dict[str, list[tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.int32]]]] = {}
    for track in _tracks(rows):
        person = str(rows.clean.entity_id[track.start]).partition(":")[0]
        scores = smoothed(rows.clean.score[track].astype(np.float64), track.stop - track.start)
        kept = rows.counted[track]
        speaks = rows.clean.label_after[track][kept] == 1
        called.setdefault(person, []).append((np.round(scores, 2)[kept] > 0, speaks, rows.units.of_row[track][kept]))
    calls, units = {}, {}
    for person, parts in sorted(called.items()):
        calls_of, speaking, unit = (np.concatenate([part[column] for part in parts]) for column in range(3))
        if len(unit):
            calls[person] = PersonCalls(np.arange(len(unit)), calls_of.astype(np.bool_), speaking.astype(np.bool_))
            units[person] = unit.astype(np.int32)
    return scored("columbia-f1", person_lines(calls, units, sample), [_OWN_FACES]) if calls else None


def _tracks(rows: RunRows) -> Iterator[slice]:
    clean = rows.clean
    fresh = (clean.video_id[1:] != clean.video_id[:-1]) | (clean.entity_id[1:] != clean.entity_id[:-1])
    starts = [0, *(np.flatnonzero(fresh) + 1).tolist(), len(clean)]
    yield from (slice(start, stop) for start, stop in pairwise(starts))


def _laser(rows: RunRows, sample: Sample) -> dict[str, Any] | None:
    clean = _counted(rows)
    lines = []
    for condition, changed in rows.others():
        if (condition.perturbation or "").partition("@")[0] != _LASER:
            continue
        for part, mask in (
            (condition.name, changed.label_after != IGNORE),
            (f"{condition.name}, speaking", changed.paired),
        ):
            pair = changed.score[mask].astype(np.float64), rows.units.of_row[mask]
            lines.append(negative_line(part, pair, clean, FIXED_HALF, sample))
    return scored("tnr", lines) if lines else None
