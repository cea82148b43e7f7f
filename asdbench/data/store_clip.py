"""Writes the media of one video into a prepared store: one file of faces, one of sound, one record.

Both files are written beside their places and renamed, the record last. So what has a record is whole, and what has
none is done again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

import msgspec
import numpy as np

from asdbench.atomic import replacing, write_text
from asdbench.data.clip_pass import ClipPass, SkippedPart, media_identity
from asdbench.data.media import add_face
from asdbench.types import Int16Array, Track, UInt8Array

MEDIA = "media"
_REVISION = 1  # raised when what is written for the same input changes


class StoredTrack(msgspec.Struct, frozen=True):
    """Where the media of a track lie within the files of its video; starts and lengths of sound are in samples.

    Attributes:
        entity_id: The track.
        offsets: Where each crop begins.
        shapes: Height and width of each crop.
        faces_digest: Over shapes and pixels of all crops: what tells these crops from any others.
        faces_crc: CRC-32 of the pixels, which is quick enough to be checked at every reading.
        sound_start: Where its own sound begins.
        sound_length: How long that is.
        film_start: Where the sound of the recording around it begins, which may be the same samples.
        film_length: How long that is.
        film_before: How many of these samples come before the track.
        sound_digest: Over its own sound.
        film_digest: Over the recording's.
    """

    entity_id: str
    offsets: tuple[int, ...]
    shapes: tuple[tuple[int, int], ...]
    faces_digest: str
    faces_crc: int
    sound_start: int
    sound_length: int
    film_start: int
    film_length: int
    film_before: int
    sound_digest: str
    film_digest: str


class StoredClip(msgspec.Struct, frozen=True):
    """What was written of one video, and out of what (``identity``)."""

    video_id: str
    identity: str
    tracks: tuple[StoredTrack, ...]
    skipped: tuple[SkippedPart, ...]
    face_bytes: int
    sound_bytes: int


@dataclass(frozen=True)
class StoreClip:
    """All tracks of one video, and the names of its files in the store."""

    video_id: str
    tracks: tuple[Track, ...]

    @property
    def stem(self) -> str:
        """Name of its files: a hash, since ids of any data set must fit any file system."""
        return clip_stem(self.video_id)

    def identity(self) -> str:
        """Return a hash over all that decides what is written, the stamps of the media files among it."""
        return media_identity(self.tracks, "store", _REVISION)


def clip_stem(video_id: str) -> str:
    """Return the name of a video's files in the store, without extension."""
    return blake2b(video_id.encode(), digest_size=12).hexdigest()


def faces_file(store: Path, stem: str) -> Path:
    """Return the file of a video's crops: uint8, one after the other."""
    return store / MEDIA / f"{stem}.faces"


def sound_file(store: Path, stem: str) -> Path:
    """Return the file of a video's sound: int16, little end first."""
    return store / MEDIA / f"{stem}.sound"


def record_file(store: Path, stem: str) -> Path:
    """Return the record of a video."""
    return store / MEDIA / f"{stem}.json"


def faces_crc(faces: list[UInt8Array]) -> int:
    """Return the CRC-32 of a track's crops."""
    crc = 0
    for face in faces:
        crc = crc32(face.data, crc)
    return crc


def sound_digest(samples: Int16Array) -> str:
    """Return the digest of sound."""
    return blake2b(samples.astype("<i2", copy=False).tobytes(), digest_size=16).hexdigest()


def store_clip(clip: StoreClip, store: Path, skip: bool, stopped: Callable[[], bool] = lambda: False) -> StoredClip:
    """Write the media of a video, decoding it once.

    Args:
        clip: The video.
        store: Where to.
        skip: Whether broken tracks are left out.
        stopped: Asked now and then whether to give up.

    Returns:
        The record, which is on disk, too.

    Raises:
        DataError: Broken media, unless they are skipped.
        ResourceError: The disk is full, or the folder cannot be written.
        Stopped: As asked for.
    """
    record_file(store, clip.stem).unlink(missing_ok=True)
    with (
        replacing(faces_file(store, clip.stem)) as faces,
        replacing(sound_file(store, clip.stem)) as sound,
        faces.open("wb") as face_bytes,
        sound.open("wb") as sound_bytes,
    ):
        record = _Writer(clip, face_bytes, sound_bytes, skip, stopped).write()
    write_text(record_file(store, clip.stem), msgspec.json.encode(record).decode() + "\n")
    return record


class _Writer:
    """Writes one video."""

    def __init__(
        self, clip: StoreClip, faces: BinaryIO, sound: BinaryIO, skip: bool, stopped: Callable[[], bool]
    ) -> None:
        self.clip, self.faces, self.sound = clip, faces, sound
        self.reading = ClipPass(clip.tracks, skip, stopped)
        count = len(clip.tracks)
        self.offsets: list[list[int]] = [[] for _ in range(count)]
        self.shapes: list[list[tuple[int, int]]] = [[] for _ in range(count)]
        self.digests = [blake2b(digest_size=16) for _ in range(count)]
        self.crcs = [0] * count
        self.known_sound: dict[str, int] = {}
        self.sound_places: dict[int, tuple[int, int, int, int, int, str, str]] = {}

    def write(self) -> StoredClip:
        done = tuple(self._stored(index) for index in self.reading.run(self))
        sizes = self.faces.tell(), self.sound.tell()
        return StoredClip(self.clip.video_id, self.clip.identity(), done, self.reading.skipped, *sizes)

    def _stored(self, index: int) -> StoredTrack:
        return StoredTrack(
            self.clip.tracks[index].entity_id,
            tuple(self.offsets[index]),
            tuple(self.shapes[index]),
            self.digests[index].hexdigest(),
            self.crcs[index],
            *self.sound_places[index],
        )

    def take_sound(self, index: int) -> None:
        """Write the sound of a track, and of the film around it."""
        track = self.clip.tracks[index]
        own = track.media.audio()
        before, after = track.audio_margin
        # In two parts: where the sound sets in late, the window alone would not say on which side it is short.
        early = track.media.audio_window(-before, 0) if before else own[:0]
        film = np.concatenate([early, track.media.audio_window(0, track.num_samples + after)])
        (start, digest), (film_start, film_digest) = self._place(own), self._place(film)
        self.sound_places[index] = (start, len(own), film_start, len(film), len(early), digest, film_digest)

    def _place(self, samples: Int16Array) -> tuple[int, str]:
        """Return where samples begin, and their digest; a film, which all tracks share, is written once."""
        digest = sound_digest(samples)
        if digest not in self.known_sound:
            self.known_sound[digest] = self.sound.tell() // 2
            self.sound.write(samples.astype("<i2", copy=False).tobytes())
        return self.known_sound[digest], digest

    def take_face(self, index: int, row: int, face: UInt8Array, picture: tuple[int, int] | None) -> None:
        """Write a crop behind those before it."""
        self.offsets[index].append(self.faces.tell())
        self.shapes[index].append((int(face.shape[0]), int(face.shape[1])))
        pixels = np.ascontiguousarray(face).data
        self.faces.write(pixels)
        add_face(self.digests[index], face)
        self.crcs[index] = crc32(pixels, self.crcs[index])
