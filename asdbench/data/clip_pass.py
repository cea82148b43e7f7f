"""Goes through the media of one video once, track by track: what preparing crops and preparing a store share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

import msgspec
import numpy as np

from asdbench.data.video import Failed, cut_faces
from asdbench.data.video_media import VideoMedia, faces_by_video
from asdbench.errors import DataError
from asdbench.types import Track, UInt8Array


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """The clip was left unfinished because the whole job is being stopped."""


class SkippedPart(msgspec.Struct, frozen=True):
    """A track that could not be prepared, or the film's sound (``entity_id`` is empty), and why."""

    entity_id: str
    reason: str


class Sink(Protocol):
    """Takes what is read, by the number of the track."""

    def take_sound(self, index: int) -> None:
        """Read and keep the sound of a track."""

    def take_face(self, index: int, row: int, face: UInt8Array, picture: tuple[int, int] | None) -> None:
        """Keep a crop; ``picture`` is the size of what it was cut out of, ``None`` where nobody knows."""


class ClipPass:
    """One way through a video, which is decoded once for all of its tracks.

    Args:
        tracks: All tracks of the video.
        skip: Whether broken tracks are left out, and listed in ``skipped``, or end the pass.
        stopped: Asked now and then whether to give up.
    """

    def __init__(self, tracks: Sequence[Track], skip: bool, stopped: Callable[[], bool]) -> None:
        self._tracks, self._skip, self._stopped = tracks, skip, stopped
        self._skipped: list[SkippedPart] = []

    @property
    def skipped(self) -> tuple[SkippedPart, ...]:
        """What was left out so far."""
        return tuple(sorted(self._skipped, key=lambda part: part.entity_id))

    def run(self, sink: Sink) -> list[int]:
        """Give a sink everything; return the numbers of the tracks of which it has all.

        Raises:
            DataError: Broken media, unless they are skipped.
            Stopped: As asked for.
        """
        tracks = self._tracks
        heard = [index for index in range(len(tracks)) if self._try(index, sink.take_sound)]
        cut = [index for index in heard if isinstance(tracks[index].media, VideoMedia)]
        failed = self._cut(cut, sink)
        given = [index for index in heard if index not in cut]
        failed |= {index for index in given if not self._try(index, lambda index: self._give(index, sink))}
        return [index for index in heard if index not in failed]

    def fail(self, entity_id: str, error: DataError) -> None:
        """List what is left out.

        Raises:
            DataError: That one, unless broken media are skipped.
        """
        if not self._skip:
            raise error
        self._skipped.append(SkippedPart(entity_id, str(error)))

    def _try(self, index: int, step: Callable[[int], None]) -> bool:
        if self._stopped():
            raise Stopped
        try:
            step(index)
        except DataError as error:
            self.fail(self._tracks[index].entity_id, error)
            return False
        return True

    def _give(self, index: int, sink: Sink) -> None:
        track = self._tracks[index]
        faces = track.media.faces()
        if len(faces) != len(track):
            raise DataError(f"{track.key}: {len(faces)} face crops for {len(track)} labelled frames.")
        for row, face in enumerate(faces):
            sink.take_face(index, row, face, None)

    def _cut(self, wanted: list[int], sink: Sink) -> set[int]:
        """Cut the faces of these tracks out of their videos; return those that fail."""
        failed: set[int] = set()
        for video, every in faces_by_video(self._tracks).items():
            indices = [index for index in every if index in wanted]
            with closing(cut_faces(video, [every[index] for index in indices])) as found:
                for each in found:
                    if self._stopped():
                        raise Stopped
                    index = indices[each.face]
                    if isinstance(each, Failed):
                        self.fail(self._tracks[index].entity_id, each.error)
                        failed.add(index)
                    else:
                        sink.take_face(index, each.row, each.gray, each.picture)
        return failed


def media_identity(tracks: Sequence[Track], *how: object) -> str:
    """Return a hash over the media of tracks, the libraries that read them, and how they are written."""
    digest = blake2b(repr((*how, libraries())).encode(), digest_size=16)
    for track in tracks:
        media = track.media
        digest.update(repr((track.key, track.num_samples, track.audio_margin, type(media).__qualname__)).encode())
        digest.update(track.timestamps_ms.astype("<i8").tobytes())
        if isinstance(media, VideoMedia):
            digest.update(media.crop.encode() + np.asarray(media.boxes, "<f8").tobytes())
    for stamp in sorted({track.media.stamp() for track in tracks}):
        digest.update(stamp.encode())
    return digest.hexdigest()


def libraries() -> dict[str, str]:
    """Return the versions of what decodes, resamples and encodes."""
    found = {}
    for package in ("av", "numpy", "opencv-python-headless", "soundfile"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # e.g. opencv under another distribution name
            found[package] = "unknown"
    return found
