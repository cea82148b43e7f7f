"""Cuts one clip into the community layout: the unit of work of `asdbench.data.prepare`.

Everything is written into a folder of its own and then moved into place, and the record of the clip is written last. So
what has a record is whole, and what has none is done again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from asdbench.atomic import write_text
from asdbench.data.clip_pass import ClipPass, SkippedPart, media_identity
from asdbench.data.ids import new_child
from asdbench.data.layout import CommunityLayout, encode_face, encode_wav, face_name
from asdbench.data.sound import sound_pieces
from asdbench.data.video_media import VideoMedia
from asdbench.errors import DataError, ResourceError
from asdbench.types import SAMPLE_RATE, Int16Array, Track, UInt8Array

SUFFIXES: Mapping[str, str] = {"png": ".png", "jpg": ".jpg"}
"""Format of face crops to the end of their names."""

JPEG_QUALITY = 95
RECORDS = ".prepare"
_LARGEST_WAV = 2**31 - 100  # samples of 2 bytes: its header counts bytes in 32 bits
_ZEROS = 1 << 20
_REVISION = 1  # raised when what is written for the same input changes


class TrackRecord(msgspec.Struct, frozen=True):
    """What was written of one track; ``digest`` is over its crops and its sound."""

    entity_id: str
    frames: int
    face_bytes: int
    wav_bytes: int
    digest: str
    frame_size: tuple[int, int] | None = None


class ClipRecord(msgspec.Struct, frozen=True):
    """What was written of one clip, and out of what (``identity``); ``film_bytes`` is 0 without a film's sound."""

    video_id: str
    identity: str
    tracks: tuple[TrackRecord, ...]
    skipped: tuple[SkippedPart, ...]
    film_bytes: int


@dataclass(frozen=True)
class Job:
    """What is the same for all clips: where they go, as what, and whether broken tracks are left out."""

    out: Path
    split: str
    faces: str
    skip: bool

    @property
    def layout(self) -> CommunityLayout:
        """The paths of what is finished."""
        return CommunityLayout(self.out, self.split)

    def record_file(self, video_id: str) -> Path:
        """Return where the record of a clip lies."""
        return new_child(self.out / RECORDS / self.split, f"{video_id}.json")

    def work(self, video_id: str) -> Path:
        """Return the folder in which a clip is written before it is moved into place."""
        return new_child(self.out / RECORDS / "work", video_id)


@dataclass(frozen=True, eq=False)
class Clip:
    """All tracks of one video."""

    video_id: str
    tracks: tuple[Track, ...]

    def identity(self, faces: str) -> str:
        """Return a hash over all that decides what is written, the stamps of the media files among it."""
        return media_identity(self.tracks, _REVISION, faces, JPEG_QUALITY)


def prepare_clip(clip: Clip, job: Job, stopped: Callable[[], bool] = lambda: False) -> ClipRecord:
    """Write the faces and the sound of a clip, decoding its video once.

    Args:
        clip: The clip.
        job: Where to, and as what.
        stopped: Asked between pictures whether to give up.

    Returns:
        The record, which is on disk, too.

    Raises:
        DataError: Broken media, unless the job skips them.
        ResourceError: The disk is full, or the folder cannot be written.
        Stopped: As asked for.
    """
    try:
        remove_clip(clip.video_id, job)
        record = _Writer(clip, job, stopped).write()
        _move(clip.video_id, job)
        write_text(job.record_file(clip.video_id), msgspec.json.encode(record).decode() + "\n")
    except OSError as error:
        raise ResourceError(
            f"{job.out}: cannot be written ({error.strerror or error}); make room (or mend the permissions) and run "
            "the same command again."
        ) from error
    finally:
        shutil.rmtree(job.work(clip.video_id), ignore_errors=True)
    return record


def remove_clip(video_id: str, job: Job) -> None:
    """Remove what was written of a clip, its record first."""
    job.record_file(video_id).unlink(missing_ok=True)
    shutil.rmtree(job.work(video_id), ignore_errors=True)
    for place in (job.layout.video_audio(video_id), job.layout.video_faces(video_id)):
        if place.exists():
            shutil.rmtree(place)
    job.layout.film(video_id).unlink(missing_ok=True)


def _move(video_id: str, job: Job) -> None:
    work, layout = CommunityLayout(job.work(video_id), job.split), job.layout
    for place in (CommunityLayout.video_audio, CommunityLayout.video_faces, CommunityLayout.film):
        source, target = place(work, video_id), place(layout, video_id)
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            source.replace(target)


