"""Columbia: F1 per speaker at log-odds 0, as the TalkNet demo computes it, with all its peculiarities.

An F1 at a fixed threshold does not compare with an AP, and faces come from each author's own detector, whose settings
move the number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from asdbench.errors import DataError

AVERAGED = ("bell", "boll", "lieb", "long", "sick")
"""The speakers whose F1 is averaged; a sixth, abbas, is labelled and left out."""

LABEL_FPS, VIDEO_FPS = 29.97, 25
MIN_COVERED = 0.5
"""Share of the *detected* box that must lie in the labelled one."""

REACH = 2
"""Frames on each side over which a score is averaged."""

_MAX_PIXELS = 10**9


@dataclass(frozen=True, eq=False)
class PersonLabels:
    """The labelled boxes of one person, in pixels of the picture at half size.

    Attributes:
        frame: ``[L]`` int, at 29.97 frames a second.
        boxes: ``[L, 4]`` int: left, top, right, bottom.
        speaking: ``[L]`` bool.
    """

    frame: NDArray[np.int64]
    boxes: NDArray[np.int64]
    speaking: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ScoredTrack:
    """A detected face track, in pixels of the whole picture.

    Attributes:
        frame: ``[T]`` int, at 25 frames a second.
        centre: ``[T, 2]`` x and y.
        half_size: ``[T]`` half the side of the square box, above 0.
        scores: ``[S]`` log-odds of the first S frames; S may be smaller than T.
    """

    frame: NDArray[np.int64]
    centre: NDArray[np.float64]
    half_size: NDArray[np.float64]
    scores: NDArray[np.float64]


@dataclass(frozen=True)
class PersonScore:
    """The figures of one person.

    Attributes:
        f1: 0 where the person never speaks and is never called speaking, as in scikit-learn.
        accuracy: Share of labels that are right.
        labels: How many there are.
        positives: Speaking ones among them.
        unmatched: Labels that no detected face covers: called not speaking.
        unscored: Labels whose face has no score in reach: called not speaking.
    """

    f1: float
    accuracy: float
    labels: int
    positives: int
    unmatched: int
    unscored: int


@dataclass(frozen=True, eq=False)
class PersonCalls:
    """What becomes of the labels of one person.

    Attributes:
        frame: ``[L]`` int, the frame of the video, at 25 frames a second.
        called: ``[L]``, whether the person is called speaking.
        speaking: ``[L]``, whether the person is labelled so.
        unmatched: Labels that no detected face covers.
        unscored: Labels whose face has no score in reach.
    """

    frame: NDArray[np.int64]
    called: NDArray[np.bool_]
    speaking: NDArray[np.bool_]
    unmatched: int = 0
    unscored: int = 0

    def score(self) -> PersonScore:
        """Return the figures of these labels."""
        hits = int(np.count_nonzero(self.called & self.speaking))
        wrong = int(np.count_nonzero(self.called != self.speaking))
        return PersonScore(
            f1=2 * hits / (2 * hits + wrong) if hits else 0.0,
            accuracy=1 - wrong / len(self.frame),
            labels=len(self.frame),
            positives=int(np.count_nonzero(self.speaking)),
            unmatched=self.unmatched,
            unscored=self.unscored,
        )


@dataclass(frozen=True)
class ColumbiaScores:
    """F1 per speaker and its mean.

    Attributes:
        people: Name to figures, abbas too where labelled.
        mean_f1: Mean over bell, boll, lieb, long and sick.
        protocol: Its name.
    """

    people: dict[str, PersonScore]
    mean_f1: float
    protocol: str = "columbia-f1"


def read_person_labels(path: Path) -> PersonLabels:
    """Read ``<person>.txt``: tab-separated frame (29.97 fps), x, y, width, label; the height is taken to be the width.

    Raises:
        DataError: The file cannot be read, or a line is not five whole numbers, the last 0 or 1.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the file cannot be read ({error}).") from error
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            frame, x, y, width, label = map(int, line.split("\t"))
        except ValueError:
            frame = x = y = width = label = -1
        if label not in (0, 1) or max(map(abs, (frame, x, y, width))) > _MAX_PIXELS:
            raise DataError(
                f"{path}, line {number}: expected frame, x, y, width and 0 or 1, tab-separated, not {line[:60]!r}."
            )
        rows.append((frame, x, y, width, label))
    return person_labels(np.array(rows, dtype=np.int64).reshape(-1, 5))


def person_labels(rows: ArrayLike) -> PersonLabels:
    """Make labels of ``[L, 5]`` whole numbers: frame (29.97 fps), x, y, width, label."""
    table = np.asarray(rows, dtype=np.int64)
    left, top, width = table[:, 1], table[:, 2], table[:, 3]
    return PersonLabels(table[:, 0], np.stack([left, top, left + width, top + width], axis=1), table[:, 4] == 1)


