"""The clean figures on parts of the rows (docs/method.md, section 11)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.analysis.conditions import HEADLINE
from asdbench.analysis.parts import FIGURES, Parts
from asdbench.analysis.rows import RunRows
from asdbench.metrics import face_count_band, face_width_band, offscreen_speech, run_length_band, tercile
from asdbench.metrics.cells import FACE_COUNTS, FACE_WIDTHS, RUN_LENGTHS
from asdbench.records.facts import RowFacts
from asdbench.records.predictions import Predictions
from asdbench.types import BoolArray

_BLUR = ("most blurred third", "middle third", "sharpest third")
_NO_FACTS = "the run has no rows.parquet, for it is of an earlier release"


@dataclass(frozen=True)
class Factor:
    """One way to part the rows.

    Attributes:
        name: Of the factor.
        known: ``[N]``, rows of which it is known to which part they belong.
        parts: Name to mask of its rows; rows may be in several or in none.
        figures: What is measured on each.
        estimated: Whether the parts rest on an estimate, not on annotation.
    """

    name: str
    known: BoolArray
    parts: Mapping[str, BoolArray]
    figures: Sequence[str] = FIGURES
    estimated: bool = False


def section(rows: RunRows, conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the section of ``metrics.json``, ``None`` where the run has no rows for it.

    Args:
        rows: The rows of the run.
        conditions: The conditions of ``metrics.json``, with their point values.
    """
    parts, factors, unknown = Parts(rows), [], {}
    for name, find in _FACTORS.items():
        factor = find(name, rows)
        if isinstance(factor, str):
            unknown[name] = factor
            continue
        cells = [parts.record(part, mask & factor.known, factor.figures) for part, mask in factor.parts.items()]
        left_out = int(np.count_nonzero(rows.counted & ~factor.known))
        factors.append({"name": name, "estimated": factor.estimated, "left_out": left_out, "cells": cells})
    everything = parts.record("all rows", np.ones(len(rows.clean), dtype=np.bool_))
    return {"threshold": HEADLINE, "all": everything, "factors": factors, "unknown": unknown}


def _face_width(name: str, rows: RunRows) -> Factor | str:
    if rows.facts is None:
        return _NO_FACTS
    widths = rows.facts.face_width_px
    known = np.isfinite(widths) & (widths > 0)
    if not known.any():
        return "the data set does not say how wide its pictures or its faces are"
    return Factor(name, known, _banded(known, face_width_band, widths, FACE_WIDTHS))


def _faces(name: str, rows: RunRows) -> Factor | str:
    if rows.facts is None:
        return _NO_FACTS
    known = rows.facts.faces > 0
    return Factor(name, known, _banded(known, face_count_band, rows.facts.faces, FACE_COUNTS))


def _unseen_speech(name: str, rows: RunRows) -> Factor | str:
    if rows.facts is None:
        return _NO_FACTS
    heard = rows.clean.voiced
    if heard is None or not (heard >= 0).any():
        return "voice activity was not looked for"
    # Rows that count have labels 0 and 1; the others are left out anyway.
    labels = np.where(rows.counted, rows.clean.label_after, 0)
    voiced, silent = heard == 1, labels == 0
    unseen = offscreen_speech(labels, voiced, rows.facts.speakers)
    parts = {
        "voice of nobody visible": unseen,
        "voice of another visible face": silent & voiced & ~unseen,
        "no voice": silent & ~voiced,
    }
    return Factor(name, (heard >= 0) | ~silent, parts, ("fpr",), estimated=not rows.voice_annotated)


def _blur(name: str, rows: RunRows) -> Factor | str:
    if rows.facts is None:
        return _NO_FACTS
    known = np.isfinite(rows.facts.sharpness)
    if not (known & rows.counted).any():
        return "the sharpness of the faces was not measured"
    # Thirds of the rows that count, so that each holds about as many.
    known = known & rows.counted
    return Factor(name, known, _banded(known, tercile, rows.facts.sharpness, _BLUR))


def _run_length(name: str, rows: RunRows) -> Factor | str:
    lengths = run_lengths_ms(rows.clean)
    speaking = rows.clean.label == 1
    known = speaking & (lengths > 0)
    return Factor(name, known | ~speaking, _banded(known, run_length_band, lengths, RUN_LENGTHS), ("tpr",))


def _overlap(name: str, rows: RunRows) -> Factor | str:
    if rows.facts is None:
        return _NO_FACTS
    speaking, speakers = rows.clean.label == 1, rows.facts.speakers
    parts = {"speaks alone": speaking & (speakers < 2), "another visible face speaks too": speaking & (speakers >= 2)}
    return Factor(name, np.ones(len(rows.clean), dtype=np.bool_), parts, ("tpr",))


def _categories(name: str, rows: RunRows) -> Factor | str:
    if rows.facts is None:
        return _NO_FACTS
    masks = category_masks(rows.facts)
    if not masks:
        return "the data set has no categories"
    return Factor(name, np.logical_or.reduce(list(masks.values())), masks)


def category_masks(facts: RowFacts) -> dict[str, BoolArray]:
    """Return category to mask of its rows, sorted by name; a row may have several.

    Args:
        facts: The facts of a run's rows.
    """
    texts, of_row = np.unique(facts.categories.astype(np.str_), return_inverse=True)
    sets = [set(str(text).split("|")) - {""} for text in texts]
    names = sorted(set().union(*sets))
    return {name: np.array([name in each for each in sets], dtype=np.bool_)[of_row.reshape(-1)] for name in names}


def run_lengths_ms(rows: Predictions) -> NDArray[np.float64]:
    """Return the length of the speaking run of each row, its last frame's period included; 0 outside of runs.

    The frame period is the median distance of the frames of the row's track.

    Args:
        rows: Rows sorted by key.
    """
    starts = rows.run_starts
    counts = np.diff([*starts, len(rows)])
    times = rows.timestamp_ms.astype(np.float64)
    length = times[starts + counts - 1] - times[starts] + _periods(rows)[starts]
    lengths: NDArray[np.float64] = np.repeat(np.where(rows.run[starts] >= 0, length, 0.0), counts)
    return lengths


def _periods(rows: Predictions) -> NDArray[np.float64]:
    fresh = (rows.video_id[1:] != rows.video_id[:-1]) | (rows.entity_id[1:] != rows.entity_id[:-1])
    first = np.concatenate([[0], np.flatnonzero(fresh) + 1]) if len(rows) else np.zeros(0, dtype=np.int64)
    stops = [*first[1:], len(rows)]
    period = [
        float(np.median(np.diff(rows.timestamp_ms[start:stop]))) if stop - start > 1 else 0.0
        for start, stop in zip(first, stops, strict=True)
    ]
    return np.repeat(np.array(period, dtype=np.float64), np.diff([*first, len(rows)]))


def _banded(
    known: BoolArray, band: Callable[[Any], NDArray[np.int8]], values: NDArray[Any], names: Sequence[str]
) -> dict[str, BoolArray]:
    bands = np.full(len(known), -1, dtype=np.int8)
    bands[known] = band(values[known])
    return {name: bands == number for number, name in enumerate(names)}


_FACTORS: dict[str, Callable[[str, RunRows], Factor | str]] = {
    "face width": _face_width,
    "faces at the moment": _faces,
    "off-screen speech": _unseen_speech,
    "blur": _blur,
    "run length": _run_length,
    "overlap": _overlap,
    "category": _categories,
}
