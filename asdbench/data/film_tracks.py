"""Tracks that are cut out of films when they are needed: finds the films, and what must be known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast, get_args

import numpy as np
from numpy.typing import NDArray

from asdbench.data.container import open_stream
from asdbench.data.crops import CropStyle, face_in_crop
from asdbench.data.ids import find_child
from asdbench.data.sound import SOUND_SUFFIXES, sound_span
from asdbench.data.video_media import Places, VideoMedia
from asdbench.errors import DataError, UsageError
from asdbench.types import SAMPLE_RATE, Track, TrackKey

VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".webm", ".avi")


def crop_style(text: str) -> CropStyle:
    """Return the crop style of the option ``crop``.

    Raises:
        UsageError: There is none of this name.
    """
    if text not in get_args(CropStyle):
        raise UsageError(f"the option crop={text} is none of {', '.join(get_args(CropStyle))}.")
    return cast("CropStyle", text)


@dataclass(frozen=True)
class Film:
    """A film on disk.

    Attributes:
        video: Its pictures; named although it may be missing.
        sound: The file with its sound.
        span: First sample of the clock at which there is sound, and one past the last; ``None`` if unknown.
        size: Width and height of the pictures; ``None`` if unknown.
    """

    video: Path
    sound: Path
    span: tuple[int, int] | None
    size: tuple[int, int] | None


class Films:
    """Finds the films of a data set by id, each looked at once.

    Args:
        videos: Folders with ``<video_id>.<suffix>``, the first that has it counts.
        sounds: Folders with ``<video_id>.flac``, ``.ogg`` or ``.wav``; without, a video's own sound is used.
    """

    def __init__(self, videos: Sequence[Path], sounds: Sequence[Path] = ()) -> None:
        self._videos, self._sounds = videos, sounds
        self.find = lru_cache(maxsize=None)(self._find)

    def path(self, video_id: str) -> Path | None:
        """Return the path of a film's pictures, ``None`` if there is none."""
        return _first(self._videos, video_id, VIDEO_SUFFIXES)

    def _find(self, video_id: str) -> Film:
        video = self.path(video_id) or self._videos[0] / f"{video_id}{VIDEO_SUFFIXES[0]}"
        return look_at(video, _first(self._sounds, video_id, SOUND_SUFFIXES) or video)


def look_at(video: Path, sound: Path) -> Film:
    """Return a film; what cannot be read is not known, which scoring tells."""
    try:
        span = sound_span(sound)
    except DataError:
        span = None
    try:
        return Film(video, sound, span, picture_size(video))
    except DataError:
        return Film(video, sound, span, None)


def picture_size(video: Path) -> tuple[int, int]:
    """Return width and height of a video's pictures, as its header says.

    Raises:
        DataError: The file is missing, has no pictures or cannot be read.
    """
    with open_stream(video, "video") as (_, stream):
        width, height = int(stream.codec_context.width), int(stream.codec_context.height)
    if width < 1 or height < 1:
        raise DataError(f"{video}: the file does not say how large its pictures are; convert it.")
    return width, height


def film_track(
    film: Film,
    places: Places,
    boxes: NDArray[np.float64],
    crop: CropStyle,
    *,
    key: TrackKey,
    source_id: str,
    timestamps_ms: NDArray[np.int64],
    labels: NDArray[np.int8],
    fps: float,
) -> Track:
    """Return a track whose faces and sound are cut out of a film.

    Args:
        film: The film.
        places: Where the ``T`` rows stand, for messages.
        boxes: ``[T, 4]`` shares of the picture.
        crop: How faces are cut out.
        key: Of the track.
        source_id: Of the track.
        timestamps_ms: ``[T]``, on the clock of the film.
        labels: ``[T]``.
        fps: Of the rows.
    """
    start, end = (int(timestamps_ms[i]) * SAMPLE_RATE // 1000 for i in (0, -1))
    margin = (max(start - max(film.span[0], 0), 0), max(film.span[1] - end, 0)) if film.span else (0, 0)
    return Track(
        *key,
        source_id=source_id,
        timestamps_ms=timestamps_ms,
        labels=labels,
        fps=fps,
        num_samples=end - start,
        audio_margin=margin,
        media=VideoMedia(film.video, film.sound, places, tuple(timestamps_ms.tolist()), boxes, crop),
        boxes=boxes.astype(np.float32),
        frame_size=film.size,
        face_in_crop=face_in_crop(crop, boxes, *film.size) if film.size else None,
    )


def cut_fingerprint(tracks: Sequence[Track], crop: CropStyle) -> bytes:
    """Return what decides the faces that are cut, for the fingerprint: boxes, and the style unless it is ``box``."""
    boxes = (track.media.boxes for track in tracks if isinstance(track.media, VideoMedia))
    return b"".join(each.astype("<f8").tobytes() for each in boxes) + (b"" if crop == "box" else crop.encode())


def _first(folders: Sequence[Path], video_id: str, suffixes: Sequence[str]) -> Path | None:
    return next((path for folder in folders if (path := _only(folder, video_id, suffixes))), None)


def _only(folder: Path, video_id: str, suffixes: Sequence[str]) -> Path | None:
    paths = [path for suffix in suffixes if (path := find_child(folder, f"{video_id}{suffix}")).is_file()]
    if len(paths) > 1:
        raise DataError(f"{paths[1]}: a second file for the same video as {paths[0].name}; remove one.")
    return paths[0] if paths else None
