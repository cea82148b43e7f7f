"""One track as its data set has it: what can be copied, and what must be decoded, each read once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from asdbench.data.layout import encode_face, encode_wav
from asdbench.data.media import decode_gray, read_image
from asdbench.errors import DataError
from asdbench.materialize.content import Content, Origin
from asdbench.types import Int16Array, Track, UInt8Array

_JPEG = (".jpg", ".jpeg")


class Source:
    """The media of one track.

    Media that are files of their own have the methods ``audio_file`` and ``face_files``, as those of the community
    layout do; others, such as faces in a video, are encoded.

    Args:
        track: The track.
        suffix: ``.png`` or ``.jpg``: how faces are encoded that cannot be copied.

    Raises:
        DataError: The audio is missing or broken.
    """

    def __init__(self, track: Track, suffix: str) -> None:
        self.track = track
        self.suffix = suffix
        self.audio = track.media.audio()

    @cached_property
    def wav(self) -> Content:
        """The unchanged audio."""
        path = _call(self.track.media, "audio_file")
        return self.encoded_audio(self.audio) if path is None else Content(_bytes(path), "copied", path)

    @cached_property
    def unchanged(self) -> list[tuple[str, Content]]:
        """Suffix and content of every unchanged face."""
        if self._files is None:
            return [self.encoded_face(face) for face in self.faces]
        return [
            (_suffix(path), Content(data, "copied", path)) for path, data in zip(self._files, self._data, strict=True)
        ]

    @cached_property
    def faces(self) -> Sequence[UInt8Array]:
        """The crops, decoded."""
        if self._files is None:
            return self.track.media.faces()
        return [decode_gray(data, path) for path, data in zip(self._files, self._data, strict=True)]

    def encoded_audio(self, samples: Int16Array) -> Content:
        """Return audio as a wav file."""
        return Content(encode_wav(samples))

    def encoded_face(self, face: UInt8Array) -> tuple[str, Content]:
        """Return a crop as an image file: its suffix and its content."""
        origin: Origin = "lossy" if self.suffix == ".jpg" else "written"
        return self.suffix, Content(encode_face(face, self.suffix), origin)

    @cached_property
    def _files(self) -> list[Path] | None:
        files: list[Path] | None = _call(self.track.media, "face_files")
        return files

    @cached_property
    def _data(self) -> list[bytes]:
        return [read_image(path) for path in self._files or ()]


def _call(media: object, method: str) -> Any:
    found = getattr(media, method, None)
    return found() if callable(found) else None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: the audio cannot be read ({error.strerror}).") from error


def _suffix(path: Path) -> str:
    # The community's loaders look for *.jpg.
    suffix = path.suffix.lower()
    return ".jpg" if suffix in _JPEG else suffix