class _Writer:
    """Writes one clip into its folder of work."""

    def __init__(self, clip: Clip, job: Job, stopped: Callable[[], bool]) -> None:
        self.clip, self.job = clip, job
        self.reading = ClipPass(clip.tracks, job.skip, stopped)
        self.layout = CommunityLayout(job.work(clip.video_id), job.split)
        self.suffix = SUFFIXES[job.faces]
        self.digests = [blake2b(digest_size=16) for _ in clip.tracks]
        self.frames = [0] * len(clip.tracks)
        self.face_bytes = [0] * len(clip.tracks)
        self.sizes: list[set[tuple[int, int]]] = [set() for _ in clip.tracks]

    def write(self) -> ClipRecord:
        tracks = self.clip.tracks
        done = self.reading.run(self)
        for index in set(range(len(tracks))).difference(done):
            self.layout.wav(tracks[index]).unlink(missing_ok=True)
            shutil.rmtree(self.layout.faces(tracks[index]), ignore_errors=True)
        film = self._write_film() if done else 0
        return ClipRecord(
            self.clip.video_id,
            self.clip.identity(self.job.faces),
            tuple(self._record(index) for index in done),
            self.reading.skipped,
            film,
        )

    def _record(self, index: int) -> TrackRecord:
        track, sizes = self.clip.tracks[index], self.sizes[index]
        return TrackRecord(
            track.entity_id,
            self.frames[index],
            self.face_bytes[index],
            self.layout.wav(track).stat().st_size,
            self.digests[index].hexdigest(),
            next(iter(sizes)) if len(sizes) == 1 else track.frame_size,
        )

    def take_sound(self, index: int) -> None:
        """Write the sound of a track."""
        samples = self.clip.tracks[index].media.audio()
        path = self.layout.wav(self.clip.tracks[index])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_wav(samples))
        self.digests[index].update(samples.tobytes())

    def take_face(self, index: int, row: int, face: UInt8Array, picture: tuple[int, int] | None) -> None:
        """Write a crop."""
        track = self.clip.tracks[index]
        folder = self.layout.faces(track)
        if not row:
            folder.mkdir(parents=True)
        data = encode_face(face, self.suffix, JPEG_QUALITY)
        (folder / face_name(int(track.timestamps_ms[row]), self.suffix)).write_bytes(data)
        self.digests[index].update(data)
        self.frames[index] += 1
        self.face_bytes[index] += len(data)
        if picture is not None:
            self.sizes[index].add(picture)

    def _write_film(self) -> int:
        """Write the whole film's sound; return its size in bytes, 0 where there is none."""
        path = self.layout.film(self.clip.video_id)
        try:
            pieces = _film(self.clip.tracks)
            if pieces is not None:
                _write_pieces(path, pieces)
        except DataError as error:
            path.unlink(missing_ok=True)
            self.reading.fail("", error)
        return path.stat().st_size if path.exists() else 0


def _film(tracks: tuple[Track, ...]) -> Iterator[tuple[int, Int16Array]] | None:
    """Return the sound around the tracks, piece by piece, or ``None`` where nothing lies beyond them."""
    widest = max(tracks, key=lambda track: sum(track.audio_margin))
    before, after = widest.audio_margin
    if not before and not after:
        return None
    start = int(widest.timestamps_ms[0]) * SAMPLE_RATE // 1000
    if isinstance(widest.media, VideoMedia):
        # Some data sets count time from the first picture, which a file may show later than at 0.
        later = int(widest.media.timestamps_ms[0]) * SAMPLE_RATE // 1000 - start
        return _moved(sound_pieces(widest.media.sound), -later)
    return _moved(iter([(start - before, widest.media.audio_window(-before, widest.num_samples + after))]), 0)


def _moved(pieces: Iterator[tuple[int, Int16Array]], by: int) -> Iterator[tuple[int, Int16Array]]:
    """Yield pieces on another clock, without what would lie before its time 0."""
    for place, samples in pieces:
        kept = samples[max(-place - by, 0) :]
        if len(kept):
            yield max(place + by, 0), kept


def _write_zeros(file: Any, path: Path, count: int) -> None:
    if count > _LARGEST_WAV:
        raise DataError(
            f"{path}: its tracks start {count / SAMPLE_RATE:,.0f} s into the video, more than a wav file holds; "
            "correct the times of the annotation."
        )
    for start in range(0, count, _ZEROS):
        file.write(np.zeros(min(_ZEROS, count - start), np.int16))


def _write_pieces(path: Path, pieces: Iterator[tuple[int, Int16Array]]) -> None:
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "PCM_16", format="WAV") as file:
        for place, samples in pieces:
            if not file.tell() and place > 0:
                # The clock starts at 0; no shift reaches the zeros before the sound (Track.audio_margin).
                _write_zeros(file, path, place)
            file.write(samples)
