"""The community layout of AVA-ActiveSpeaker (TalkNet preprocessing), as many data sets and code bases use it.

::

    ROOT/csv/<split>_orig.csv                              annotation, one row per face and frame
    ROOT/csv/<split>_loader.csv                            tab-separated: entity_id, frames, fps, [labels], number
    ROOT/clips_videos/<split>/<video>/<entity>/<time>.jpg  face crops, time in seconds with two decimals
    ROOT/clips_audios/<split>/<video>/<entity>.wav         16 kHz mono, first to last timestamp of the track
    ROOT/orig_audios/{trainval,test}/<video>.wav           optional: the film's audio, for shifts beyond a track's ends

Everything is joined by (video_id, entity_id, time in ms). The loader file gives frame rates; its order means nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asdbench.data.ava_csv import Annotation, LoaderLine, read_annotation, read_loader
from asdbench.data.ids import find_child
from asdbench.data.media import read_gray, read_wav, wav_length
from asdbench.errors import DataError
from asdbench.types import AUDIO_TOLERANCE_MS, SAMPLE_RATE, Dataset, Int16Array, Track, UInt8Array

# WASD cuts 30-second pieces named <11-character source>_<start>-<end>; pieces of one source are not independent.
_WASD_PIECE = re.compile(r"(?P<source>.{11})_\d+-\d+")


@dataclass(frozen=True)
class AvaMedia:
    """Loads the audio and the faces of one track of the community layout (see ``asdbench.types.Media``)."""

    wav: Path
    faces_folder: Path
    timestamps_ms: tuple[int, ...]
    film: Path | None = None

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
        crops = self._crops_by_time()
        missing = [time for time in self.timestamps_ms if time not in crops]
        if missing:
            raise DataError(
                f"{self.faces_folder / f'{missing[0] / 1000:.2f}.jpg'}: the face crop is missing, and with it "
                f"{len(missing)} of {len(self.timestamps_ms)} labelled frames of this track; extract the crops again."
            )
        return [read_gray(crops[time]) for time in self.timestamps_ms]

    def _crops_by_time(self) -> dict[int, Path]:
        try:
            paths = [Path(entry.path) for entry in os.scandir(self.faces_folder)]
        except OSError as error:
            raise DataError(
                f"{self.faces_folder}: the folder of face crops cannot be read ({error.strerror})."
            ) from error
        crops = {}
        for path in paths:
            if path.suffix.lower() in (".jpg", ".jpeg", ".png") and not path.name.startswith("."):
                try:
                    crops[round(float(path.stem) * 1000)] = path
                except (ValueError, OverflowError) as error:
                    raise DataError(f"{path}: the name is not a time in seconds.") from error
        return crops


def open_ava(root: Path, split: str = "val", name: str | None = None) -> Dataset:
    """Read the annotation of a folder in the community layout; media are opened later, track by track.

    Args:
        root: The folder that holds ``csv/``, ``clips_videos/`` and ``clips_audios/``.
        split: ``val``, ``train``, ``test``, or whatever the csv files are called.
        name: Short name for tables and folders; the folder's name and the split without one.

    Raises:
        DataError: A file is missing or contradicts itself or another; the message has file and line.
    """
    annotation_file = root / "csv" / f"{split}_orig.csv"
    if not annotation_file.is_file():
        found = sorted(path.name.removesuffix("_orig.csv") for path in (root / "csv").glob("*_orig.csv"))
        hint = f"splits found there: {', '.join(found)}" if found else "expected the TalkNet preprocessing layout"
        raise DataError(f"{annotation_file}: the annotation file is missing; {hint}.")
    annotation = read_annotation(annotation_file)
    loader_file = root / "csv" / f"{split}_loader.csv"
    loader = read_loader(loader_file) if loader_file.is_file() else None
    reader = _Reader(root, split, annotation_file, loader_file, loader)
    tracks = tuple(reader.track(rows) for rows in annotation)
    return Dataset(
        name=name or f"{root.resolve().name}-{split}",
        format="ava",
        protocol="ava",
        tracks=tracks,
        fingerprint=_fingerprint(tracks),
        notes=reader.notes(),
    )


class _Reader:
    """Joins annotation rows with the loader file and the files on disk, counting what deserves a note."""

    def __init__(
        self, root: Path, split: str, annotation: Path, loader: Path, lines: dict[str, LoaderLine] | None
    ) -> None:
        self.root, self.split = root, split
        self.annotation, self.loader, self.lines = annotation, loader, lines
        self.contradicting = 0
        self._film_length = lru_cache(maxsize=None)(wav_length)

    def track(self, rows: Annotation) -> Track:
        fps = self._fps(rows)
        films = self.root / "orig_audios" / ("test" if self.split == "test" else "trainval")
        film = find_child(films, f"{rows.video_id}.wav")
        start, end = (int(rows.timestamps_ms[i]) * SAMPLE_RATE // 1000 for i in (0, -1))
        margin = (start, max(self._film_length(film) - end, 0)) if film.is_file() else (0, 0)
        video = find_child(self.root / "clips_videos" / self.split, rows.video_id)
        audio = find_child(self.root / "clips_audios" / self.split, rows.video_id)
        piece = _WASD_PIECE.fullmatch(rows.video_id)
        return Track(
            video_id=rows.video_id,
            entity_id=rows.entity_id,
            source_id=piece["source"] if piece else rows.video_id,
            timestamps_ms=rows.timestamps_ms,
            labels=rows.labels,
            fps=fps,
            num_samples=end - start,
            audio_margin=margin,
            media=AvaMedia(
                wav=find_child(audio, f"{rows.entity_id}.wav"),
                faces_folder=find_child(video, rows.entity_id),
                timestamps_ms=tuple(rows.timestamps_ms.tolist()),
                film=film if film.is_file() else None,
            ),
        )

    def _fps(self, rows: Annotation) -> float:
        if self.lines is None:
            return _measured_fps(rows, self.annotation)
        line = self.lines.get(rows.entity_id)
        if line is None:
            raise DataError(
                f"{self.loader}: no line for the entity {rows.entity_id!r} of {self.annotation}; "
                "add it, or remove the loader file to have frame rates measured from the timestamps."
            )
        if line.num_frames != len(rows.timestamps_ms):
            raise DataError(
                f"{self.loader}, line {line.number}: {line.num_frames} frames for the entity {rows.entity_id!r}, "
                f"which has {len(rows.timestamps_ms)} rows in {self.annotation}; write both files again."
            )
        self.contradicting += line.speaking != tuple((rows.labels == 1).tolist())
        return line.fps

    def notes(self) -> tuple[str, ...]:
        """Return what a reader of the results must know about this data set."""
        notes = []
        if self.lines is None:
            notes.append(f"no {self.loader.name}: frame rates are measured from the timestamps")
        if self.contradicting:
            notes.append(
                f"{self.contradicting} tracks: labels in {self.loader.name} differ from the text labels, which count"
            )
        return tuple(notes)


def _measured_fps(rows: Annotation, path: Path) -> float:
    if len(rows.timestamps_ms) < 2:
        raise DataError(
            f"{path}: the entity {rows.entity_id!r} has one frame and there is no loader file, so its frame rate is "
            "unknown; write the loader file, or remove the row."
        )
    # The mean over gapless steps averages out timestamps rounded to 10 ms.
    steps: NDArray[np.int64] = np.diff(rows.timestamps_ms)
    return round(1000 / float(steps[steps <= 1.5 * np.median(steps)].mean()), 2)


def _fingerprint(tracks: tuple[Track, ...]) -> str:
    digest = hashlib.sha256()
    for track in tracks:
        digest.update(
            repr((track.key, track.source_id, track.fps, track.num_samples, track.audio_margin, len(track))).encode()
        )
        digest.update(track.timestamps_ms.astype("<i8").tobytes())
        digest.update(track.labels.tobytes())
    return digest.hexdigest()
