"""The protocols that rank rows, on files: what each needs, and its lines (docs/protocols.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from asdbench.analysis.file_inputs import Inputs, NotGivenError, Scored
from asdbench.analysis.scored import ALL, laser_line, negative_line, person_lines, precision_line, sample_line, scored
from asdbench.data.unitalk import read_ids
from asdbench.errors import DataError
from asdbench.metrics import resampling_units
from asdbench.protocols.columbia_f1 import VIDEO_FPS, person_calls
from asdbench.protocols.columbia_files import read_people, read_tracks
from asdbench.protocols.unitalk import SUBCATEGORIES
from asdbench.protocols.wasd import category_videos, read_division
from asdbench.types import BoolArray

_DIVISIONS = ("dataset_division.txt", "eval/dataset_division.txt", "csv/dataset_division.txt")


def ava(inputs: Inputs) -> dict[str, Any]:
    """AP with envelope of AVA rows, and without beside it."""
    inputs.require("rows")
    if inputs.protocol == "ego4d-ava":
        raise NotGivenError("the rows are Ego4D's, for which the rule is called ego4d-ava")
    data = inputs.joined()
    return scored("ava", [inputs.whole], data.rows.notes, data.sample)


def ap(inputs: Inputs) -> dict[str, Any]:
    """AP without envelope of any labelled rows."""
    inputs.require("rows", "samples", "annotation")
    data = inputs.joined()
    line, kept = inputs.whole, ("ap", "tied_share", "constant")
    parts = {part: {key: line[part][key] for key in kept if key in line[part]} for part in ("metrics", "intervals")}
    return scored("ap", [{**line, **parts}], data.rows.notes, data.sample)


def wasd(inputs: Inputs) -> dict[str, Any]:
    """AP with envelope of each category of WASD, and of all rows."""
    inputs.require("rows")
    path = inputs.division(*_DIVISIONS)
    if path is None or path.is_dir():
        raise NotGivenError("it needs WASD's dataset_division.txt; add --division FILE")
    division = read_division(path)
    data = inputs.joined()
    members = category_videos(data.rows.truth.videos, division)
    return _by_videos("wasd", data, members, [*data.rows.notes, *division.notes])


def unitalk(inputs: Inputs) -> dict[str, Any]:
    """AP with envelope of each list of UniTalk, and of all rows."""
    inputs.require("rows")
    folder = inputs.division("sub_categories")
    if folder is None or not folder.is_dir():
        raise NotGivenError("it needs the folder of UniTalk's lists, test_<category>.csv; add --division FOLDER")
    data = inputs.joined()
    lists = {name: folder / f"test_{name}.csv" for name in SUBCATEGORIES}
    missing = [path.name for path in lists.values() if not path.is_file()]
    if missing:
        raise DataError(f"{folder}: {', '.join(missing)} is missing; expected the four lists of UniTalk.")
    ids = {name: read_ids(path) for name, path in lists.items()}
    videos = data.rows.truth.videos
    members = {name: np.array([video in chosen for video in videos], np.bool_) for name, chosen in ids.items()}
    return _by_videos("unitalk", data, members, data.rows.notes)


def _by_videos(name: str, data: Scored, members: Mapping[str, BoolArray], notes: Sequence[str]) -> dict[str, Any]:
    rows = data.rows
    lines = []
    for part, videos in members.items():
        here = rows.of_videos(videos)
        lines.append(precision_line(part, rows.positive[here], rows.score[here], data.unit[here], data.sample))
    lines.append(precision_line(ALL, rows.positive, rows.score, data.unit, data.sample))
    outside = int(np.count_nonzero(~rows.of_videos(np.logical_or.reduce(list(members.values())))))
    more = [f"{outside:,} rows are of videos that no list names; they count in the whole alone."] if outside else []
    return scored(name, lines, [*notes, *more], data.sample)


def asw(inputs: Inputs) -> dict[str, Any]:
    """AP without envelope, AUROC and equal error rate of ASW's samples."""
    inputs.require("samples")
    data = inputs.joined()
    left_out = int(np.count_nonzero(~inputs.truth.counted))
    notes = [f"{left_out:,} samples with eval 0 are left out."] if left_out else []
    line = sample_line(data.rows.positive, data.rows.score, data.unit, data.sample)
    return scored("asw", [line], notes, data.sample)


def columbia(inputs: Inputs) -> dict[str, Any]:
    """F1 of Columbia's people."""
    inputs.require("people")
    calls = person_calls(read_people(inputs.request.labels), read_tracks(inputs.request.predictions))
    people = np.repeat(list(calls), [len(each.frame) for each in calls.values()])
    times = np.concatenate([each.frame for each in calls.values()]) * (1000 // VIDEO_FPS)
    units = resampling_units(np.full(len(people), "film"), times)
    sample = inputs.sample(units)
    of_person = {name: units.of_row[people == name] for name in calls}
    return scored("columbia-f1", person_lines(calls, of_person, sample), (), sample)


def tnr(inputs: Inputs) -> dict[str, Any]:
    """The share of changed rows called not speaking, beside the clean recall."""
    inputs.require("rows")
    threshold, clean = inputs.threshold(), inputs.clean()
    data = inputs.joined()
    labels = (clean.positive, clean.score, data.unit)
    speaking = data.rows.positive
    lines = [
        negative_line(ALL, (data.rows.score, data.unit), labels, threshold, data.sample),
        negative_line(
            "rows that speak", (data.rows.score[speaking], data.unit[speaking]), labels, threshold, data.sample
        ),
    ]
    return scored("tnr", lines, _scale_notes(inputs, data), data.sample)


def laser(inputs: Inputs) -> dict[str, Any]:
    """LASER's three shares."""
    inputs.require("rows")
    threshold = inputs.threshold()
    data = inputs.joined(decided=True)
    line = laser_line(data.rows.label, data.rows.score, threshold, data.unit, data.sample)
    notes = _scale_notes(inputs, data)
    if inputs.truth.binary:
        notes.append("labels of 0 and 1 count SPEAKING_NOT_AUDIBLE as not talking; with LASER's own no call is right.")
    return scored("laser", [line], notes, data.sample)


def _scale_notes(inputs: Inputs, data: Scored) -> list[str]:
    score = data.rows.score
    within = inputs.request.scale == "logit" and bool(((score >= 0) & (score <= 1)).all())
    more = ["all scores lie within 0 and 1: were they probabilities, the threshold would be another."] if within else []
    return [*data.rows.notes, *more]
