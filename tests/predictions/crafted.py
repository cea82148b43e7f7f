"""Rows of two short tracks, and prediction files for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from asdbench.records.predictions import Predictions

VIDEO, ENTITIES = "film", ("film_0:1", "film_0:2")
HEADER = "video_id,frame_timestamp,entity_box_x1,entity_box_y1,entity_box_x2,entity_box_y2,label,entity_id,score"


def crafted_rows(frames: int = 3) -> Predictions:
    """Rows at 0, 40, 80 ms of two faces; the first speaks."""
    count = 2 * frames
    false = np.zeros(count, np.bool_)
    label = np.repeat(np.array([1, 0], np.int8), frames)
    return Predictions(
        video_id=np.full(count, VIDEO, object),
        entity_id=np.repeat(np.array(ENTITIES, object), frames),
        source_id=np.full(count, VIDEO, object),
        timestamp_ms=np.tile(np.arange(frames) * 40, 2).astype(np.int64),
        run=np.where(label == 1, 0, -1).astype(np.int32),
        label=label,
        label_after=label.copy(),
        changed=false,
        eligible=~false,
        shift_ms=np.full(count, np.nan, np.float32),
        score=np.full(count, np.nan, np.float32),
    )


def lines_of(rows: Predictions, scores: list[object] | None = None) -> list[str]:
    """Return the official rows, no header; the scores count upwards without any."""
    values = scores or [i / 10 for i in range(len(rows))]
    return [
        f"{rows.video_id[i]},{rows.timestamp_ms[i] / 1000:.2f},0.1,0.2,0.3,0.4,SPEAKING_AUDIBLE,{rows.entity_id[i]},{v}"
        for i, v in enumerate(values)
    ]


def write(path: Path, lines: list[str], header: str | None = HEADER) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(([header] if header else []) + lines) + "\n")
    return path
