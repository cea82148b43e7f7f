"""What is known of the rows of a run whatever the model and the condition: from the annotation, and from the crops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from asdbench.records.facts import RowFacts
from asdbench.types import SAMPLE_RATE, Float32Array, Track, TrackKey, UInt8Array

_SIDE = 112


def sharpness(faces: Sequence[UInt8Array]) -> Float32Array:
    """Return how sharp each crop is: the variance of the Laplacian at 112 x 112 pixels, so that sizes compare.

    Args:
        faces: ``T`` gray crops ``[height, width]``, uint8, of any size.

    Returns:
        ``[T]`` float32, NaN for a crop without a pixel.
    """
    return np.array([_sharpness(face) for face in faces], np.float32)


def _sharpness(face: UInt8Array) -> float:
    if not face.size:
        return float("nan")
    # Averaged, not sampled: where a large crop is thinned out, aliasing would pass for detail.
    edges = cv2.Laplacian(cv2.resize(face, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), cv2.CV_32F)
    return float(cv2.meanStdDev(edges)[1][0, 0]) ** 2


def row_facts(
    everything: Sequence[Track], tracks: Sequence[Track], sharpness_of: Mapping[TrackKey, Float32Array]
) -> RowFacts:
    """Return the facts of the rows of a run.

    Args:
        everything: All tracks of the data set, whatever part of it was scored.
        tracks: The tracks that were scored, in the order of the rows; at least one.
        sharpness_of: ``[T]`` of each of them.
    """
    lengths = [len(track) for track in tracks]
    faces, speakers = _company(everything, tracks)
    sounds = np.array([_sound(track) for track in tracks])
    return RowFacts(
        faces=faces,
        speakers=speakers,
        face_width_px=np.concatenate([_width_px(track) for track in tracks]),
        sharpness=np.concatenate([sharpness_of[track.key] for track in tracks]),
        sound_from_ms=np.repeat(sounds[:, 0], lengths),
        sound_to_ms=np.repeat(sounds[:, 1], lengths),
        categories=np.repeat(np.array(["|".join(track.categories) for track in tracks], dtype=object), lengths),
    )


def _company(everything: Sequence[Track], tracks: Sequence[Track]) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Count the annotated faces at the video and time of each row, and those that speak."""
    scored = {track.key for track in tracks}
    videos: dict[str, list[Track]] = {}
    for track in everything:
        videos.setdefault(track.video_id, []).append(track)
    found: dict[TrackKey, NDArray[np.int16]] = {}
    for together in videos.values():
        times, place = np.unique(np.concatenate([t.timestamps_ms for t in together]), return_inverse=True)
        speaking = np.concatenate([t.labels for t in together]) == 1
        counts = np.stack(
            [np.bincount(place, minlength=len(times)), np.bincount(place[speaking], minlength=len(times))]
        )
        for track in together:
            if track.key in scored:
                found[track.key] = counts[:, np.searchsorted(times, track.timestamps_ms)].astype(np.int16)
    faces, speakers = np.concatenate([found[track.key] for track in tracks], axis=1)
    return faces, speakers


def _width_px(track: Track) -> Float32Array:
    if track.boxes is None or track.frame_size is None:
        return np.full(len(track), np.nan, np.float32)
    width: Float32Array = ((track.boxes[:, 2] - track.boxes[:, 0]) * track.frame_size[0]).astype(np.float32)
    return width


def _sound(track: Track) -> tuple[float, float]:
    """Return between which times there is real sound: the track's own, and that of the film around it."""
    before, after = track.audio_margin
    start = int(track.timestamps_ms[0])
    per_sample = 1000 / SAMPLE_RATE
    return start - before * per_sample, start + (track.num_samples + after) * per_sample
