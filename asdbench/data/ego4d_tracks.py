"""From Ego4D's annotation to the rows of face tracks, as either of the two published extractions makes them.

``official``: ``utils/ground_truth/extract_boxes_and_speakers.py`` of https://github.com/EGO4D/audio-visual, from which
the ground truth of the benchmark comes. Every box of every track of every person, the camera wearer and the visual
anchors included; frames 0 to 8999 and no others; corners cut down to whole pixels towards zero, the right and lower one
after the width is added to the whole left one.

``talknet``: ``utils/preprocessing.py`` of https://github.com/zcxu-eric/Ego4d_TalkNet_ASD. Neither the camera wearer nor
tracks with ``visual_anchor`` in their id; of several tracks of one id the last; pieces of 300 list items, as many as
the frames from the first item to the last would fill, gaps included; pieces of one item are dropped.

In both, a face speaks in the voice segments of its person, both ends included, whichever of its tracks it is. The
second knows the wearer by ``person_id`` alone, which is a number in later files; here the flag counts as well.

No rule of either, since a track here has increasing times, a picture and sound: rows are sorted, of several at one
frame the first stays, boxes without a pixel and rows that stand alone are left out. All are counted. A track of
``official`` is cut in two at every gap: no rule of it looks beyond a frame, and models, which count frames, would see
other sound behind the gap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from asdbench.data.ego4d_json import Clip, FaceTrack

Convention = Literal["official", "talknet"]

OFFICIAL_FRAMES = 9000
"""Frames of a clip; the official extraction ignores boxes and voices beyond."""

_PIECE = 300
_ANCHOR = "visual_anchor"
_WEARER = "camera_wearer"


class _Listed(NamedTuple):
    """A track as a convention lists it: ``rows`` are ``[T, 5]`` frame, x, y, width, height in the order of the file."""

    name: str
    person: str
    track: str
    rows: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FaceRows:
    """The rows of one face track.

    Attributes:
        name: Of the track, unique in its clip.
        person: Whose face it is.
        track: The id of the track in the file.
        frames: ``[T]`` int64, increasing.
        boxes: ``[T, 4]`` left, top, right, bottom in pixels; the last two are one past the last pixel.
        labels: ``[T]`` int8.
        voiced: ``[T]``, in the voice segments of anybody, the camera wearer and people out of the picture included.
    """

    name: str
    person: str
    track: str
    frames: NDArray[np.int64]
    boxes: NDArray[np.float64]
    labels: NDArray[np.int8]
    voiced: NDArray[np.bool_]


def face_rows(
    clip: Clip, convention: Convention, size: tuple[int, int] | None, counts: Counter[str]
) -> Iterator[FaceRows]:
    """Yield the face tracks of a clip.

    Args:
        clip: The clip.
        convention: Whose rules to follow.
        size: Width and height of its pictures; ``None`` if not known.
        counts: Where what is left out or changed is counted, by what it is.
    """
    official = convention == "official"
    voices = _voices(clip, OFFICIAL_FRAMES if official else None)
    heard = [voice for spoken in voices.values() for voice in spoken]
    for listed in _all_tracks(clip, counts) if official else _pieces(clip, counts):
        rows = _in_order(listed.rows, OFFICIAL_FRAMES if official else None, counts)
        boxes = _corners(rows, whole=official)
        visible = _has_pixels(boxes, size)
        counts["boxes without a pixel of the picture left out"] += int((~visible).sum())
        frames, boxes = rows[visible, 0].astype(np.int64), boxes[visible]
        stretches = _stretches(frames) if official else [slice(0, len(frames))]
        counts["tracks cut at gaps in time"] += len(stretches) > 1
        for stretch in stretches:
            if len(frames[stretch]) < 2:
                counts["boxes alone in time, which have no sound, left out"] += len(frames[stretch])
                continue
            name = f"{listed.name}@{frames[stretch][0]}" if len(stretches) > 1 else listed.name
            labels = _labels(frames[stretch], voices.get(listed.person, ()))
            voiced = _labels(frames[stretch], heard) == 1
            yield FaceRows(name, listed.person, listed.track, frames[stretch], boxes[stretch], labels, voiced)


def official_boxes(clip: Clip) -> Iterator[FaceRows]:
    """Yield every box of the benchmark's own ground truth by track, those included that no track here can hold.

    Boxes may stand at one frame twice, alone in time, or outside the picture.

    Args:
        clip: The clip.
    """
    voices = _voices(clip, OFFICIAL_FRAMES)
    heard = [voice for spoken in voices.values() for voice in spoken]
    for listed in _all_tracks(clip, Counter()):
        inside = (listed.rows[:, 0] >= 0) & (listed.rows[:, 0] < OFFICIAL_FRAMES)
        rows = listed.rows[inside]
        frames, boxes = rows[:, 0].astype(np.int64), _corners(rows, whole=True)
        labels, voiced = _labels(frames, voices.get(listed.person, ())), _labels(frames, heard) == 1
        yield FaceRows(listed.name, listed.person, listed.track, frames, boxes, labels, voiced)


def _voices(clip: Clip, limit: int | None) -> dict[str, list[tuple[int, int]]]:
    """Return the first and last frame of every voice segment by person."""
    voices: dict[str, list[tuple[int, int]]] = {}
    for person in clip.persons or ():
        for voice in person.voice_segments or ():
            end = voice.end_frame if limit is None else min(voice.end_frame, limit - 1)
            voices.setdefault(str(person.person_id), []).append((max(voice.start_frame, 0), end))
    return voices


def _all_tracks(clip: Clip, counts: Counter[str]) -> Iterator[_Listed]:
    """Yield every track; of several of one id, the second is called ``<id>~2``."""
    names: Counter[str] = Counter()
    for person in clip.persons or ():
        for track in person.tracking_paths or ():
            identifier = str(track.track_id)
            names[identifier] += 1
            counts["tracks that share their id with another of their clip, numbered"] += names[identifier] > 1
            name = identifier if names[identifier] == 1 else f"{identifier}~{names[identifier]}"
            yield _Listed(name, str(person.person_id), identifier, _rows(track))


def _pieces(clip: Clip, counts: Counter[str]) -> Iterator[_Listed]:
    """Yield the pieces of the tracks that the TalkNet baseline keeps."""
    kept: dict[str, _Listed] = {}
    for person in clip.persons or ():
        wearer = bool(person.camera_wearer) or str(person.person_id) == _WEARER
        for track in person.tracking_paths or ():
            identifier = str(track.track_id)
            if wearer or _ANCHOR in identifier:
                counts[f"tracks of {'camera wearers' if wearer else 'visual anchors'} left out"] += 1
                continue
            counts["tracks that share their id with a later one of their clip left out"] += identifier in kept
            kept[identifier] = _Listed(identifier, str(person.person_id), identifier, _rows(track))
    for whole in kept.values():
        span = int(whole.rows[-1, 0] - whole.rows[0, 0]) + 1 if len(whole.rows) else 0
        for number, start in enumerate(range(0, min(span, len(whole.rows)), _PIECE)):
            items = whole.rows[start : start + _PIECE]
            if len(items) > 1:
                yield whole._replace(name=f"{whole.name}:{number}", rows=items)


def _rows(track: FaceTrack) -> NDArray[np.float64]:
    rows = [(box.frame, box.x, box.y, box.width, box.height) for box in track.track or ()]
    return np.array(rows, dtype=np.float64).reshape(-1, 5)


def _in_order(rows: NDArray[np.float64], limit: int | None, counts: Counter[str]) -> NDArray[np.float64]:
    """Return the rows of a clip's frames by frame, of several at one frame the first."""
    counts["tracks out of order in time, sorted"] += bool((np.diff(rows[:, 0]) < 0).any())
    _, first = np.unique(rows[:, 0], return_index=True)
    counts["boxes at a frame that their track has already left out"] += len(rows) - len(first)
    rows = rows[first]
    inside = rows[:, 0] >= 0
    if limit is not None:
        inside &= rows[:, 0] < limit
    counts["boxes before or after their clip left out"] += int((~inside).sum())
    return rows[inside]


