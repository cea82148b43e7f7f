"""Ego4D's two protocols on files: annotated faces ranked, and detected ones (docs/protocols.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.analysis.file_inputs import Inputs, NotGivenError
from asdbench.analysis.scored import ALL, detection_line, precision_line, scored
from asdbench.data.ego4d_clips import FRAME_RATE
from asdbench.errors import DataError
from asdbench.metrics import resampling_units
from asdbench.metrics.units import Units
from asdbench.protocols.ego4d_files import Boxes
from asdbench.protocols.ego4d_map50 import rank_detections

_SHOWN = 5


def ego4d_ava(inputs: Inputs, named: bool) -> dict[str, Any]:
    """AP with envelope of annotated faces, and without beside it.

    Args:
        inputs: The files.
        named: Whether the protocol was asked for by name: nothing else tells AVA rows of Ego4D from others.
    """
    if inputs.kind == "rows" and not named and inputs.protocol != "ego4d-ava":
        raise NotGivenError("the rows are not known to be Ego4D's; name the protocol if they are")
    inputs.require("rows", "annotation", "boxes")
    if not inputs.scores_are_boxes:
        _require_boxes(inputs)
        data = inputs.joined()
        return scored("ego4d-ava", [inputs.whole], data.rows.notes, data.sample)
    truth, given = inputs.labelled_boxes, inputs.detections
    place = _same_faces(truth, given)
    units = _box_units(truth)
    sample = inputs.sample(units)
    line = precision_line(ALL, _speaking(truth), _scores(given)[place], units.of_row, sample)
    return scored("ego4d-ava", [line], (), sample)


def map50(inputs: Inputs) -> dict[str, Any]:
    """The official mAP@0.5 over detected faces."""
    inputs.require("boxes", "annotation")
    truth = inputs.labelled_boxes
    numbers = truth.numbers or {clip: number for number, clip in enumerate(truth.clips)}
    if inputs.scores_are_boxes:
        given = inputs.detections
        notes = _check_clips(truth, given)
        if given.outside:
            notes.append(f"{given.outside:,} detections are at frames that no clip has, and are left out.")
        numbers = given.numbers if set(truth.clips) <= set(given.numbers) else numbers
        faces, scores = given.faces(numbers), _scores(given)
    else:
        _require_boxes(inputs)
        faces, scores = inputs.annotation.row_boxes.faces(numbers), inputs.joined().rows.score
        notes = ["the detections are the annotated boxes that were scored; those that no track holds count as missed."]
    ranked = rank_detections(truth.faces(numbers, _speaking(truth) == 1), faces, scores)
    names, of_clip = np.unique([truth.sources.get(clip, clip) for clip in truth.clips], return_inverse=True)
    unit_of_clip = np.zeros(max(numbers.values()) + 1, dtype=np.int64)
    unit_of_clip[[numbers[clip] for clip in truth.clips]] = of_clip.reshape(-1)
    boxes = np.concatenate([ranked.clip, ranked.speaking_clip])
    sample = inputs.sample(Units("source", tuple(map(str, names)), unit_of_clip[boxes].astype(np.int32)))
    return scored("ego4d-map50", [detection_line(ranked, unit_of_clip, sample)], notes, sample)


def _require_boxes(inputs: Inputs) -> None:
    if inputs.kind == "boxes":
        raise NotGivenError("the labels are boxes by clip and frame, and the scores those of rows")


def _speaking(boxes: Boxes) -> NDArray[np.int8]:
    return np.zeros(0, np.int8) if boxes.speaking is None else boxes.speaking.astype(np.int8)


def _scores(boxes: Boxes) -> NDArray[np.float64]:
    return np.zeros(0) if boxes.score is None else boxes.score


def _box_units(boxes: Boxes) -> Units:
    sources = np.array([boxes.sources.get(clip, clip) for clip in boxes.clips])[boxes.clip]
    clips = np.array(boxes.clips)[boxes.clip]
    return resampling_units(sources, boxes.frame * 1000 // FRAME_RATE, clips)


def _same_faces(truth: Boxes, given: Boxes) -> NDArray[np.int64]:
    """Return the place of the score of each annotated face; the same clips, frames and tracks must be there."""
    wanted, found = truth.keys(), given.keys()
    place = {key: number for number, key in enumerate(found)}
    missing, known = [key for key in wanted if key not in place], set(wanted)
    extra = [key for key in found if key not in known]
    problems = (
        (missing, "annotated faces have no score"),
        (extra, "scores are of no annotated face"),
        ([key for key, many in Counter(wanted).items() if many > 1], "faces are annotated twice"),
        ([key for key, many in Counter(found).items() if many > 1], "faces have two scores"),
    )
    parts = [f"{len(keys):,} {what}, the first {_faces(keys)}" for keys, what in problems if keys]
    if parts:
        raise NotGivenError(f"it ranks the annotated faces, and {', and '.join(parts)}")
    return np.array([place[key] for key in wanted], dtype=np.int64)


def _faces(keys: Sequence[tuple[str, int, str]]) -> str:
    return ", ".join(f"{face} at frame {frame} of clip {clip}" for clip, frame, face in keys[:_SHOWN])


def _check_clips(truth: Boxes, given: Boxes) -> list[str]:
    unknown = sorted(set(given.clips) - set(truth.clips))
    if unknown:
        raise DataError(
            f"{given.name}: {len(unknown)} clips are not in {truth.name}, the first {', '.join(unknown[:_SHOWN])}; if "
            "they are numbers, put the list v.txt beside the scores."
        )
    silent = sorted(set(truth.clips) - set(given.clips))
    if not silent:
        return []
    shown = ", ".join(silent[:_SHOWN])
    return [f"{len(silent)} clips have no detection, and their faces count as missed, the first {shown}."]
