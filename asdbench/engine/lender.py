"""Lends edits the media of other tracks and of sound files, each read once while it is near."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from asdbench.data.sound import read_sound
from asdbench.errors import DataError
from asdbench.types import Int16Array, Track, TrackKey, UInt8Array

_SOUNDS_IN_MEMORY = 64
_FACES_IN_MEMORY = 6


class BrokenDonorError(DataError):
    """What a donor should lend is missing or broken."""


class TrackLender:
    """The `asdbench.perturb.edits.Lender` over a data set.

    Args:
        tracks: All tracks of the data set.

    Every method raises `BrokenDonorError`, so that the caller can tell a broken donor from a broken target.
    """

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._tracks = {track.key: track for track in tracks}
        self.audio = lru_cache(_SOUNDS_IN_MEMORY)(self._audio)
        self.faces = lru_cache(_FACES_IN_MEMORY)(self._faces)
        self.recording = lru_cache(_SOUNDS_IN_MEMORY)(self._recording)

    def _audio(self, key: TrackKey) -> Int16Array:
        try:
            return self._tracks[key].media.audio()
        except DataError as error:
            raise BrokenDonorError(str(error)) from error

    def _faces(self, key: TrackKey) -> Sequence[UInt8Array]:
        try:
            return self._tracks[key].media.faces()
        except DataError as error:
            raise BrokenDonorError(str(error)) from error

    def _recording(self, path: str, start: int, stop: int) -> Int16Array:
        try:
            return read_sound(Path(path), start, stop)[1]
        except DataError as error:
            raise BrokenDonorError(str(error)) from error
