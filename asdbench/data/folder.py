"""Your own data: one video per clip and a table of labels and face boxes (docs/data_folder.md).

::

    ROOT/labels.csv            one row per face and frame; the columns of the official AVA files, with or without header
    ROOT/tracks.csv            optional: source, person, sentence, kind and categories of each track
    ROOT/videos/<video_id>.mp4   or .mkv .mov .webm .avi
    ROOT/audio/<video_id>.flac   or .ogg .wav; optional, else the sound of the video
    ROOT/dataset.toml          optional: name, version, notes

One folder is one split. Nothing is decoded before a track is scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from asdbench.data.ava_csv import Annotation, measure_rates
from asdbench.data.crops import CropStyle
from asdbench.data.film_tracks import Films, crop_style, cut_fingerprint, film_track
from asdbench.data.fingerprint import fingerprint
from asdbench.data.folder_tables import Facts, dubbed_of, read_description, read_facts, read_labels, sources_of
from asdbench.data.video_media import Places
from asdbench.errors import DataError
from asdbench.types import Dataset, Track, TrackKey


def open_folder(root: Path, split: str = "val", name: str | None = None, *, crop: str = "box") -> Dataset:
    """Read the tables of a folder; media are opened later, track by track.

    Args:
        root: The folder that holds ``labels.csv`` and ``videos/``.
        split: Not used: a folder is one split.
        name: Short name for tables and folders; that of ``dataset.toml``, or the folder's, without one.
        crop: How faces are cut out: ``box`` or another of `asdbench.data.crops`.

    Raises:
        DataError: A file is missing or contradicts itself or another; the message has file and line.
        UsageError: There is no such way to cut.
    """
    style = crop_style(crop)
    labels = read_labels(root / "labels.csv")
    tracks_file = root / "tracks.csv"
    facts = read_facts(tracks_file, {rows.key: rows for rows in labels}) if tracks_file.exists() else {}
    description = read_description(root / "dataset.toml")
    reader = _Reader(root, labels, facts, style)
    tracks = tuple(reader.track(rows) for rows in labels)
    version = () if description.version is None else (f"version {description.version}",)
    return Dataset(
        name=name or description.name or root.resolve().name,
        format="folder",
        protocol="ava",
        tracks=tracks,
        fingerprint=fingerprint(tracks, cut_fingerprint(tracks, style) + "".join(version).encode()),
        notes=(*(f"{text} of the data" for text in version), *description.notes, *reader.notes()),
    )


class _Reader:
    """Joins the rows of both tables with the files on disk, counting what deserves a note."""

    def __init__(self, root: Path, labels: Sequence[Annotation], facts: dict[TrackKey, Facts], crop: CropStyle) -> None:
        self.labels_file, self.tracks_file = root / "labels.csv", root / "tracks.csv"
        self.facts, self.crop = facts, crop
        self.rates = measure_rates(labels)
        self.sources = sources_of(self.tracks_file, facts)
        self.films = Films([root / "videos"], [root / "audio"])
        self.gaps = 0

    def track(self, rows: Annotation) -> Track:
        if rows.boxes is None:
            raise DataError(f"{self.labels_file}: the face {rows.entity_id!r} has no boxes.")
        facts = self.facts.get(rows.key, Facts())
        film = self.films.find(rows.video_id)
        track = film_track(
            film,
            Places(self.labels_file, rows.lines.numbers[rows.rows].tolist()),
            rows.boxes,
            self.crop,
            key=rows.key,
            source_id=self.sources.get(rows.video_id, rows.video_id),
            timestamps_ms=rows.timestamps_ms,
            labels=rows.labels,
            fps=self._fps(rows),
        )
        return replace(
            track,
            person_id=facts.person_id,
            sentence_id=facts.sentence_id,
            dubbed=dubbed_of(self.tracks_file, facts, rows),
            scored=rows.scored,
            frame_size=film.size or facts.frame_size,
            categories=facts.categories,
        )

    def notes(self) -> tuple[str, ...]:
        """Return what a reader of the results must know about this data set."""
        if not self.gaps:
            return ()
        return (f"{self.gaps} tracks have gaps in time; behind one, models look at the wrong sound: unchanged",)

    def _fps(self, rows: Annotation) -> float:
        where = f"{self.labels_file}, line {rows.line(0)}"
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
