"""The media of a track that is cut out of a video file when it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asdbench.data.crops import CropStyle
from asdbench.data.media import content_stamp
from asdbench.data.sound import read_sound
from asdbench.data.video import Face, read_crops
from asdbench.errors import DataError
from asdbench.types import AUDIO_TOLERANCE_MS, SAMPLE_RATE, Int16Array, Track, UInt8Array

_TOLERANCE = AUDIO_TOLERANCE_MS * SAMPLE_RATE // 1000


@dataclass(frozen=True, eq=False)
class Places:
    """Where the rows of a track stand in its annotation, for messages.

    Attributes:
        file: The annotation file.
        numbers: ``T`` numbers, one per row.
        what: What is counted: ``line``, or such as ``clip 'c', track 't', frame``.
    """

    file: Path
    numbers: Sequence[int]
    what: str = "line"

    def __getitem__(self, row: int) -> str:
        return f"{self.file}, {self.what} {self.numbers[row]}"


@dataclass(frozen=True, eq=False)
class VideoMedia:
    """Loads the audio and the faces of one track from a video (see ``asdbench.types.Media``).

    Attributes:
        video: The video.
        sound: The sound file, or the video where there is none.
        places: Where the ``T`` rows stand, for messages.
        timestamps_ms: ``T`` times.
        boxes: ``[T, 4]`` shares of the picture.
        crop: How faces are cut out.
    """

    video: Path
    sound: Path
    places: Places
    timestamps_ms: Sequence[int]
    boxes: NDArray[np.float64]
    crop: CropStyle = "box"

    def audio(self) -> Int16Array:
        """Return the sound from the first to the last timestamp; up to 80 ms that it sets in late are zeros."""
        start, stop = (self.timestamps_ms[i] * SAMPLE_RATE // 1000 for i in (0, -1))
        first, samples = read_sound(self.sound, start, stop)
        late, early = first - start, stop - first - len(samples)
        if max(late, early) > _TOLERANCE or not len(samples):
            raise DataError(
                f"{self.places[0]}: the track needs sound from {start / SAMPLE_RATE:.3f} to "
                f"{stop / SAMPLE_RATE:.3f} s, and {self.sound} has {len(samples) / SAMPLE_RATE:.3f} s of it; correct "
                "the times, or give the whole sound."
            )
        # Sound that sets in a little later than the pictures stays where it belongs.
        return np.concatenate([np.zeros(late, dtype=np.int16), samples]) if late else samples

    def audio_window(self, start: int, stop: int) -> Int16Array:
        """Return samples of the whole video's sound, counted from the start of the track."""
        offset = self.timestamps_ms[0] * SAMPLE_RATE // 1000
        first, samples = read_sound(self.sound, max(start + offset, 0), max(stop + offset, 0))
        # Within the track, sound that sets in late stays where `audio` has it.
        late = min(first - offset, stop) - max(start, 0)
        return np.concatenate([np.zeros(late, dtype=np.int16), samples]) if late > 0 else samples

    def faces(self) -> list[UInt8Array]:
        """Return the crop of every row, decoded anew."""
        return self._crops(len(self.timestamps_ms))

    def first_face(self) -> UInt8Array:
        """Return the crop of the first row alone."""
        return self._crops(1)[0]

    def _crops(self, count: int) -> list[UInt8Array]:
        return read_crops(self.video, self.timestamps_ms[:count], self.boxes[:count], self.places, self.crop)

    def stamp(self) -> str:
        """Return a hash of each file below 4 MB, which a new copy of it shares; of others size and time of change."""
        return "|".join(map(content_stamp, dict.fromkeys((self.video, self.sound))))


def faces_by_video(tracks: Sequence[Track]) -> dict[Path, dict[int, Face]]:
    """Return for each video the faces to be cut out of it, by the place of their track; of other media nothing."""
    videos: dict[Path, dict[int, Face]] = {}
    for index, media in enumerate(track.media for track in tracks):
        if isinstance(media, VideoMedia):
            face = Face(media.timestamps_ms, media.boxes, media.places, media.crop)
            videos.setdefault(media.video, {})[index] = face
    return videos
