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

import re
from functools import lru_cache
from pathlib import Path

import numpy as np

from asdbench.data.ava_csv import Annotation, LoaderLine, measure_rates, read_annotation, read_loader
from asdbench.data.ava_media import AvaMedia
from asdbench.data.fingerprint import fingerprint
from asdbench.data.ids import find_child
from asdbench.data.media import wav_length
from asdbench.errors import DataError
from asdbench.types import SAMPLE_RATE, Dataset, Track

# WASD cuts 30-second pieces named <11-character source>_<start>-<end>; pieces of one source are not independent.
_WASD_PIECE = re.compile(r"(?P<source>.{11})_\d+-\d+")


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
    rates = measure_rates(annotation, annotation_file) if loader is None else {}
    reader = _Reader(root, split, annotation_file, loader_file, loader, rates)
    tracks = tuple(reader.track(rows) for rows in annotation)
    return Dataset(
        name=name or f"{root.resolve().name}-{split}",
        format="ava",
        protocol="ava",
        tracks=tracks,
        fingerprint=fingerprint(tracks),
        notes=reader.notes(),
    )


class _Reader:
    """Joins annotation rows with the loader file and the files on disk, counting what deserves a note."""

    def __init__(
        self,
        root: Path,
        split: str,
        annotation: Path,
        loader: Path,
        lines: dict[str, LoaderLine] | None,
        rates: dict[str, float],
    ) -> None:
        self.root, self.split = root, split
        self.annotation, self.loader, self.lines = annotation, loader, lines
        self.contradicting = 0
        self.gaps = 0
        self.short_films: set[str] = set()
        self.broken_films: set[str] = set()
        self._film = lru_cache(maxsize=None)(self._open_film)
        self._rates = rates

    def track(self, rows: Annotation) -> Track:
        fps = self._fps(rows)
        start, end = (int(rows.timestamps_ms[i]) * SAMPLE_RATE // 1000 for i in (0, -1))
        film, length = self._film(rows.video_id)
        if length < end:
            # Cut to the annotated part, say, so that its samples are not where the timestamps point.
            self.short_films |= {rows.video_id} if film else set()
            film, length = None, end
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
            audio_margin=(start, length - end) if film else (0, 0),
            media=AvaMedia(
                wav=find_child(audio, f"{rows.entity_id}.wav"),
                faces_folder=find_child(video, rows.entity_id),
                timestamps_ms=tuple(rows.timestamps_ms.tolist()),
                film=film,
            ),
        )

    def _open_film(self, video_id: str) -> tuple[Path | None, int]:
        films = self.root / "orig_audios" / ("test" if self.split == "test" else "trainval")
        film = find_child(films, f"{video_id}.wav")
        if not film.is_file():
            return None, 0
        try:
            return film, wav_length(film)
        except DataError:
            self.broken_films.add(video_id)
            return None, 0

    def _fps(self, rows: Annotation) -> float:
        fps = self._rates.get(rows.video_id) if self.lines is None else self._loader_fps(rows, self.lines)
        if fps is None:
            raise DataError(
                f"{self.annotation}: the video {rows.video_id!r} has one frame per entity and there is no loader file, "
                "so its frame rate is unknown; write the loader file, or remove the rows."
            )
        steps = np.diff(rows.timestamps_ms)
        self.gaps += bool((steps > 1.5 * 1000 / fps).any())
        if len(steps) and not 0.75 < float(np.median(steps)) * fps / 1000 < 1.25:
            raise DataError(
                f"{self.loader}: {fps:g} frames per second for the entity {rows.entity_id!r}, whose rows in "
                f"{self.annotation} are {np.median(steps):g} ms apart; correct the frame rate."
            )
        return fps

    def _loader_fps(self, rows: Annotation, lines: dict[str, LoaderLine]) -> float:
        line = lines.get(rows.entity_id)
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
        if self.gaps:
            notes.append(f"{self.gaps} tracks have gaps in time; behind one, models look at the wrong sound: unchanged")
        for reason, films in (("unreadable", self.broken_films), ("shorter than the annotation", self.short_films)):
            if films:
                notes.append(
                    f"orig_audios: {len(films)} films are {reason} and not used ({', '.join(sorted(films)[:3])})"
                )
        return tuple(notes)