def _corners(rows: NDArray[np.float64], *, whole: bool) -> NDArray[np.float64]:
    """Return left, top, right and bottom, cut down to whole pixels or as they are."""
    origin = np.trunc(rows[:, 1:3]) if whole else rows[:, 1:3]
    ends = origin + rows[:, 3:5]
    return np.concatenate([origin, np.trunc(ends) if whole else ends], axis=1)


def _has_pixels(boxes: NDArray[np.float64], size: tuple[int, int] | None) -> NDArray[np.bool_]:
    """Whether anything is left of each box within the picture."""
    width, height = size or (np.inf, np.inf)
    inside = np.clip(np.trunc(boxes), 0, [width, height, width, height])
    return np.asarray((inside[:, 0] < inside[:, 2]) & (inside[:, 1] < inside[:, 3]))


def _stretches(frames: NDArray[np.int64]) -> list[slice]:
    """Return the parts of a track between gaps."""
    starts = [0, *(np.flatnonzero(np.diff(frames) > 1) + 1).tolist()]
    return [slice(start, stop) for start, stop in zip(starts, [*starts[1:], len(frames)], strict=True)]


def _labels(frames: NDArray[np.int64], voices: Sequence[tuple[int, int]]) -> NDArray[np.int8]:
    labels = np.zeros(len(frames), dtype=np.int8)
    for start, end in voices:
        labels[(frames >= start) & (frames <= end)] = 1
    return labels
