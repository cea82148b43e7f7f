"""Joins annotation, loader file, tracks.csv and media of the community AVA layout to tracks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from asdbench.data.ava_csv import Annotation, find_line, measure_rates, read_loader
from asdbench.data.ava_media import AvaFolders, AvaMedia, PartMedia
from asdbench.data.crops import CropStyle
from asdbench.data.film_tracks import Films, film_track
from asdbench.data.folder_tables import Facts, dubbed_of, is_dubbed, read_facts, sources_of
from asdbench.data.ids import find_child
from asdbench.data.layout import TRACK_COLUMNS
from asdbench.data.media import wav_length
from asdbench.data.video_media import Places
from asdbench.errors import DataError
from asdbench.types import AUDIO_TOLERANCE_MS, SAMPLE_RATE, Track, TrackKey

_HINT = (
    "; if those missing are the ones labelled SPEAKING_NOT_AUDIBLE, which WASD's extraction leaves out, leave them out "
    "here as well with --data-option inaudible=drop"
)


class AvaTracks:
    """Makes the tracks of one split, counting what deserves a note.

    Args:
        root: The folder of the data set.
        split: The split.
        annotation: The annotation file, or the first of them, for messages.
        rows: Its content.
        crop: How faces are cut out of films.
        drop: Whether rows labelled SPEAKING_NOT_AUDIBLE are left out.
    """

    def __init__(
        self, root: Path, split: str, annotation: Path, rows: Sequence[Annotation], crop: CropStyle, *, drop: bool
    ) -> None:
        self.root, self.split, self.annotation, self.rows, self.crop, self.drop = (
            root,
            split,
            annotation,
            rows,
            crop,
            drop,
        )
        self.cut = 0
        self._loader = root / "csv" / f"{split}_loader.csv"
        self._lines = read_loader(self._loader) if self._loader.is_file() else None
        self._told = root / "csv" / f"{split}_tracks.csv"
        self._facts = self._read_facts()
        unknown = [each for each in rows if self._lines is None and self._fact(each).fps is None]
        self._rates = measure_rates(rows) if unknown else {}
        self._videos = Counter(each.entity_id for each in rows)
        part = "test" if split == "test" else "trainval"
        self._sounds = root / "orig_audios" / part
        self._folders = AvaFolders(root / "clips_videos" / split, root / "clips_audios" / split)
        self._films = Films([root / "videos", root / "videos" / split, root / "orig_videos" / part], [self._sounds])
        self._film = lru_cache(maxsize=None)(self._open_film)
        self._counts: Counter[str] = Counter()
        self._short: set[str] = set()
        self._broken: set[str] = set()

    def tracks(self, source: Callable[[str], str], categories: Callable[[str], tuple[str, ...]]) -> tuple[Track, ...]:
        """Return the tracks in the order of their keys.

        Args:
            source: Video to recording, where tracks.csv does not say.
            categories: Video to categories, where tracks.csv does not say.

        Raises:
            DataError: Files contradict each other.
        """
        sources = sources_of(self._told, self._facts)
        tracks = []
        for each in self.rows:
            fps = self._fps(each)
            rows = self._heard(each)
            if rows is None:
                continue
            facts = self._fact(rows)
            tracks.append(
                replace(
                    self._with_media(each, rows, sources.get(rows.video_id) or source(rows.video_id), fps),
                    person_id=facts.person_id,
                    sentence_id=facts.sentence_id,
                    dubbed=dubbed_of(self._told, facts, rows),
                    scored=rows.scored,
                    voiced=rows.voiced,
                    categories=facts.categories or categories(rows.video_id),
                )
            )
        return tuple(tracks)

    def notes(self) -> tuple[str, ...]:
        """Return what a reader of the results must know about this data set."""
        notes = [f"no {self._loader.name}: frame rates are measured from the timestamps"] if self._rates else []
        texts = {
            "contradicting": f"tracks: labels in {self._loader.name} differ from the text labels, which count",
            "gaps": "tracks have gaps in time; behind one, models look at the wrong sound: unchanged",
            "boxes": "tracks have boxes that are no shares of the picture, which are not used",
            "dropped": "rows labelled SPEAKING_NOT_AUDIBLE are left out",
        }
        notes += [f"{self._counts[name]} {text}" for name, text in texts.items() if self._counts[name]]
        if self.cut:
            notes.append(f"{self.cut} tracks have no crops and are cut out of the films ({self.crop})")
        if self.split == "test" and not any((rows.labels == 1).any() for rows in self.rows):
            notes.append("no row is labelled as speaking: labels of a test set that are not public, so AP is undefined")
        for reason, films in (("unreadable", self._broken), ("shorter than the annotation", self._short)):
            if films:
                notes.append(
                    f"orig_audios: {len(films)} films are {reason} and not used ({', '.join(sorted(films)[:3])})"
                )
        return tuple(notes)

    def _read_facts(self) -> dict[TrackKey, Facts]:
        if not self._told.exists():
            return {}
        known = {each.key: each for each in self.rows}
        return read_facts(self._told, known, self.annotation.name, TRACK_COLUMNS[2:])

    def _fact(self, rows: Annotation) -> Facts:
        return self._facts.get(rows.key, Facts())

    def _heard(self, rows: Annotation) -> Annotation | None:
        """Return the rows that are kept, ``None`` if there is none."""
        kept = np.flatnonzero(~rows.inaudible)
        # In a dubbed track, these rows are what the data set is about.
        if not self.drop or len(kept) == len(rows.rows) or is_dubbed(self._fact(rows)):
            return rows
        self._counts["dropped"] += len(rows.rows) - len(kept)
        return rows.part(kept) if len(kept) else None

    def _with_media(self, whole: Annotation, rows: Annotation, source_id: str, fps: float) -> Track:
        wav, faces, there = self._folders.find(rows.video_id, rows.entity_id)
        if not there and rows.boxes is not None and self._films.path(rows.video_id):
            self.cut += 1
            return film_track(
                self._films.find(rows.video_id),
                Places(rows.lines.path, rows.lines.numbers[rows.rows].tolist()),
                rows.boxes,
                self.crop,
                key=rows.key,
                source_id=source_id,
                timestamps_ms=rows.timestamps_ms,
                labels=rows.labels,
                fps=fps,
            )
        if self._folders.is_flat(wav) and self._videos[rows.entity_id] > 1:
            raise DataError(
                f"{wav}: the entity {rows.entity_id!r} occurs in {self._videos[rows.entity_id]} videos of "
                f"{self.annotation}, and without a folder per video it is unclear whose file this is; add the folders."
            )
        return self._cropped(whole, rows, source_id, fps, wav, faces)

    def _cropped(
        self, whole: Annotation, rows: Annotation, source_id: str, fps: float, wav: Path, faces: Path
    ) -> Track:
        times = rows.timestamps_ms
        start, end = (int(times[i]) * SAMPLE_RATE // 1000 for i in (0, -1))
        film, length = self._film(rows.video_id)
        facts = self._fact(rows)
        # What `asdbench data prepare` wrote lies where the timestamps point, though it may end a little early.
        if length < end - (AUDIO_TOLERANCE_MS * SAMPLE_RATE // 1000 if facts.audio_margin else 0):
            # Cut to the annotated part, say, so that its samples are not where the timestamps point.
            self._short |= {rows.video_id} if film else set()
            film, length = None, end
        media = AvaMedia(wav, faces, tuple(times.tolist()), film, _HINT if rows.inaudible.any() else "")
        before, after = facts.audio_margin or (start, length)
        self._counts["boxes"] += rows.boxes is None and rows.has_boxes
        return Track(
            *rows.key,
            source_id=source_id,
            timestamps_ms=times,
            labels=rows.labels,
            fps=fps,
            num_samples=end - start,
            audio_margin=(min(start, before), min(max(length - end, 0), after)) if film else (0, 0),
            media=media
            if rows is whole
            else PartMedia(media, int(whole.timestamps_ms[0]), int(whole.timestamps_ms[-1])),
            boxes=None if rows.boxes is None else rows.boxes.astype(np.float32),
            frame_size=facts.frame_size,
            face_in_crop=None if rows.face_in_crop is None else rows.face_in_crop.astype(np.float32),
        )

    def _open_film(self, video_id: str) -> tuple[Path | None, int]:
        film = find_child(self._sounds, f"{video_id}.wav")
        if not film.is_file():
            return None, 0
        try:
            return film, wav_length(film)
        except DataError:
            self._broken.add(video_id)
            return None, 0

    def _fps(self, rows: Annotation) -> float:
        fps, where = self._told_fps(rows)
        steps = np.diff(rows.timestamps_ms)
        self._counts["gaps"] += bool((steps > 1.5 * 1000 / fps).any())
        if len(steps) and not 0.75 < float(np.median(steps)) * fps / 1000 < 1.25:
            raise DataError(
                f"{where}: {fps:g} frames per second for the entity {rows.entity_id!r}, whose rows in "
                f"{rows.lines.path} are {np.median(steps):g} ms apart; correct the frame rate."
            )
        return fps

    def _told_fps(self, rows: Annotation) -> tuple[float, str]:
        """Return the frame rate of a track and which file tells it."""
        line = None if self._lines is None else find_line(self._loader, self._lines, rows, self._videos[rows.entity_id])
        self._counts["contradicting"] += line is not None and line.speaking != tuple((rows.labels == 1).tolist())
        facts = self._fact(rows)
        if facts.fps is not None:
            return facts.fps, f"{self._told}, line {facts.line}"
        if line is not None:
            return line.fps, f"{self._loader}, line {line.number}"
        fps = self._rates.get(rows.video_id)
        if fps is None:
            raise DataError(
                f"{rows.lines.path}, line {rows.line(0)}: the video {rows.video_id!r} has one frame per entity and "
                "there is no loader file, so its frame rate is unknown; write the loader file, or remove the rows."
            )
        return fps, f"{rows.lines.path}, line {rows.line(0)}"
