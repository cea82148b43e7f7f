"""One error as it is seen and heard: the stretch of its track around it, unchanged and under the condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asdbench.gallery.picks import Pick
from asdbench.gallery.source import Source
from asdbench.perturb.edits import edit_audio, edit_faces, split_media
from asdbench.records.predictions import Predictions
from asdbench.types import Float32Array, Int16Array, Track, UInt8Array

AROUND_MS = 1300
"""What is shown before and after a moment of 0.4 s."""

AROUND_RUN_MS = 600
"""What is shown before and after a speaking run."""

LONGEST_MS = 8000
"""Of a longer run, this much around its worst 0.4 s."""


@dataclass(frozen=True)
class Line:
    """What the model said of the frames of a scene under one condition, each ``[T]``."""

    scores: Float32Array
    labels: NDArray[np.int8]


@dataclass(frozen=True)
class Scene:
    """What is shown of one error; times are from the first frame on.

    Attributes:
        track: The track.
        first: First frame that is shown (index into the track).
        times_ms: ``[T]`` when each frame is seen.
        period_ms: How long one lasts.
        judged: Half-open range of the frames, counted from the first, whose scores are wrong.
        audio: Own sound.
        faces: ``T`` own crops.
        new_audio: Sound under the condition; ``None`` where it is the own.
        new_faces: Crops under the condition; ``None`` where they are the own.
        spans_ms: Ranges of time in which the sound or the faces were changed.
        clean: Scores and labels on the clean data.
        changed: The same under the condition; ``None`` under the clean one, and where nothing was edited.
        rows: Where the judged frames stand among the rows of the run.
        own: Labels of these frames in the clean data.
        voiced: Share of the judged frames in which voice is heard under the condition; ``None`` where nobody listened.
    """

    track: Track
    first: int
    times_ms: NDArray[np.int64]
    period_ms: float
    judged: tuple[int, int]
    audio: Int16Array
    faces: Sequence[UInt8Array]
    new_audio: Int16Array | None
    new_faces: Sequence[UInt8Array] | None
    spans_ms: tuple[tuple[float, float], ...]
    clean: Line
    changed: Line | None
    rows: slice
    own: NDArray[np.int8]
    voiced: float | None

    @property
    def duration_ms(self) -> float:
        """From the first frame to the end of the last."""
        return float(self.times_ms[-1]) + self.period_ms

    @property
    def start_ms(self) -> int:
        """Time of the first frame in its video."""
        return int(self.track.timestamps_ms[self.first])


def window(track: Track, pick: Pick) -> tuple[int, int]:
    """Return the first frame that is shown of an error, and one past the last."""
    times = track.timestamps_ms
    if pick.kind == "fooled":
        begin, end = times[pick.first] - AROUND_RUN_MS, times[pick.stop - 1] + AROUND_RUN_MS
    else:
        begin, end = times[pick.first] - AROUND_MS, times[pick.stop - 1] + AROUND_MS
    if end - begin > LONGEST_MS:
        begin = min(max(times[pick.centre] - LONGEST_MS // 2, begin), end - LONGEST_MS)
        end = begin + LONGEST_MS
    first, stop = np.searchsorted(times, [begin, end + 1])
    return int(first), int(stop)


def scene(source: Source, condition: str, pick: Pick, clean: Predictions, rows: Predictions) -> Scene:
    """Return what is shown of an error.

    Args:
        source: The media.
        condition: Name of the condition.
        pick: The error.
        clean: Rows of the clean condition.
        rows: The same rows under the condition.

    Raises:
        DataError: Media are missing or broken.
    """
    track = source.tracks[pick.key]
    first, stop = window(track, pick)
    plan = source.changes(condition)
    edits = plan.edits(track.key)
    sound_edits, face_edits = split_media(edits)
    audio, faces = track.media.audio(), track.media.faces()
    heard = slice(*_samples(track, first, stop, len(audio)))
    new_audio = edit_audio(audio, sound_edits, track.media, source.lender)[heard] if sound_edits else None
    new_faces = edit_faces(faces, face_edits, source.lender, track.face_in_crop)[first:stop] if face_edits else None
    start = int(np.flatnonzero((rows.video_id == pick.key.video_id) & (rows.entity_id == pick.key.entity_id))[0])
    shown, judged = slice(start + first, start + stop), slice(start + pick.first, start + pick.stop)
    times = track.timestamps_ms[first:stop]
    return Scene(
        track=track,
        first=first,
        times_ms=times - times[0],
        period_ms=1000 / track.fps,
        judged=(max(pick.first - first, 0), min(pick.stop, stop) - first),
        audio=audio[heard],
        faces=faces[first:stop],
        new_audio=new_audio,
        new_faces=new_faces,
        spans_ms=tuple(_spans(source, condition, track, first, stop)),
        clean=Line(clean.score[shown], clean.label[shown]),
        changed=Line(rows.score[shown], rows.label_after[shown]) if edits else None,
        rows=judged,
        own=clean.label[judged],
        voiced=_voiced(rows, judged),
    )


def _samples(track: Track, first: int, stop: int, length: int) -> tuple[int, int]:
    begin = track.sample_at(int(track.timestamps_ms[first]))
    end = track.sample_at(int(track.timestamps_ms[stop - 1]) + 1000 / track.fps)
    return min(begin, length), min(end, length)


def _spans(source: Source, condition: str, track: Track, first: int, stop: int) -> list[tuple[float, float]]:
    """Return the changed ranges that are in sight."""
    times, period = track.timestamps_ms, 1000 / track.fps
    origin = float(times[first])
    found = []
    for decision in source.changes(condition).decisions.get(track.key, ()):
        target = decision.target
        begin, end = max(target.first, first), min(target.stop, stop)
        if decision.changed and decision.outcome.edits and begin < end:
            found.append((float(times[begin]) - origin, float(times[end - 1]) + period - origin))
    return found


def _voiced(rows: Predictions, judged: slice) -> float | None:
    if rows.voiced is None:
        return None
    known = rows.voiced[judged]
    known = known[known >= 0]
    return float(np.mean(known == 1)) if len(known) else None
