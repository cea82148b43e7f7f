"""Cuts faces and sound of a data set into the community layout, so that they are decoded once and for all.

::

    OUT/prepared.json       what was prepared, out of what and with which libraries, split by split
    OUT/csv/                the tables of `asdbench.data.layout`, and <split>_skipped.csv where something is left out
    OUT/clips_videos/       face crops
    OUT/clips_audios/       the tracks' sound
    OUT/orig_audios/        the films' sound
    OUT/.prepare/           a record of each finished clip

The same command continues what was stopped, and does again what has changed since.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import msgspec

from asdbench.data.clip_pass import libraries
from asdbench.data.ids import is_safe
from asdbench.data.layout import CommunityLayout, TrackRows
from asdbench.data.prepare_clip import (
    RECORDS,
    SUFFIXES,
    Clip,
    ClipRecord,
    Job,
    prepare_clip,
    remove_clip,
)
from asdbench.data.prepare_folder import PreparedFolder
from asdbench.data.workers import run_all
from asdbench.errors import DataError, UsageError
from asdbench.types import Dataset, Track


@dataclass(frozen=True)
class PrepareOptions:
    """How a data set is prepared.

    Attributes:
        faces: ``png`` (every pixel is kept) or ``jpg`` (quality 95).
        workers: Processes; as many as there are CPUs by default.
        on_error: ``stop`` at broken media, or ``skip`` and count them.
        limit: Only the first so many tracks.
        data_options: The choices of the data format, which belong to the identity of what comes out.
        progress: Whether to show a progress bar; on a terminal by default.
    """

    faces: str = "png"
    workers: int | None = None
    on_error: Literal["stop", "skip"] = "stop"
    limit: int | None = None
    data_options: Mapping[str, str] = field(default_factory=dict)
    progress: bool | None = None


@dataclass(frozen=True)
class Prepared:
    """What lies in the folder now.

    Attributes:
        path: The folder.
        split: The part of the data set.
        counts: Of clips, tracks, frames, bytes, and of what was left out.
        skipped: What was left out: (video_id, entity_id, reason), the entity empty for a film.
        listing: The file that lists this, if anything was.
    """

    path: Path
    split: str
    counts: Mapping[str, int]
    skipped: tuple[tuple[str, str, str], ...]
    listing: Path

    def to_dict(self) -> dict[str, Any]:
        """Return everything for JSON."""
        rows = [dict(zip(("video_id", "entity_id", "reason"), row, strict=True)) for row in self.skipped]
        return {"path": str(self.path), "split": self.split, "counts": dict(self.counts), "skipped": rows}


def prepare(
    dataset: Dataset,
    out: Path,
    split: str = "val",
    options: PrepareOptions | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Prepared:
    """Write a data set in the community layout; the same call continues what was stopped.

    Args:
        dataset: The data set, opened.
        out: Where to; a new folder, or one with an earlier start of the same.
        split: What its files are called.
        options: How.
        notify: Told in a few words what happens.

    Raises:
        DataError: Broken media with ``on_error="stop"``, or not one track that could be prepared.
        NotComparableError: The folder holds something else that was prepared.
        UsageError: The folder holds something else, or an option is wrong.
        ResourceError: The disk is full, or another process is writing there.
    """
    options = options or PrepareOptions()
    tracks = dataset.tracks[: options.limit]
    _check(tracks, split, options)
    folder = PreparedFolder(out, split)
    earlier = folder.claim(_identity(dataset, options))
    with folder.lock():
        if earlier and earlier.get("source_fingerprint") != dataset.fingerprint:
            notify(f"the annotation of {dataset.name} has changed since {out} was begun")
        folder.write(_manifest(dataset, options) | {"state": "running"})
        job = Job(out, split, options.faces, options.on_error == "skip")
        clips = [Clip(video, tuple(group)) for video, group in groupby(tracks, key=lambda track: track.video_id)]
        records = _prepare_all(clips, job, options, notify)
        return _finish(folder, dataset, clips, records, options)


def _check(tracks: Sequence[Track], split: str, options: PrepareOptions) -> None:
    if options.faces not in SUFFIXES:
        raise UsageError(f"faces {options.faces!r}: expected {' or '.join(SUFFIXES)}.")
    if any(number is not None and number < 1 for number in (options.limit, options.workers)):
        raise UsageError("limit and workers count from 1.")
    if not is_safe(split):
        raise UsageError(f"the split {split!r} cannot name a folder.")
    for track in tracks:
        if not (is_safe(track.video_id) and is_safe(track.entity_id)):
            raise DataError(f"the track {track.entity_id!r} of video {track.video_id!r} cannot name files.")


def _identity(dataset: Dataset, options: PrepareOptions) -> dict[str, Any]:
    return {
        "source": dataset.name,
        "format": dataset.format,
        "data_options": dict(sorted(options.data_options.items())),
        "faces": options.faces,
        "limit": options.limit,
    }


def _manifest(dataset: Dataset, options: PrepareOptions) -> dict[str, Any]:
    return {
        "identity": _identity(dataset, options),
        "lossless": options.faces == "png",
        "protocol": dataset.protocol,
        "source_fingerprint": dataset.fingerprint,
        "notes": list(dataset.notes),
        "versions": libraries(),
    }


def _prepare_all(
    clips: Sequence[Clip], job: Job, options: PrepareOptions, notify: Callable[[str], None]
) -> dict[str, ClipRecord]:
    """Prepare what is not finished; return the records of all clips."""
    known = _read_records(job)
    records = {clip.video_id: known[clip.video_id] for clip in clips if _finished(clip, known, job)}
    gone = sorted(set(known) - {clip.video_id for clip in clips})
    for video_id in gone:
        remove_clip(video_id, job)
    todo = [clip for clip in clips if clip.video_id not in records]
    changed = [clip.video_id for clip in todo if clip.video_id in known]
    if gone:
        notify(f"{len(gone)} clips are no longer annotated and were removed ({', '.join(gone[:3])})")
    if changed:
        notify(f"{len(changed)} clips have changed since they were prepared: done again ({', '.join(changed[:3])})")
    if records:
        notify(f"{len(records)} of {len(clips)} clips were prepared before")
    total = sum(len(track) for clip in clips for track in clip.tracks)
    frames = [sum(map(len, clip.tracks)) for clip in todo]
    media = [track.media for clip in todo for track in clip.tracks]
    tasks = [(clip, job) for clip in todo]
    hidden = None if options.progress is None else not options.progress
    for record in run_all(prepare_clip, tasks, frames, options.workers, media=media, total=total, hidden=hidden):
        records[record.video_id] = record
    return records


def _read_records(job: Job) -> dict[str, ClipRecord]:
    known = {}
    for path in sorted((job.out / RECORDS / job.split).glob("*.json")):
        with suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):  # what cannot be read is done again
            record = msgspec.json.decode(path.read_bytes(), type=ClipRecord)
            if is_safe(record.video_id) and path == job.record_file(record.video_id):
                known[record.video_id] = record
    return known


def _finished(clip: Clip, known: Mapping[str, ClipRecord], job: Job) -> bool:
    """Whether a clip was prepared out of the same files, and what was written is still there."""
    record = known.get(clip.video_id)
    if record is None or record.identity != clip.identity(job.faces) or (record.skipped and not job.skip):
        return False
    tracks = {track.entity_id: track for track in clip.tracks}
    recorded = {entry.entity_id for entry in record.tracks} | {part.entity_id for part in record.skipped}
    if {*tracks} != recorded - {""}:
        return False
    layout = job.layout
    sizes = [
        (_size(layout.wav(tracks[entry.entity_id])), *_count(layout.faces(tracks[entry.entity_id])))
        for entry in record.tracks
    ]
    wanted = [(entry.wav_bytes, entry.frames, entry.face_bytes) for entry in record.tracks]
    return sizes == wanted and _size(layout.film(clip.video_id)) == record.film_bytes


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _count(folder: Path) -> tuple[int, int]:
    """Return how many files a folder holds, and their bytes: a machine that lost power may leave empty ones."""
    if not folder.is_dir():
        return 0, 0
    with os.scandir(folder) as entries:
        sizes = [entry.stat().st_size for entry in entries]
    return len(sizes), sum(sizes)


def _finish(
    folder: PreparedFolder,
    dataset: Dataset,
    clips: Sequence[Clip],
    records: Mapping[str, ClipRecord],
    options: PrepareOptions,
) -> Prepared:
    """Write the tables, what was skipped, and the manifest."""
    rows = [row for clip in clips for row in _rows(clip, records[clip.video_id])]
    skipped = tuple(
        (clip.video_id, each.entity_id, each.reason) for clip in clips for each in records[clip.video_id].skipped
    )
    if not rows:
        raise DataError(
            f"none of the {sum(len(clip.tracks) for clip in clips)} tracks could be prepared: {skipped[0][2]}"
        )
    CommunityLayout(folder.path, folder.split).write_tables(rows)
    folder.write_skipped(skipped)
    counts = _counts(clips, rows, records, skipped)
    content = hashlib.sha256()
    for clip in clips:
        content.update("".join(entry.digest for entry in records[clip.video_id].tracks).encode())
    finished = {"state": "complete", "counts": counts, "content": content.hexdigest()}
    folder.write(_manifest(dataset, options) | finished)
    folder.tidy()
    return Prepared(folder.path, folder.split, counts, skipped, folder.listing)


def _counts(
    clips: Sequence[Clip],
    rows: Sequence[TrackRows],
    records: Mapping[str, ClipRecord],
    skipped: Sequence[tuple[str, str, str]],
) -> dict[str, int]:
    films = sum(record.film_bytes for record in records.values())
    return {
        "clips": len(clips),
        "tracks": len(rows),
        "frames": sum(len(row.track) for row in rows),
        "skipped_tracks": sum(bool(entity) for _, entity, _ in skipped),
        "skipped_films": sum(not entity for _, entity, _ in skipped),
        "bytes": films + sum(each.face_bytes + each.wav_bytes for record in records.values() for each in record.tracks),
    }


def _rows(clip: Clip, record: ClipRecord) -> Iterator[TrackRows]:
    written = {entry.entity_id: entry for entry in record.tracks}
    for track in clip.tracks:
        entry = written.get(track.entity_id)
        if entry is not None:
            margin = track.audio_margin if record.film_bytes else (0, 0)
            yield TrackRows(replace(track, frame_size=entry.frame_size, audio_margin=margin), track.labels)
