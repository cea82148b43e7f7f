"""A lender over what a test has at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from asdbench.types import Int16Array, Track, TrackKey, UInt8Array


@dataclass(frozen=True)
class Lending:
    """Lends what it was given; asking for anything else is a ``KeyError``."""

    sounds: Mapping[TrackKey, Int16Array] = field(default_factory=dict)
    pictures: Mapping[TrackKey, Sequence[UInt8Array]] = field(default_factory=dict)
    recordings: Mapping[str, Int16Array] = field(default_factory=dict)

    def audio(self, key: TrackKey) -> Int16Array:
        return self.sounds[key]

    def faces(self, key: TrackKey) -> Sequence[UInt8Array]:
        return self.pictures[key]

    def recording(self, path: str, start: int, stop: int) -> Int16Array:
        return self.recordings[path][start:stop]


class LendingTracks:
    """Lends the media of tracks, read anew each time."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._media = {track.key: track.media for track in tracks}

    def audio(self, key: TrackKey) -> Int16Array:
        return self._media[key].audio()

    def faces(self, key: TrackKey) -> Sequence[UInt8Array]:
        return self._media[key].faces()

    def recording(self, path: str, start: int, stop: int) -> Int16Array:
        raise NotImplementedError(path)
