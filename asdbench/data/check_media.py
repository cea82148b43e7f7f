"""Reads the media of one clip once, and says what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import blake2b
from pathlib import Path

import msgspec
import numpy as np

from asdbench.data.ava_media import AvaMedia
from asdbench.data.check_files import check_container, file_digest
from asdbench.data.check_problems import Problem, kind_of
from asdbench.data.check_sound import check_sound, compare_sounds
from asdbench.data.clip_pass import Stopped
from asdbench.data.media import read_gray
from asdbench.data.prepare_clip import Clip
from asdbench.data.sound import sound_pieces
from asdbench.data.video import Face, Failed, cut_faces
from asdbench.data.video_media import VideoMedia, faces_by_video
from asdbench.errors import DataError
from asdbench.types import Int16Array, Track, UInt8Array

BLACK = 16
"""Gray value up to which a crop shows nothing: what is left of black in video and JPEG."""

_FLAT = 2
_IMAGES = (".jpg", ".jpeg", ".png")


class Findings(msgspec.Struct, frozen=True):
    """What was found in a clip; digests by track or file tell the same content under two ids."""

    video_id: str
    problems: tuple[Problem, ...]
    faces: dict[str, str]
    sounds: dict[str, str]
    videos: dict[str, str]
    frames: int


def check_clip(clip: Clip, stopped: Callable[[], bool] = lambda: False) -> Findings:
    """Read all faces and all sound of a clip.

    Args:
        clip: The clip.
        stopped: Asked now and then whether to give up.

    Raises:
        Stopped: As asked for.
    """
    return _Checker(clip, stopped).check()


class _Crops:
    """What the crops of a track look like, one after the other."""

    def __init__(self) -> None:
        self.count = self.black = self.flat = 0
        self.longest = self._streak = 0
        self._before: UInt8Array | None = None
        self._digest = blake2b(digest_size=16)

    def add(self, gray: UInt8Array) -> None:
        self.count += 1
        low, high = int(gray.min()), int(gray.max())
        self.black += high <= BLACK
        self.flat += high > BLACK and high - low <= _FLAT
        same = self._before is not None and np.array_equal(gray, self._before)
        self._streak = self._streak + 1 if same else 1
        self.longest = max(self.longest, self._streak)
        self._before = gray
        self._digest.update(repr(gray.shape).encode() + gray.tobytes())

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()


class _Checker:
    def __init__(self, clip: Clip, stopped: Callable[[], bool]) -> None:
        self.clip, self.stopped = clip, stopped
        self.problems: dict[tuple[str, str], Problem] = {}
        self.crops = [_Crops() for _ in clip.tracks]
        self.sounds: dict[str, str] = {}
        self.videos: dict[str, str] = {}

    def check(self) -> Findings:
        for track in self.clip.tracks:
            self._check_times(track)
            self._check_sound(track)
        self._check_films()
        self._read_faces()
        for track, crops in zip(self.clip.tracks, self.crops, strict=True):
            self._check_crops(track, crops)
        faces = {
            track.entity_id: crops.digest
            for track, crops in zip(self.clip.tracks, self.crops, strict=True)
            if crops.count > crops.black + crops.flat
        }
        frames = sum(crops.count for crops in self.crops)
        return Findings(self.clip.video_id, tuple(self.problems.values()), faces, self.sounds, self.videos, frames)

    def _add(self, kind: str, entity_id: str, message: str, count: int = 1) -> None:
        """Keep the first message of a kind and track, and count the others."""
        known = self.problems.get((kind, entity_id))
        total = count + (known.count if known else 0)
        self.problems[kind, entity_id] = Problem(
            kind, self.clip.video_id, entity_id, known.message if known else message, total
        )

    def _refused(self, entity_id: str, error: DataError) -> None:
        self._add(kind_of(str(error)), entity_id, str(error))

    def _check_times(self, track: Track) -> None:
        if len(track) == 1:
            self._add("one frame", track.entity_id, f"one frame at {_seconds(track, 0)} s")
        gaps = np.flatnonzero(np.diff(track.timestamps_ms) > 1.5 * 1000 / track.fps)
        if len(gaps):
            first = int(gaps[0])
            between = f"nothing between {_seconds(track, first)} and {_seconds(track, first + 1)} s"
            self._add("gap in time", track.entity_id, between, len(gaps))

    def _check_sound(self, track: Track) -> None:
        if self.stopped():
            raise Stopped
        try:
            samples = track.media.audio()
        except DataError as error:
            self._refused(track.entity_id, error)
            return
        if samples.any():
            self.sounds[track.entity_id] = blake2b(samples.tobytes(), digest_size=16).hexdigest()
        for kind, message in check_sound(track, samples, place_of(track)):
            self._add(kind, track.entity_id, message)
        if isinstance(track.media, AvaMedia) and track.media.film is not None:
            self._compare_with_film(track, track.media, samples)

    def _compare_with_film(self, track: Track, media: AvaMedia, samples: Int16Array) -> None:
        try:
            film = media.audio_window(0, len(samples))
        except DataError as error:
            self._refused(track.entity_id, error)
            return
        difference = compare_sounds(samples, film)
        if difference is not None:
            self._add("audio offset", track.entity_id, f"{media.wav}: not what {media.film} has there{difference}")

    def _check_films(self) -> None:
        """Read each video's file and whole sound."""
        seen: set[Path] = set()
        for media in (track.media for track in self.clip.tracks):
            if not isinstance(media, VideoMedia) or media.video in seen:
                continue
            seen.add(media.video)
            for kind, message in check_container(media.video, media.sound):
                self._add(kind, "", message)
            digest = file_digest(media.video)
            self.videos |= {str(media.video): digest} if digest else {}
            try:
                for _ in sound_pieces(media.sound):
                    if self.stopped():
                        raise Stopped
            except DataError as error:
                self._refused("", error)

    def _read_faces(self) -> None:
        tracks = self.clip.tracks
        for index, track in enumerate(tracks):
            if isinstance(track.media, AvaMedia):
                self._read_files(index, track.media)
            elif not isinstance(track.media, VideoMedia):
                self._read_all(index)
        for video, faces in faces_by_video(tracks).items():
            self._cut(video, faces)

    def _cut(self, video: Path, faces: dict[int, Face]) -> None:
        indices = list(faces)
        with closing(cut_faces(video, list(faces.values()))) as found:
            for each in found:
                if self.stopped():
                    raise Stopped
                index = indices[each.face]
                if isinstance(each, Failed):
                    self._refused(self.clip.tracks[index].entity_id, each.error)
                else:
                    self.crops[index].add(each.gray)

    def _read_files(self, index: int, media: AvaMedia) -> None:
        entity_id = self.clip.tracks[index].entity_id
        there = sorted(_images(media.faces_folder))
        try:
            files = media.face_files()
        except DataError as error:
            self._refused(entity_id, error)
            files = there
        extra = sorted({*there} - {*files})
        if extra:
            self._add("extra crops", entity_id, f"{extra[0]}: no row of the annotation is at this time", len(extra))
        for path in files:
            if self.stopped():
                raise Stopped
            try:
                self.crops[index].add(read_gray(path))
            except DataError as error:
                self._refused(entity_id, error)

    def _read_all(self, index: int) -> None:
        track = self.clip.tracks[index]
        try:
            for face in track.media.faces():
                self.crops[index].add(face)
        except DataError as error:
            self._refused(track.entity_id, error)

    def _check_crops(self, track: Track, crops: _Crops) -> None:
        if crops.black:
            message = f"{place_of(track)}: {crops.black} of {crops.count} crops are black"
            self._add("black", track.entity_id, message, crops.black)
        if crops.flat:
            message = f"{place_of(track)}: {crops.flat} of {crops.count} crops are of one level"
            self._add("constant", track.entity_id, message, crops.flat)
        elif crops.longest >= track.fps and not crops.black:
            message = f"{place_of(track)}: the same crop {crops.longest} times running"
            self._add("constant", track.entity_id, message, crops.longest)


def _images(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for path in folder.iterdir():
            if path.suffix.lower() in _IMAGES and not path.name.startswith("."):
                yield path


def place_of(track: Track) -> str:
    """Return the file of a track's sound or pictures, or its key."""
    media = track.media
    if isinstance(media, VideoMedia):
        return media.places[0]
    return str(media.wav) if isinstance(media, AvaMedia) else f"{track.video_id}, {track.entity_id}"


def _seconds(track: Track, row: int) -> str:
    return f"{int(track.timestamps_ms[row]) / 1000:.3f}"