def columbia_f1(
    labels: Mapping[str, PersonLabels], tracks: Sequence[ScoredTrack], video_frames: int | None = None
) -> ColumbiaScores:
    """Score tracks by the rule of the TalkNet demo.

    1. A label's frame f stands for video frame ``int(f / 29.97 * 25)``; about one video frame in five has two labels
    of a person. 2. The score of a track's frame i is the mean of ``scores[i-2 .. i+2]``, of which the very last score
    is never used. 3. The detected box is halved: ``int(centre -+ half_size) // 2``. It covers a label if more than
       half of *its own* area lies in the labelled box: a tiny box is a full match, a large one none.
    4. Of several the one most covered counts, of equal ones that with the larger score, rounded to 2 decimals.
    5. The person is called speaking if that score is above 0. No face, or no score in reach: not speaking.

    Args:
        labels: Person to labels; bell, boll, lieb, long and sick must be there.
        tracks: Detected tracks with scores.
        video_frames: Frames of the video at 25 fps; labels beyond are left out. By default none is.

    Raises:
        DataError: A person's labels are missing, shapes differ, or a number is not finite.

    Source:
        TalkNet-ASD, ``demoTalkNet.py``, ``evaluate_col_ASD``; the same in Light-ASD, LR-ASD, ASDnB.
    """
    calls = person_calls(labels, tracks, video_frames)
    people = {name: each.score() for name, each in calls.items()}
    return ColumbiaScores(people, float(np.mean([people[name].f1 for name in AVERAGED])))


def person_calls(
    labels: Mapping[str, PersonLabels], tracks: Sequence[ScoredTrack], video_frames: int | None = None
) -> dict[str, PersonCalls]:
    """Say of every label whether the person is called speaking; arguments and errors as for ``columbia_f1``."""
    missing = [name for name in AVERAGED if name not in labels or not len(labels[name].frame)]
    if missing:
        raise DataError(f"no labels of {', '.join(missing)}; the mean F1 needs all of {', '.join(AVERAGED)}.")
    faces = _faces_by_frame(tracks)
    return {name: _person_calls(labels[name], faces, video_frames) for name in sorted(labels)}


def smoothed(scores: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
    """Return ``[frames]`` mean scores over two frames on each side, NaN where no score is in reach."""
    last = len(scores) - 1
    windows = (scores[max(at - REACH, 0) : min(at + REACH + 1, last)] for at in range(frames))
    return np.array([np.mean(window) if len(window) else np.nan for window in windows])


_Face = tuple[tuple[int, int, int, int], float]


def _faces_by_frame(tracks: Sequence[ScoredTrack]) -> dict[int, list[_Face]]:
    faces: dict[int, list[_Face]] = {}
    for number, track in enumerate(tracks):
        frames, finite = len(track.frame), np.isfinite(track.scores).all()
        if track.centre.shape != (frames, 2) or track.half_size.shape != (frames,) or len(track.scores) > frames:
            raise DataError(
                f"track {number}: centres, sizes and scores must be one per frame ({frames}), scores at most."
            )
        if not (finite and np.isfinite(track.centre).all() and (track.half_size > 0).all()):
            raise DataError(f"track {number}: a score or a place is not finite, or a size is not above 0.")
        corners = np.concatenate(
            [track.centre - track.half_size[:, None], track.centre + track.half_size[:, None]], axis=1
        )
        boxes = np.trunc(corners).astype(np.int64) // 2
        for frame, box, score in zip(track.frame.tolist(), boxes.tolist(), smoothed(track.scores, frames), strict=True):
            faces.setdefault(frame, []).append((tuple(box), float(score)))
    return faces


def _person_calls(labels: PersonLabels, faces: Mapping[int, list[_Face]], video_frames: int | None) -> PersonCalls:
    rows: list[tuple[int, bool, bool]] = []
    unmatched = unscored = 0
    for frame, box, speaking in zip(
        labels.frame.tolist(), labels.boxes.tolist(), labels.speaking.tolist(), strict=True
    ):
        video_frame = int(frame / LABEL_FPS * VIDEO_FPS)
        if video_frames is not None and video_frame >= video_frames:
            continue
        found = [
            (covered, score)
            for face, score in faces.get(video_frame, [])
            if (covered := _covered(face, box)) > MIN_COVERED
        ]
        unmatched += not found
        score = max(((covered, round(value, 2)) for covered, value in found), default=(0.0, 0.0))[1]
        unscored += score != score
        rows.append((video_frame, score > 0, speaking))
    frames, called, truth = (np.array([row[column] for row in rows]) for column in range(3))
    return PersonCalls(frames.astype(np.int64), called.astype(np.bool_), truth.astype(np.bool_), unmatched, unscored)


def _covered(face: tuple[int, int, int, int], box: Sequence[int]) -> float:
    """Share of the detected box that lies in the labelled one."""
    area = (face[2] - face[0]) * (face[3] - face[1])
    width, height = min(face[2], box[2]) - max(face[0], box[0]), min(face[3], box[3]) - max(face[1], box[1])
    return max(width, 0) * max(height, 0) / area if area else 0.0
