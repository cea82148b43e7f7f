"""Who else is in the picture: for each track the faces that are seen together with it.

A neighbour is another track of the same video that has a box at exactly the timestamp of the target's centre frame
(index ``floor(T / 2)``), in ms, as in LoCoNet's evaluation; whether it is seen in the rest of the target's time does
not matter. Where there are more than a model can use, the official code shuffles without a seed. Here choice and order
depend on the ids alone: neighbours are sorted by ``blake2b(seed, target, neighbour)``, and the first ones are taken, so
that neither other tracks of the data set nor the order of a run can change them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from asdbench.data.landmarks import NOT_FOUND, LandmarkFile
from asdbench.errors import DataError
from asdbench.types import LIP_POINTS, BoolArray, ContextFaces, Float32Array, Track, TrackKey, UInt8Array

_TRACKS_IN_MEMORY = 6
_SEPARATOR = "\x1f"
_BYTES = 8


class ContextFinder:
    """Finds the neighbours of tracks and loads their faces.

    Args:
        tracks: All tracks of the data set.
        speakers: How many neighbours a model can use.
        seed: Of their choice and order.
        landmarks: File of lip landmarks, if they are wanted too.

    Raises:
        DataError: The file of landmarks is not usable.
    """

    def __init__(self, tracks: Sequence[Track], speakers: int, seed: int = 0, landmarks: str | None = None) -> None:
        self._speakers = speakers
        self._seed = seed
        self._landmarks = None if landmarks is None else LandmarkFile(landmarks)
        self._tracks = {track.key: track for track in tracks}
        videos: dict[str, list[Track]] = {}
        for track in tracks:
            videos.setdefault(track.video_id, []).append(track)
        self._videos = {video: _Video(together) for video, together in videos.items()}
        # Neighbours take turns as targets, so each would be decoded again and again.
        self._faces = lru_cache(_TRACKS_IN_MEMORY)(self._load)

    def neighbours(self, track: Track) -> tuple[Track, ...]:
        """Return the neighbours that a model is shown with a track, the first first."""
        centre = int(track.timestamps_ms[len(track) // 2])
        video = self._videos.get(track.video_id)
        present = [] if video is None else [other for other in video.at(centre) if other.key != track.key]
        return tuple(sorted(present, key=lambda other: (self._rank(track, other), other.key))[: self._speakers])

    def faces(self, track: Track) -> Sequence[UInt8Array]:
        """Return the faces of a track, read at most once while it is near; they are shared, so do not change them.

        Raises:
            DataError: Its media are missing or broken.
        """
        return self._faces(track.key)

    def context(self, track: Track) -> ContextFaces:
        """Return the faces of a track's neighbours at the track's own timestamps.

        Raises:
            DataError: The media of a neighbour are missing or broken; the message has their path.
        """
        return [self._aligned(track, other) for other in self.neighbours(track)]

    def boxes(self, track: Track) -> list[Float32Array | None]:
        """Return where the annotated faces lie in the crops of a track's neighbours at the track's own timestamps.

        Returns:
            Of each neighbour ``[T, 4]`` shares of the crop, without meaning where it is not seen; ``None`` where its
            crops are the face boxes.
        """
        return [
            None if other.face_in_crop is None else other.face_in_crop[_matched(track, other)[0]]
            for other in self.neighbours(track)
        ]

    def landmarks(self, track: Track) -> Float32Array | None:
        """Return the lip landmarks of a track and of its neighbours at the track's own timestamps.

        Returns:
            ``[1 + neighbours, T, 82, 2]``, negative where a neighbour is not seen; ``None`` where none are wanted.

        Raises:
            DataError: A face of these has no landmarks in the file.
        """
        if self._landmarks is None:
            return None
        points = np.full((1 + len(self.neighbours(track)), len(track), LIP_POINTS, 2), NOT_FOUND, np.float32)
        for place, other in enumerate((track, *self.neighbours(track))):
            found, together = _matched(track, other)
            points[place, together] = self._landmarks.of(other)[found[together]]
        return points

    def stamp(self, track: Track) -> str:
        """Return text that changes when the files change that a track's scores depend on, its neighbours' included."""
        stamps = [each.media.stamp() for each in (track, *self.neighbours(track))]
        return " + ".join(stamps if self._landmarks is None else [*stamps, self._landmarks.stamp()])

    def _rank(self, track: Track, other: Track) -> bytes:
        name = _SEPARATOR.join((str(self._seed), *track.key, *other.key))
        return blake2b(name.encode(), digest_size=_BYTES).digest()

    def _load(self, key: TrackKey) -> Sequence[UInt8Array]:
        return self._tracks[key].media.faces()

    def _aligned(self, track: Track, other: Track) -> list[UInt8Array | None]:
        try:
            faces = self.faces(other)
        except DataError as error:
            raise DataError(
                f"{error} The track {track.entity_id!r} of video {track.video_id!r} is scored together with this face."
            ) from error
        found, together = _matched(track, other)
        return [faces[i] if seen else None for i, seen in zip(found.tolist(), together.tolist(), strict=True)]


def _matched(track: Track, other: Track) -> tuple[NDArray[np.intp], BoolArray]:
    """Return for each frame of a track the other's frame at that time, and whether there is one: ``[T]`` each."""
    found = np.searchsorted(other.timestamps_ms, track.timestamps_ms)
    found = np.minimum(found, len(other) - 1)
    return found, other.timestamps_ms[found] == track.timestamps_ms


class _Video:
    """The tracks of one video by when they start and end, so that looking for a moment does not open each."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._tracks = tracks
        self._starts = _times(tracks, 0)
        self._ends = _times(tracks, -1)

    def at(self, time_ms: int) -> list[Track]:
        """Return the tracks with a box at exactly this timestamp."""
        spanning = np.flatnonzero((self._starts <= time_ms) & (time_ms <= self._ends))
        return [self._tracks[i] for i in spanning.tolist() if _has(self._tracks[i].timestamps_ms, time_ms)]


def _times(tracks: Sequence[Track], frame: int) -> NDArray[np.int64]:
    return np.array([int(track.timestamps_ms[frame]) for track in tracks])


def _has(times: NDArray[np.int64], time_ms: int) -> bool:
    """Whether sorted times hold one that does not lie beyond their last."""
    return int(times[np.searchsorted(times, time_ms)]) == time_ms
