"""Small runs made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from asdbench.analysis.rows import RunRows
from asdbench.records.facts import RowFacts
from asdbench.records.predictions import Predictions
from asdbench.types import Condition

CLEAN = Condition("clean", role="reference")


def clean_rows(
    videos: int = 6, length: int = 60, speaking: tuple[int, int] = (10, 40), seed: int = 1, **columns: Any
) -> Predictions:
    """One track of frames 40 ms apart per video, speaking within a range, with noisy scores."""
    count = videos * length
    place = np.tile(np.arange(length), videos)
    video = np.repeat([f"v{number:02d}" for number in range(videos)], length).astype(object)
    label = ((place >= speaking[0]) & (place < speaking[1])).astype(np.int8)
    score = np.random.default_rng(seed).normal(size=count) + 2 * label - 1
    rows = Predictions(
        video_id=video,
        entity_id=video,
        source_id=video,
        timestamp_ms=(40 * place).astype(np.int64),
        run=np.where(label == 1, 0, -1).astype(np.int32),
        label=label,
        label_after=label,
        changed=np.zeros(count, dtype=np.bool_),
        eligible=np.ones(count, dtype=np.bool_),
        shift_ms=np.full(count, np.nan, dtype=np.float32),
        score=score.astype(np.float32),
    )
    return replace(rows, **columns)


def facts_of(rows: Predictions, **known: Any) -> RowFacts:
    """Facts of rows with one face at a time, of which nothing else is known unless given."""
    count = len(rows)
    unknown = np.full(count, np.nan)
    found: dict[str, Any] = {
        "faces": np.ones(count, dtype=np.int16),
        "speakers": rows.label.astype(np.int16),
        "face_width_px": unknown.astype(np.float32),
        "sharpness": unknown.astype(np.float32),
        "sound_from_ms": np.zeros(count),
        "sound_to_ms": np.full(count, 1e6),
        "categories": np.full(count, "", dtype=object),
    }
    return RowFacts(**(found | known))


def run_rows(clean: Predictions, facts: RowFacts | None = None, resamples: int = 200, **settings: Any) -> RunRows:
    """A run with the clean condition alone."""
    return RunRows({"clean": CLEAN}, lambda _: clean, facts, resamples=resamples, **settings)
