"""A prepared store: a data set decoded once, its crops and sound memory-mapped, nothing left to decode.

::

    STORE/store.json         what it is: name, protocol, fingerprint, and what it was made of
    STORE/tracks.parquet     every track and where its media lie (`asdbench.data.store_tables`)
    STORE/frames.parquet     every labelled frame
    STORE/media/<hash>.faces, .sound, .json    the crops and the sound of one video, and its record
    STORE/skipped.csv        what was left out, if anything

Media are those of the data set it was made of, bit for bit, and so are fingerprint, plans and scores. Media are
checked against their digests when they are read.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from asdbench.data.media import file_stamp
from asdbench.data.store_clip import clip_stem, faces_crc, faces_file, sound_digest, sound_file
from asdbench.data.store_tables import FRAMES, TRACKS, read_tables
from asdbench.errors import DataError
from asdbench.types import Dataset, Int16Array, Track, UInt8Array

MANIFEST = "store.json"
SCHEMA = 1


class Manifest(msgspec.Struct, kw_only=True):
    """Content of ``store.json``; ``tables`` is the sha256 of both tables, empty while the store is unfinished."""

    schema: int = SCHEMA
    identity: dict[str, Any]
    state: str = "running"
    name: str
    format: str
    protocol: str
    fingerprint: str
    notes: list[str]
    versions: dict[str, str]
    tables: str = ""
    counts: dict[str, int] = {}


@dataclass(frozen=True, eq=False)
class StoreMedia:
    """The media of one track of a store.

    Attributes:
        store: The store.
        stem: Name of the files of its video.
        key: The track, for messages.
        places: Where its sound lies, and the digests (`asdbench.data.store_clip.StoredTrack`).
        offsets: ``[T]`` where each crop begins.
        shapes: ``[T, 2]`` height and width of each crop.
    """

    store: Path
    stem: str
    key: str
    places: dict[str, Any]
    offsets: NDArray[np.int64]
    shapes: NDArray[np.int32]

    @property
    def faces_id(self) -> str:
        """Digest of the crops, known without reading them."""
        return str(self.places["faces_digest"])

    def audio(self) -> Int16Array:
        """Return the track's own audio."""
        return self._sound("sound")

    def audio_window(self, start: int, stop: int) -> Int16Array:
        """Return the recording's audio around the track; see `asdbench.types.Media.audio_window`."""
        before = self.places["film_before"]
        return self._sound("film")[max(start + before, 0) : max(stop + before, 0)]

    def faces(self) -> list[UInt8Array]:
        """Return the crops, read-only views of the file."""
        file = faces_file(self.store, self.stem)
        data = _mapped(file, file_stamp(file), "u1")
        sizes = self.shapes.astype(np.int64).prod(axis=1)
        if len(sizes) and int((self.offsets + sizes).max()) > len(data):
            raise DataError(f"{file}: ends before the crops of {self.key}; prepare the store again.")
        faces = [
            data[offset : offset + size].reshape(shape)
            for offset, size, shape in zip(self.offsets.tolist(), sizes.tolist(), self.shapes.tolist(), strict=True)
        ]
        if faces_crc(faces) != self.places["faces_crc"]:
            raise DataError(f"{file}: the crops of {self.key} are damaged (checksum); prepare the store again.")
        return faces

    def stamp(self) -> str:
        """Return the digests of what the store says to hold; see `asdbench.types.Media.stamp`."""
        files = (faces_file(self.store, self.stem), sound_file(self.store, self.stem))
        return " ".join([self.faces_id, self.places["sound_digest"], *map(file_stamp, files)])

    def _sound(self, name: str) -> Int16Array:
        file = sound_file(self.store, self.stem)
        place = self.places[f"{name}_start"], self.places[f"{name}_length"]
        if _sound_digest(file, file_stamp(file), *place) != self.places[f"{name}_digest"]:
            raise DataError(f"{file}: the sound of {self.key} is damaged (checksum); prepare the store again.")
        return _samples(file, file_stamp(file), *place)


def open_store(root: Path, split: str = "val", name: str | None = None) -> Dataset:
    """Open a prepared store; media are mapped later, track by track.

    Args:
        root: The folder that ``asdbench data prepare --store`` wrote.
        split: Must be the one that it was made of.
        name: Short name for tables and folders; that of the data set it was made of without one.

    Raises:
        DataError: The store is unfinished, damaged, of a newer release, or of another split.
    """
    manifest = read_manifest(root)
    if manifest.state != "complete":
        raise DataError(f"{root}: this store is not finished; run the same asdbench data prepare again, it continues.")
    held = manifest.identity.get("split")
    if held != split:
        raise DataError(f"{root}: this store holds the split {held!r}, not {split!r}; add --split {held}.")
    if tables_digest(root) != manifest.tables:
        raise DataError(f"{root}: {TRACKS} or {FRAMES} is not the one that was written; prepare the store again.")
    tracks = []
    for row in read_tables(root):
        stem = clip_stem(row.values["video_id"])
        key = f"the track {row.values['entity_id']!r} of video {row.values['video_id']!r}"
        media = StoreMedia(root, stem, key, row.places, row.offsets, row.shapes)
        tracks.append(Track(media=media, **row.values))
    return Dataset(
        name=name or manifest.name,
        format=manifest.format,
        protocol=manifest.protocol,
        tracks=tuple(tracks),
        fingerprint=manifest.fingerprint,
        notes=tuple(manifest.notes),
    )


def read_manifest(root: Path) -> Manifest:
    """Read ``store.json``.

    Raises:
        DataError: It is missing, broken, or of a newer release.
    """
    path = root / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not readable as the manifest of a store ({error}).") from error
    if manifest.schema > SCHEMA:
        raise DataError(f"{path}: written by a newer asdbench (schema {manifest.schema}); upgrade.")
    return manifest


def tables_digest(root: Path) -> str:
    """Return the sha256 over both tables.

    Raises:
        DataError: One is missing.
    """
    digest = hashlib.sha256()
    for name in (TRACKS, FRAMES):
        try:
            digest.update((root / name).read_bytes())
        except OSError as error:
            raise DataError(f"{root / name}: cannot be read ({error.strerror}); prepare the store again.") from error
    return digest.hexdigest()


@lru_cache(maxsize=4096)
def _sound_digest(path: Path, stamp: str, start: int, length: int) -> str:
    """Return the digest of sound; that of a film is asked for by every track and donor in it."""
    return sound_digest(_samples(path, stamp, start, length))


def _samples(path: Path, stamp: str, start: int, length: int) -> Int16Array:
    samples: Int16Array = _mapped(path, stamp, "<i2")[start : start + length]
    return samples


@lru_cache(maxsize=8)
def _mapped(path: Path, stamp: str, kind: str) -> NDArray[Any]:
    try:
        if not path.stat().st_size:
            return np.zeros(0, kind)
        return np.memmap(path, kind, mode="r").view(np.ndarray)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); prepare the store again.") from error
