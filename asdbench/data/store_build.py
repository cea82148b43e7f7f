"""Makes a prepared store of a data set: each video decoded once, in several processes; the same call continues."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from asdbench.atomic import write_json, write_text
from asdbench.data.clip_pass import libraries
from asdbench.data.lock import LOCK, locked
from asdbench.data.prepare import Prepared, PrepareOptions
from asdbench.data.store import MANIFEST, Manifest, read_manifest, tables_digest
from asdbench.data.store_clip import (
    MEDIA,
    StoreClip,
    StoredClip,
    StoredTrack,
    faces_file,
    record_file,
    sound_file,
    store_clip,
)
from asdbench.data.store_tables import write_tables
from asdbench.data.workers import run_all
from asdbench.errors import DataError, NotComparableError, UsageError
from asdbench.types import Dataset, Track

_SKIPPED = "skipped.csv"


def build_store(
    dataset: Dataset,
    out: Path,
    split: str = "val",
    options: PrepareOptions | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Prepared:
    """Write a data set as a store; the same call continues what was stopped.

    Args:
        dataset: The data set, opened.
        out: Where to; a new folder, or one with an earlier start of the same.
        split: Part of the data set that it is.
        options: How; ``faces`` has no say, every pixel is kept.
        notify: Told in a few words what happens.

    Raises:
        DataError: Broken media with ``on_error="stop"``, or not one track that could be prepared.
        NotComparableError: The folder holds another store.
        UsageError: The folder holds something else, or an option is wrong.
        ResourceError: The disk is full, or another process is writing there.
    """
    options = options or PrepareOptions()
    if any(number is not None and number < 1 for number in (options.limit, options.workers)):
        raise UsageError("limit and workers count from 1.")
    manifest = _manifest(dataset, split, options)
    _claim(out, manifest)
    with locked(out):
        _write(out, manifest)
        tracks = dataset.tracks[: options.limit]
        clips = [StoreClip(video, tuple(group)) for video, group in groupby(tracks, key=lambda track: track.video_id)]
        return _finish(out, manifest, clips, _store_all(clips, out, options, notify), split)


def _manifest(dataset: Dataset, split: str, options: PrepareOptions) -> Manifest:
    return Manifest(
        identity={
            "source": dataset.name,
            "format": dataset.format,
            "split": split,
            "data_options": dict(sorted(options.data_options.items())),
            "limit": options.limit,
            "fingerprint": dataset.fingerprint,
        },
        name=dataset.name,
        format=dataset.format,
        protocol=dataset.protocol,
        fingerprint=dataset.fingerprint,
        notes=list(dataset.notes),
        versions=libraries(),
    )


def _claim(out: Path, manifest: Manifest) -> None:
    if not (out / MANIFEST).exists():
        if out.exists() and (not out.is_dir() or any(map(_foreign, out.iterdir()))):
            raise UsageError(f"{out}: exists and is not a store; choose another --out.")
        try:
            (out / MEDIA).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{out}: cannot be created ({error.strerror}); choose another --out.") from error
        return
    before, now = read_manifest(out).identity, manifest.identity
    differing = [
        f"{name} ({before.get(name)!r} there, {now[name]!r} now)" for name in now if before.get(name) != now[name]
    ]
    if differing:
        raise NotComparableError(f"{out}: holds another store: {'; '.join(differing)}; choose another --out.")


def _foreign(path: Path) -> bool:
    # A killed start may leave a lock or a half-written file.
    return path.name not in (LOCK, MEDIA) and not (path.name.startswith(".") and path.name.endswith(".tmp"))


def _write(out: Path, manifest: Manifest) -> None:
    write_json(out / MANIFEST, msgspec.to_builtins(manifest))


def _store_all(
    clips: Sequence[StoreClip], out: Path, options: PrepareOptions, notify: Callable[[str], None]
) -> dict[str, StoredClip]:
    """Store what is not finished; return the records of all videos."""
    skip = options.on_error == "skip"
    records = {clip.video_id: record for clip in clips if (record := _finished(clip, out, skip)) is not None}
    todo = [clip for clip in clips if clip.video_id not in records]
    if records:
        notify(f"{len(records)} of {len(clips)} videos were stored before")
    total = sum(len(track) for clip in clips for track in clip.tracks)
    frames = [sum(map(len, clip.tracks)) for clip in todo]
    media = [track.media for clip in todo for track in clip.tracks]
    hidden = None if options.progress is None else not options.progress
    tasks = [(clip, out, skip) for clip in todo]
    for record in run_all(store_clip, tasks, frames, options.workers, media=media, total=total, hidden=hidden):
        records[record.video_id] = record
    return records


def _finished(clip: StoreClip, out: Path, skip: bool) -> StoredClip | None:
    """Return the record of a video that was stored out of the same files, and is still there."""
    try:
        record = msgspec.json.decode(record_file(out, clip.stem).read_bytes(), type=StoredClip)
        sizes = tuple(place(out, clip.stem).stat().st_size for place in (faces_file, sound_file))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None  # what cannot be read is done again
    same = record.video_id == clip.video_id and sizes == (record.face_bytes, record.sound_bytes)
    return record if same and record.identity == clip.identity() and (skip or not record.skipped) else None


def _finish(
    out: Path, manifest: Manifest, clips: Sequence[StoreClip], records: Mapping[str, StoredClip], split: str
) -> Prepared:
    """Write tables, what was left out, and the manifest; remove the files of videos that are no longer annotated."""
    rows = [row for clip in clips for row in _rows(clip, records[clip.video_id])]
    skipped = tuple(
        (clip.video_id, part.entity_id, part.reason) for clip in clips for part in records[clip.video_id].skipped
    )
    if not rows:
        raise DataError(
            f"none of the {sum(len(clip.tracks) for clip in clips)} tracks could be stored: {skipped[0][2]}"
        )
    write_tables(out, rows)
    _write_skipped(out, skipped)
    wanted = {clip.stem for clip in clips}
    for file in sorted((out / MEDIA).iterdir()):
        if file.stem not in wanted:
            file.unlink()
    manifest.state, manifest.tables = "complete", tables_digest(out)
    if skipped:
        left_out = repr(sorted(part[:2] for part in skipped)).encode()
        manifest.fingerprint = hashlib.sha256(manifest.fingerprint.encode() + left_out).hexdigest()
        manifest.notes.append(f"{len(skipped)} tracks were left out of the store, see {_SKIPPED}")
    manifest.counts = {
        "clips": len(clips),
        "tracks": len(rows),
        "frames": sum(len(track) for track, _ in rows),
        "skipped_tracks": len(skipped),
        "skipped_films": 0,
        "bytes": sum(record.face_bytes + record.sound_bytes for record in records.values()),
    }
    _write(out, manifest)
    return Prepared(out, split, manifest.counts, skipped, out / _SKIPPED)


def _rows(clip: StoreClip, record: StoredClip) -> Iterator[tuple[Track, StoredTrack]]:
    written = {each.entity_id: each for each in record.tracks}
    for track in clip.tracks:
        if track.entity_id in written:
            yield track, written[track.entity_id]


def _write_skipped(out: Path, skipped: Sequence[tuple[str, str, str]]) -> None:
    if not skipped:
        (out / _SKIPPED).unlink(missing_ok=True)
        return
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerows([("video_id", "entity_id", "reason"), *skipped])
    write_text(out / _SKIPPED, buffer.getvalue())
