"""Your own data: one video per clip and a table of labels and face boxes (docs/data_folder.md).

::

    ROOT/labels.csv            one row per face and frame; the columns of the official AVA files, with or without header
    ROOT/tracks.csv            optional: source, person, sentence and kind of each track
    ROOT/videos/<video_id>.mp4   or .mkv .mov .webm .avi
    ROOT/audio/<video_id>.flac   or .ogg .wav; optional, else the sound of the video
    ROOT/dataset.toml          optional: name, version, notes

One folder is one split. Nothing is decoded before a track is scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from asdbench.data.ava_csv import measure_rates
from asdbench.data.fingerprint import fingerprint
from asdbench.data.folder_tables import Facts, Labels, read_description, read_facts, read_labels
from asdbench.data.ids import find_child
from asdbench.data.sound import SOUND_SUFFIXES, sound_span
from asdbench.data.video_media import Places, VideoMedia
from asdbench.errors import DataError
from asdbench.types import SAMPLE_RATE, BoolArray, Dataset, Track, TrackKey

_VIDEO_SUFFIXES = (".mp4", ".mkv", ".mov", ".webm", ".avi")
_DUBBED = "dubbed"
_NO_FACTS = Facts(0, None, None, None, None)


def open_folder(root: Path, split: str = "val", name: str | None = None) -> Dataset:
    """Read the tables of a folder; media are opened later, track by track.

    Args:
        root: The folder that holds ``labels.csv`` and ``videos/``.
        split: Not used: a folder is one split.
        name: Short name for tables and folders; that of ``dataset.toml``, or the folder's, without one.

    Raises:
        DataError: A file is missing or contradicts itself or another; the message has file and line.
    """
    labels = read_labels(root / "labels.csv")
    tracks_file = root / "tracks.csv"
    known = {rows.key: rows for rows in labels}
    facts = read_facts(tracks_file, known) if tracks_file.exists() else {}
    description = read_description(root / "dataset.toml")
    reader = _Reader(root, labels, facts)
    tracks = tuple(reader.track(rows) for rows in labels)
    version = () if description.version is None else (f"version {description.version}",)
    boxes = b"".join(rows.boxes.astype("<f8").tobytes() for rows in labels)
    return Dataset(
        name=name or description.name or root.resolve().name,
        format="folder",
        protocol="ava",
        tracks=tracks,
        fingerprint=fingerprint(tracks, boxes + "".join(version).encode()),
        notes=(*(f"{text} of the data" for text in version), *description.notes, *reader.notes()),
    )


class _Reader:
    """Joins the rows of both tables with the files on disk, counting what deserves a note."""

    def __init__(self, root: Path, labels: Sequence[Labels], facts: dict[TrackKey, Facts]) -> None:
        self.root = root
        self.labels_file, self.tracks_file = root / "labels.csv", root / "tracks.csv"
        self.facts = facts
        self.rates = measure_rates((rows.annotation for rows in labels), self.labels_file)
        self.sources = self._sources()
        self.gaps = 0
        self._span = lru_cache(maxsize=None)(_span)
        self._files = lru_cache(maxsize=None)(self._find_files)

    def track(self, labels: Labels) -> Track:
        rows = labels.annotation
        facts = self.facts.get(labels.key, _NO_FACTS)
        start, end = (int(rows.timestamps_ms[i]) * SAMPLE_RATE // 1000 for i in (0, -1))
        video, sound = self._files(rows.video_id)
        return Track(
            video_id=rows.video_id,
            entity_id=rows.entity_id,
            source_id=self.sources.get(rows.video_id, rows.video_id),
            timestamps_ms=rows.timestamps_ms,
            labels=rows.labels,
            fps=self._fps(labels),
            num_samples=end - start,
            audio_margin=self._margin(sound, start, end),
            media=VideoMedia(
                video,
                sound,
                Places(self.labels_file, labels.lines),
                tuple(rows.timestamps_ms.tolist()),
                labels.boxes,
            ),
            boxes=labels.boxes.astype(np.float32),
            person_id=facts.person_id,
            sentence_id=facts.sentence_id,
            dubbed=self._dubbed(labels) if (facts.kind or "").casefold() == _DUBBED else None,
        )

    def notes(self) -> tuple[str, ...]:
        """Return what a reader of the results must know about this data set."""
        if not self.gaps:
            return ()
        return (f"{self.gaps} tracks have gaps in time; behind one, models look at the wrong sound: unchanged",)

    def _sources(self) -> dict[str, str]:
        """Return the source of every video that is given one; all its tracks are of one recording."""
        sources: dict[str, tuple[str, int]] = {}
        for key, facts in self.facts.items():
            if facts.source_id is None:
                continue
            source, line = sources.setdefault(key.video_id, (facts.source_id, facts.line))
            if source != facts.source_id:
                raise DataError(
                    f"{self.tracks_file}, line {facts.line}: the source_id {facts.source_id!r} for the video "
                    f"{key.video_id!r}, which has {source!r} on line {line}; a video comes from one recording."
                )
        return {video: source for video, (source, _) in sources.items()}

    def _fps(self, labels: Labels) -> float:
        rows, where = labels.annotation, f"{self.labels_file}, line {labels.lines[0]}"
        if len(rows.timestamps_ms) == 1:
            raise DataError(
                f"{where}: the only row of the face {rows.entity_id!r} of the video {rows.video_id!r}, so the track "
                "has no length and no sound; label at least two frames of it, or remove the row."
            )
        fps = self.rates[rows.video_id]
        steps = np.diff(rows.timestamps_ms)
        self.gaps += bool((steps > 1.5 * 1000 / fps).any())
        if not 0.75 < float(np.median(steps)) * fps / 1000 < 1.25:
            raise DataError(
                f"{where}: the rows of the face {rows.entity_id!r} are {np.median(steps):g} ms apart, those of its "
                f"video {1000 / fps:.4g} ms; label every frame of every face at one rate."
            )
        return fps

    def _margin(self, sound: Path, start: int, end: int) -> tuple[int, int]:
        """Return how much sound lies before and after a track; none if it cannot be read, which scoring tells."""
        span = self._span(sound)
        return (max(start - max(span[0], 0), 0), max(span[1] - end, 0)) if span else (0, 0)

    def _dubbed(self, labels: Labels) -> BoolArray:
        speaking, line = np.flatnonzero(labels.annotation.labels), self.facts[labels.key].line
        if len(speaking):
            raise DataError(
                f"{self.labels_file}, line {labels.lines[speaking[0]]}: SPEAKING_AUDIBLE in a track that is "
                f"{_DUBBED} ({self.tracks_file.name}, line {line}); where its lips move, it is SPEAKING_NOT_AUDIBLE."
            )
        if not labels.inaudible.any():
            raise DataError(
                f"{self.tracks_file}, line {line}: the track {labels.key.entity_id!r} of video {labels.key.video_id!r} "
                f"is {_DUBBED}, but no row of it in {self.labels_file.name} is SPEAKING_NOT_AUDIBLE; label the rows "
                "where its lips move so, or give it another kind."
            )
        return labels.inaudible

    def _find_files(self, video_id: str) -> tuple[Path, Path]:
        """Return the video and the file with its sound."""
        videos = self.root / "videos"
        video = _only(videos, video_id, _VIDEO_SUFFIXES) or videos / f"{video_id}{_VIDEO_SUFFIXES[0]}"
        return video, _only(self.root / "audio", video_id, SOUND_SUFFIXES) or video


def _only(folder: Path, video_id: str, suffixes: Sequence[str]) -> Path | None:
    paths = [path for suffix in suffixes if (path := find_child(folder, f"{video_id}{suffix}")).is_file()]
    if len(paths) > 1:
        raise DataError(f"{paths[1]}: a second file for the same video as {paths[0].name}; remove one.")
    return paths[0] if paths else None


def _span(sound: Path) -> tuple[int, int] | None:
    try:
        return sound_span(sound)
    except DataError:
        return None
