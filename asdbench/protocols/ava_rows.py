"""Labels and predictions in the AVA form, joined by key: (video, entity, time in ms), never by position.

The official scorer joins by the text of the time and the entity, drops what does not match without a word, and fails on
files that are sound. ``join_rows`` matches or refuses, and notes where the official scorer would have done otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asdbench.errors import DataError
from asdbench.types import BoolArray

BOX_TOLERANCE = 1e-9
"""Largest difference of a box coordinate between labels and predictions, as in the official scorer."""

SHOWN = 5
"""Keys that a message lists."""

NOT_SPEAKING, SPEAKING_AUDIBLE, SPEAKING_NOT_AUDIBLE, UNLABELLED = 0, 1, 2, 3
LABELS = {
    "NOT_SPEAKING": NOT_SPEAKING,
    "SPEAKING_AUDIBLE": SPEAKING_AUDIBLE,
    "SPEAKING_NOT_AUDIBLE": SPEAKING_NOT_AUDIBLE,
    "": UNLABELLED,
}
"""Label text to code; rows without a label are negatives for the official scorer, and counted."""

_MS_BITS = 34


@dataclass(frozen=True, eq=False)
class AvaRows:
    """One file of rows.

    Attributes:
        name: What messages call it, such as its path.
        videos: Names; ``video`` are indices into them.
        entities: Names; ``entity`` are indices into them.
        video: ``[N]`` int32.
        entity: ``[N]`` int32.
        seconds: ``[N]`` float64, times as they were written.
        boxes: Left, top, right, bottom, each ``[N]`` float64; empty where there are none.
        label: ``[N]`` int8, see ``LABELS``; for predictions what their label column says.
        score: ``[N]`` float64 for predictions, ``None`` for labels.
        header: Whether the file had a header line.
    """

    name: str
    videos: tuple[str, ...]
    entities: tuple[str, ...]
    video: NDArray[np.int32]
    entity: NDArray[np.int32]
    seconds: NDArray[np.float64]
    boxes: tuple[NDArray[np.float64], ...]
    label: NDArray[np.int8]
    score: NDArray[np.float64] | None = None
    header: bool = False

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.video)

    @property
    def milliseconds(self) -> NDArray[np.int64]:
        """``[N]`` times in whole milliseconds: what rows are matched on."""
        return np.rint(self.seconds * 1000).astype(np.int64)

    def show(self, rows: NDArray[np.intp]) -> str:
        """Return the keys of the first of the rows, for messages."""
        keys = (
            f"{self.entities[self.entity[row]]} of {self.videos[self.video[row]]} at {self.seconds[row]:.3f} s"
            for row in rows[:SHOWN]
        )
        return "; ".join(keys)


@dataclass(frozen=True, eq=False)
class JoinedRows:
    """Rows with label and score, in the order of the labels.

    Attributes:
        truth: The file of labels.
        label: ``[N]`` int8, see ``LABELS``.
        score: ``[N]`` float64, finite.
        notes: Where the official scorer would not give the number of these rows, one sentence each.
    """

    truth: AvaRows
    label: NDArray[np.int8]
    score: NDArray[np.float64]
    notes: tuple[str, ...]

    @property
    def positive(self) -> BoolArray:
        """``[N]`` bool: speaking and audible."""
        result: BoolArray = self.label == SPEAKING_AUDIBLE
        return result

    def of_videos(self, chosen: NDArray[np.bool_]) -> BoolArray:
        """Return ``[N]`` bool, the rows of some videos; ``chosen`` is ``[number of videos]`` bool."""
        result: BoolArray = chosen[self.truth.video]
        return result


def join_rows(truth: AvaRows, predictions: AvaRows, *, decided: bool = False) -> JoinedRows:
    """Give every labelled row its score.

    Args:
        truth: The labels.
        predictions: The scores.
        decided: Whether the label column of the predictions may hold decisions, as LASER's files do. It is never used.

    Raises:
        DataError: A file has no rows, no scores, non-finite scores or duplicate keys; a row of one has no partner in
            the other; a box differs; or a prediction is labelled otherwise than SPEAKING_AUDIBLE (unless ``decided``).
            Each with the count and the first five.
    """
    for rows in (truth, predictions):
        if not len(rows):
            raise DataError(f"{rows.name}: no rows; give one row per labelled face and time.")
    score = _check_scores(predictions, decided)
    same = truth.video, truth.entity, truth.milliseconds
    theirs = (
        _translate(predictions.video, predictions.videos, truth.videos),
        _translate(predictions.entity, predictions.entities, truth.entities),
        predictions.milliseconds,
    )
    unknown = (theirs[0] < 0) | (theirs[1] < 0)
    if not (_increasing(*same) and _equal(same, theirs)):
        place = _match(truth, predictions, _keys(truth, *same), _keys(truth, *theirs), unknown)
    else:
        place = None
    taken = predictions if place is None else _reorder(predictions, place)
    _check_boxes(truth, taken)
    return JoinedRows(truth, truth.label, score if place is None else score[place], _notes(truth, predictions, taken))


def _check_scores(predictions: AvaRows, decided: bool) -> NDArray[np.float64]:
    if predictions.score is None:
        raise DataError(f"{predictions.name}: no column score; expected the columns of the labels and the score.")
    broken = np.flatnonzero(~np.isfinite(predictions.score))
    if len(broken):
        nans = int(np.isnan(predictions.score).sum())
        raise DataError(
            f"{predictions.name}: {nans} scores are missing or NaN and {len(broken) - nans} are infinite, the first "
            f"for {predictions.show(broken)}; every row needs a finite score."
        )
    wrong = np.flatnonzero(predictions.label != SPEAKING_AUDIBLE)
    if len(wrong) and not decided:
        raise DataError(
            f"{predictions.name}: {len(wrong)} predictions are labelled otherwise than SPEAKING_AUDIBLE, the first for "
            f"{predictions.show(wrong)}; the score alone says how likely a face speaks, so write SPEAKING_AUDIBLE on "
            "every row (or leave the column out of a file with a header)."
        )
    return predictions.score


def _translate(codes: NDArray[np.int32], names: tuple[str, ...], known: tuple[str, ...]) -> NDArray[np.int32]:
    if names == known:
        return codes
    index = {name: place for place, name in enumerate(known)}
    table = np.array([index.get(name, -1) for name in names], dtype=np.int32)
    return table[codes]


_Key = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]


def _equal(left: _Key, right: _Key) -> bool:
    return np.array_equal(left[0], right[0]) and np.array_equal(left[1], right[1]) and np.array_equal(left[2], right[2])


def _increasing(video: NDArray[np.int32], entity: NDArray[np.int32], time: NDArray[np.int64]) -> bool:
    """Whether rows stand track by track in the order of time: then no key can occur twice."""
    same = (video[1:] == video[:-1]) & (entity[1:] == entity[:-1])
    starts = np.flatnonzero(~same) + 1
    tracks = np.concatenate([[0], starts])
    pairs = video[tracks].astype(np.int64) << 32 | entity[tracks]
    return bool(np.all((time[1:] > time[:-1]) | ~same)) and len(np.unique(pairs)) == len(pairs)


def _keys(
    truth: AvaRows, video: NDArray[np.int32], entity: NDArray[np.int32], time: NDArray[np.int64]
) -> NDArray[np.int64]:
    if len(truth.videos) * len(truth.entities) >= 2 ** (63 - _MS_BITS):
        raise DataError(f"{truth.name}: too many videos and entities for one file; split it by video.")
    pair = video.astype(np.int64) * len(truth.entities) + entity
    return pair << _MS_BITS | time


def _match(
    truth: AvaRows,
    predictions: AvaRows,
    wanted: NDArray[np.int64],
    given: NDArray[np.int64],
    unknown: BoolArray,
) -> NDArray[np.intp]:
    """Return for each labelled row the place of its prediction."""
    for rows, keys, counted in ((truth, wanted, slice(None)), (predictions, given, ~unknown)):
        places = np.arange(len(keys))[counted]
        order = places[np.argsort(keys[counted], kind="stable")]
        twice = order[1:][np.diff(keys[order]) == 0]
        if len(twice):
            raise DataError(
                f"{rows.name}: {len(twice)} rows repeat the video, entity and time of another, the first "
                f"{rows.show(np.sort(twice))}; keep one of each."
            )
    order = np.flatnonzero(~unknown)
    order = order[np.argsort(given[order], kind="stable")]
    place = np.searchsorted(given[order], wanted)
    found = np.zeros(len(wanted), dtype=np.bool_)
    inside = place < len(order)
    found[inside] = given[order[place[inside]]] == wanted[inside]
    used = np.zeros(len(given), dtype=np.bool_)
    used[order[place[found]]] = True
    missing, extra = np.flatnonzero(~found), np.flatnonzero(~used)
    if len(missing) or len(extra):
        parts = []
        if len(missing):
            parts.append(f"{len(missing)} labelled rows have no prediction, the first {truth.show(missing)}")
        if len(extra):
            parts.append(f"{len(extra)} predictions have no label, the first {predictions.show(extra)}")
        raise DataError(f"{predictions.name}: {', and '.join(parts)}; every labelled row needs exactly one prediction.")
    return order[place]


def _reorder(rows: AvaRows, place: NDArray[np.intp]) -> AvaRows:
    boxes = tuple(side[place] for side in rows.boxes)
    score = None if rows.score is None else rows.score[place]
    return AvaRows(
        rows.name, rows.videos, rows.entities, rows.video[place], rows.entity[place], rows.seconds[place], boxes,
        rows.label[place], score, rows.header,
    )  # fmt: skip


def _check_boxes(truth: AvaRows, taken: AvaRows) -> None:
    sides = list(zip(truth.boxes, taken.boxes, strict=bool(truth.boxes and taken.boxes)))
    differ = np.zeros(len(truth), dtype=np.bool_)
    for ours, theirs in sides:
        if not np.array_equal(ours, theirs):
            differ |= ~(np.abs(ours - theirs) <= BOX_TOLERANCE)
    wrong = np.flatnonzero(differ)
    if len(wrong):
        raise DataError(
            f"{taken.name}: {len(wrong)} boxes differ from those of the labels, the first for {truth.show(wrong)}; "
            f"each coordinate must agree within {BOX_TOLERANCE:g}."
        )


def _notes(truth: AvaRows, predictions: AvaRows, taken: AvaRows) -> tuple[str, ...]:
    notes = []
    if truth.header or predictions.header:
        notes.append("the official AVA scorer reads files without a header only")
    unlabelled = int(np.count_nonzero(truth.label == UNLABELLED))
    if unlabelled:
        notes.append(f"{unlabelled} rows without a label count as negatives, as in the official AVA scorer")
    moved = int(np.count_nonzero(truth.seconds != taken.seconds))
    if moved:
        notes.append(f"the official AVA scorer would drop {moved} rows whose times differ by less than 0.5 ms")
    if not truth.seconds[0] % 1 and not (truth.seconds % 1).any():
        notes.append(
            "all times are whole seconds; the official AVA scorer matches nothing if one file writes 900, not 900.0"
        )
    if any(name.strip().isdigit() for name in truth.entities):
        notes.append("the official AVA scorer fails on entity ids that are numbers")
    if _shared(truth):
        notes.append("the official AVA scorer fails where two videos have the same entity at the same time")
    return tuple(f"{note}." for note in notes)


def _shared(truth: AvaRows) -> bool:
    """Whether two videos share an entity and a time."""
    if len(truth.videos) == 1:
        return False
    pairs = truth.entity.astype(np.int64) << 32 | truth.video
    pairs = np.unique(pairs[np.append(True, pairs[1:] != pairs[:-1])])
    entities, videos = np.unique(pairs >> 32, return_counts=True)
    several = np.isin(truth.entity, entities[videos > 1]) if (videos > 1).any() else np.zeros(0, dtype=np.bool_)
    if not several.any():
        return False
    keys = truth.entity[several].astype(np.int64) << _MS_BITS | truth.milliseconds[several]
    return len(np.unique(keys)) < len(keys)
