"""The media files of a track in the community AVA layout, with a folder per video or without."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from asdbench.data.ids import find_child
from asdbench.data.media import file_stamp, read_gray, read_wav
from asdbench.errors import DataError
from asdbench.types import AUDIO_TOLERANCE_MS, SAMPLE_RATE, Int16Array, UInt8Array


@dataclass(frozen=True)
class AvaMedia:
    """Loads the audio and the faces of one track of the community layout (see ``asdbench.types.Media``)."""

    wav: Path
    faces_folder: Path
    timestamps_ms: tuple[int, ...]
    film: Path | None = None
    hint: str = ""
    """What else to do about missing crops."""

    def audio(self) -> Int16Array:
        """Return the track's wav."""
        samples = read_wav(self.wav)
        needed = (self.timestamps_ms[-1] - self.timestamps_ms[0]) * SAMPLE_RATE // 1000
        tolerance = AUDIO_TOLERANCE_MS * SAMPLE_RATE // 1000
        if len(samples) < max(needed - tolerance, 1):
            raise DataError(
                f"{self.wav}: {len(samples) / SAMPLE_RATE:.2f} s of audio for {len(self.timestamps_ms)} labelled "
                f"frames that span {needed / SAMPLE_RATE:.2f} s; extract it again."
            )
        return samples

    def audio_window(self, start: int, stop: int) -> Int16Array:
        """Return samples of the film where there is one, else of the track; cut off where the source ends."""
        source, offset = (self.wav, 0) if self.film is None else (self.film, self._film_offset())
        return read_wav(source, max(start + offset, 0), max(stop + offset, 0))

    def _film_offset(self) -> int:
        return self.timestamps_ms[0] * SAMPLE_RATE // 1000

    def faces(self) -> list[UInt8Array]:
        """Return the crop of every labelled frame, found by time."""
        return [read_gray(path) for path in self.face_files()]

    def audio_file(self) -> Path:
        """Return the file that holds the track's audio, for those who copy it."""
        return self.wav

    def face_files(self) -> list[Path]:
        """Return the file of every labelled frame's crop.

        Raises:
            DataError: One is missing, or there are two for one time.
        """
        crops = self._crops_by_time()
        # Names have two decimals, times in the csv may have three.
        found = [crops.get(time) or crops.get(round(time / 10) * 10) for time in self.timestamps_ms]
        missing = [time for time, path in zip(self.timestamps_ms, found, strict=True) if path is None]
        if missing:
            raise DataError(
                f"{self.faces_folder / f'{missing[0] / 1000:.2f}.jpg'}: the face crop is missing, and with it "
                f"{len(missing)} of {len(self.timestamps_ms)} labelled frames of this track; extract the crops "
                f"again{self.hint}."
            )
        files = [path for path in found if path is not None]
        if len(set(files)) < len(files):
            raise DataError(
                f"{self.faces_folder}: two labelled frames of this track share a crop, as their times differ by less "
                "than 10 ms; name crops by times with three decimals."
            )
        return files

    def stamp(self) -> str:
        """Return sizes and times of change of the wav, the film and the folder of crops."""
        return "|".join(file_stamp(path) for path in (self.wav, self.film, self.faces_folder) if path is not None)

    def _crops_by_time(self) -> dict[int, Path]:
        try:
            paths = [Path(entry.path) for entry in os.scandir(self.faces_folder)]
        except OSError as error:
            raise DataError(
                f"{self.faces_folder}: the folder of face crops cannot be read ({error.strerror})."
            ) from error
        crops: dict[int, Path] = {}
        for path in paths:
            if path.suffix.lower() in (".jpg", ".jpeg", ".png") and not path.name.startswith("."):
                time = _time_of(path)
                if time in crops:
                    raise DataError(f"{path}: a second crop for the same time as {crops[time].name}; remove one.")
                crops[time] = path
        return crops


@dataclass(frozen=True)
class PartMedia:
    """Loads a track of which rows were left out: the wav still starts where the whole track starts.

    Attributes:
        part: The rows that are left.
        start_ms: Time of the first row of the whole track.
        end_ms: Time of its last row.
    """

    part: AvaMedia
    start_ms: int
    end_ms: int

    @property
    def _skipped(self) -> int:
        return (self.part.timestamps_ms[0] - self.start_ms) * SAMPLE_RATE // 1000

    def audio(self) -> Int16Array:
        """Return the sound of the rows that are left."""
        whole = replace(self.part, timestamps_ms=(self.start_ms, self.end_ms)).audio()
        length = (self.part.timestamps_ms[-1] - self.part.timestamps_ms[0]) * SAMPLE_RATE // 1000
        return whole[self._skipped : self._skipped + length]

    def audio_window(self, start: int, stop: int) -> Int16Array:
        """Return samples of the film, counted from the first row that is left; as `AvaMedia.audio_window`."""
        if self.part.film is not None:
            return self.part.audio_window(start, stop)
        return read_wav(self.part.wav, max(start + self._skipped, 0), max(stop + self._skipped, 0))

    def faces(self) -> list[UInt8Array]:
        """Return the crops of the rows that are left."""
        return self.part.faces()

    def face_files(self) -> list[Path]:
        """Return what `AvaMedia.face_files` returns."""
        return self.part.face_files()

    def stamp(self) -> str:
        """Return what `AvaMedia.stamp` returns."""
        return self.part.stamp()


@dataclass(frozen=True)
class AvaFolders:
    """Where the crops and wavs of one split lie.

    In the layout of the TalkNet preprocessing there is a folder per video; in the flat one of ASC, MAAS and ASDNet,
    which `asdbench` reads as well, there is none.
    """

    videos: Path
    audios: Path

    def find(self, video_id: str, entity_id: str) -> tuple[Path, Path, bool]:
        """Return the wav and the folder of crops of a track, and whether anything of it is there."""
        video, audio = find_child(self.videos, video_id), find_child(self.audios, video_id)
        wav, faces = find_child(audio, f"{entity_id}.wav"), find_child(video, entity_id)
        if wav.is_file() or faces.is_dir():
            return wav, faces, True
        flat = find_child(self.audios, f"{entity_id}.wav"), find_child(self.videos, entity_id)
        if flat[0].is_file() or (entity_id != video_id and flat[1].is_dir()):
            return *flat, True
        return wav, faces, video.is_dir() or audio.is_dir()

    def is_flat(self, wav: Path) -> bool:
        """Whether a wav of `find` lies in no folder of its video."""
        return wav.parent == self.audios


def _time_of(path: Path) -> int:
    try:
        return round(float(path.stem) * 1000)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{path}: the name is not a time in seconds.") from error
