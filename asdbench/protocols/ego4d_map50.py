"""Ego4D's official mAP@0.5: detected faces are matched to speaking faces, then ranked (the challenge's number).

Not to be compared with AVA-style AP on Ego4D (``ego4d-ava``): here faces that the detector missed cap the recall, and
the detector's boxes move the number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.errors import DataError, UndefinedMetricError
from asdbench.metrics.bootstrap import Statistic
from asdbench.metrics.inputs import check_scores

MIN_OVERLAP = 0.5
"""Intersection over union from which a detection may match."""

SCORE_DECIMALS = 6
"""Decimals that the official pipeline writes scores with."""


@dataclass(frozen=True, eq=False)
class FaceBoxes:
    """Faces of many frames, in the order in which their files list them.

    Attributes:
        clip: ``[N]`` int, the number of the clip in the official file names.
        frame: ``[N]`` int, the frame in the clip, from 0.
        boxes: ``[N, 4]`` pixels: left, top, right, bottom; decimals are cut off, as in the official files.
    """

    clip: NDArray[np.int64]
    frame: NDArray[np.int64]
    boxes: NDArray[np.float64]


@dataclass(frozen=True)
class Map50:
    """Ego4D's official mAP@0.5.

    Attributes:
        ap: The number, in [0, 1].
        speaking_boxes: Speaking faces of the annotation: what recall divides by.
        detections: Detected faces, speaking or not, all of which are ranked.
        true_positives: Detections that found a speaking face of their own.
        tied_share: Share of detections whose written score another shares; among these the order of files decides.
        constant: Whether all detections have one score.
        protocol: Its name.
    """

    ap: float
    speaking_boxes: int
    detections: int
    true_positives: int
    tied_share: float
    constant: bool
    protocol: str = "ego4d-map50"


@dataclass(frozen=True, eq=False)
class RankedDetections:
    """Detections in the order of their rank, each with what became of it.

    Attributes:
        hit: ``[D]``, whether it found a speaking face of its own.
        clip: ``[D]`` int, its clip.
        speaking_clip: ``[S]`` int, the clip of each speaking box.
        tied_share: Share of detections whose written score another shares.
        constant: Whether all detections have one score.
    """

    hit: NDArray[np.bool_]
    clip: NDArray[np.int64]
    speaking_clip: NDArray[np.int64]
    tied_share: float
    constant: bool

    def statistic(self, unit_of_clip: NDArray[np.int64], count: int) -> Statistic:
        """Return mAP@0.5 as a function of ``[C]`` weights: what resampling clips, copies tied, leads to.

        Args:
            unit_of_clip: Number of a clip to its unit.
            count: Number of units ``C``.
        """
        unit = unit_of_clip[self.clip]
        speaks = np.bincount(unit_of_clip[self.speaking_clip], minlength=count)
        places, units_hit = np.flatnonzero(self.hit), unit[self.hit]

        def value(weights: NDArray[np.int64]) -> float:
            total = int(weights @ speaks)
            if not total:
                raise UndefinedMetricError("no speaking box remains.")
            here = weights[units_hit]
            hits, ranks = np.cumsum(here), np.cumsum(weights[unit])[places]
            precision = np.divide(hits, ranks, out=np.zeros(len(hits)), where=ranks > 0)
            return float(here @ np.maximum.accumulate(precision[::-1])[::-1]) / total

        return value


def map50(
    speaking: FaceBoxes,
    detected: FaceBoxes,
    scores: ArrayLike,
    *,
    annotated_frames: Iterable[tuple[int, int]] | None = None,
    detected_frames: Iterable[tuple[int, int]] | None = None,
) -> Map50:
    """Score detections by the official rule.

    1. Boxes are cut to whole pixels, scores rounded to 6 decimals.
    2. Detections are ranked by score; ties by the *text* of their file's name ``<clip>_<frame>.txt`` (0_10 before
       0_2), then by their place in it.
    3. Each looks at the speaking box of its frame with the largest overlap, (intersection / union, widths and heights
       + 1 pixel), the first of equal ones. It is a true positive if the overlap is at least 0.5 and no detection
       before it took that box; it never falls back on another box.
    4. Precision and recall after each detection, recall over *all* speaking boxes; the envelope and area of ``ava``.

    Args:
        speaking: Boxes of the faces that speak; the others have no part in it.
        detected: Boxes of all detected faces.
        scores: ``[N]`` finite, of the detected faces.
        annotated_frames: (clip, frame) of every annotated frame, with and without faces. Given both, a frame that one
            side lacks is an error (the official scorer prints a line and exits with status 0).
        detected_frames: (clip, frame) of every frame on which the detector ran.

    Raises:
        DataError: Wrong shapes, broken boxes, non-finite scores, or frames that one side lacks.
        UndefinedMetricError: No speaking box (the official scorer divides by zero).

    Source:
        EGO4D/audio-visual, ``active_speaker_evaluation`` (after github.com/Cartucho/mAP); Grauman et al., Ego4D, CVPR
        2022.

    Example:
        >>> one = FaceBoxes(np.array([0]), np.array([0]), np.array([[0.0, 0.0, 99.0, 99.0]]))
        >>> map50(one, one, [0.5]).ap
        1.0
    """
    ranked = rank_detections(
        speaking, detected, scores, annotated_frames=annotated_frames, detected_frames=detected_frames
    )
    speaks = len(ranked.speaking_clip)
    if not speaks:
        raise UndefinedMetricError("no speaking box is annotated.")
    ranks = np.flatnonzero(ranked.hit) + 1
    precision = np.arange(1, len(ranks) + 1) / ranks
    return Map50(
        ap=float(np.sum(np.maximum.accumulate(precision[::-1]))) / speaks,
        speaking_boxes=speaks,
        detections=len(ranked.hit),
        true_positives=len(ranks),
        tied_share=ranked.tied_share,
        constant=ranked.constant,
    )


def rank_detections(
    speaking: FaceBoxes,
    detected: FaceBoxes,
    scores: ArrayLike,
    *,
    annotated_frames: Iterable[tuple[int, int]] | None = None,
    detected_frames: Iterable[tuple[int, int]] | None = None,
) -> RankedDetections:
    """Rank detections and match them to speaking boxes; rule, arguments and ``DataError`` as for ``map50``."""
    truth, found = _cut(speaking, "speaking boxes"), _cut(detected, "detected boxes")
    values = np.round(check_scores(scores), SCORE_DECIMALS)
    if len(values) != len(found):
        raise DataError(f"there are {len(found)} detected boxes but {len(values)} scores; each needs one.")
    _check_frames(speaking, detected, annotated_frames, detected_frames)
    hit = np.zeros(len(found), dtype=np.bool_)
    order = np.lexsort((_file_order(detected), -values)) if len(found) else np.zeros(0, dtype=np.intp)
    if len(found) and len(truth):
        match = _best_match(speaking, truth, detected, found)[order]
        taken, first = np.unique(match, return_index=True)  # the first in rank to choose a box gets it
        hit[first[taken >= 0]] = True
    _, counts = np.unique(values, return_counts=True)
    return RankedDetections(
        hit=hit,
        clip=np.asarray(detected.clip)[order],
        speaking_clip=np.asarray(speaking.clip),
        tied_share=int(counts[counts > 1].sum()) / len(found) if len(found) else 0.0,
        constant=len(counts) == 1,
    )


def _cut(faces: FaceBoxes, name: str) -> NDArray[np.int64]:
    boxes = np.asarray(faces.boxes, dtype=np.float64).reshape(-1, 4)
    if not len(boxes) == len(faces.clip) == len(faces.frame):
        raise DataError(
            f"{name}: {len(boxes)} boxes, {len(faces.clip)} clips and {len(faces.frame)} frames; give one each."
        )
    broken = np.flatnonzero(~(np.abs(boxes) < 1e9).all(axis=1))
    if len(broken):
        raise DataError(
            f"{name}: {len(broken)} boxes are not made of numbers of pixels, the first at index {broken[0]}."
        )
    cut = np.trunc(boxes).astype(np.int64)
    # One pixel less than nothing still has no area to the official arithmetic; two would turn its sign.
    empty = np.flatnonzero((cut[:, 2:] - cut[:, :2] < 0).any(axis=1))
    if len(empty):
        raise DataError(
            f"{name}: {len(empty)} boxes end before they begin, the first at index {empty[0]}; give x1 y1 x2 y2."
        )
    return cut


def _check_frames(
    speaking: FaceBoxes,
    detected: FaceBoxes,
    annotated: Iterable[tuple[int, int]] | None,
    ran: Iterable[tuple[int, int]] | None,
) -> None:
    known = None if annotated is None else set(annotated)
    seen = None if ran is None else set(ran)
    for frames, faces, name in ((known, speaking, "annotated"), (seen, detected, "detected")):
        if frames is not None:
            outside = set(zip(faces.clip.tolist(), faces.frame.tolist(), strict=True)) - frames
            if outside:
                raise DataError(f"{_show(outside)} hold {name} faces but are not among the {name} frames.")
    if known is None or seen is None:
        return
    for missing, name in ((known - seen, "detections"), (seen - known, "annotation")):
        if missing:
            raise DataError(
                f"{_show(missing)} have no {name}; both sides must cover the same frames, without faces too."
            )


def _show(frames: set[tuple[int, int]]) -> str:
    first = ", ".join(f"frame {frame} of clip {clip}" for clip, frame in sorted(frames)[:5])
    return f"{len(frames)} frames ({first})"


def _file_order(faces: FaceBoxes) -> NDArray[np.int64]:
    """Place of each face in the official order: files by the text of their names, faces as they stand in them."""
    frames, of_face = np.unique(np.stack([faces.clip, faces.frame]), axis=1, return_inverse=True)
    names = [f"{clip}_{frame}.txt" for clip, frame in frames.T.tolist()]
    place = np.empty(len(names), dtype=np.int64)
    place[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    order = np.argsort(place[of_face.reshape(-1)], kind="stable")
    result = np.empty(len(order), dtype=np.int64)
    result[order] = np.arange(len(order))
    return result


def _best_match(
    speaking: FaceBoxes, truth: NDArray[np.int64], detected: FaceBoxes, found: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return for each detection the speaking box with which it overlaps most, -1 where none does by half."""
    both = np.stack([np.concatenate([speaking.clip, detected.clip]), np.concatenate([speaking.frame, detected.frame])])
    _, moment = np.unique(both, axis=1, return_inverse=True)
    moment = moment.reshape(-1)
    of_truth, of_found = moment[: len(truth)], moment[len(truth) :]
    by_frame = np.argsort(of_truth, kind="stable")
    start = np.searchsorted(of_truth[by_frame], of_found, side="left")
    many = np.searchsorted(of_truth[by_frame], of_found, side="right") - start
    # every detection beside every speaking box of its frame
    detection = np.repeat(np.arange(len(found)), many)
    nth = np.arange(len(detection)) - np.repeat(np.cumsum(many) - many, many)
    box = by_frame[np.repeat(start, many) + nth]
    overlap = _overlap(found[detection], truth[box])
    match = np.full(len(found), -1, dtype=np.int64)
    order = np.lexsort((box, -overlap, detection))
    _, first = np.unique(detection[order], return_index=True)
    best = order[first]
    good = best[overlap[best] >= MIN_OVERLAP]
    match[detection[good]] = box[good]
    return match


def _overlap(left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """Intersection over union of boxes that include their last row and column of pixels."""
    sides = np.minimum(left[:, 2:], right[:, 2:]) - np.maximum(left[:, :2], right[:, :2]) + 1
    shared = np.where((sides > 0).all(axis=1), sides.prod(axis=1), 0)
    areas = (left[:, 2:] - left[:, :2] + 1).prod(axis=1) + (right[:, 2:] - right[:, :2] + 1).prod(axis=1)
    result: NDArray[np.float64] = shared / (areas - shared)
    return result
