"""ASW, "Look Who's Talking" (arXiv 2108.07640): five labels a second, read as rows at the 25 fps of its videos.

::

    ROOT/json/<video>.json               track: [{time, bbox, label, eval}], from github.com/clovaai/lookwhostalking
    ROOT/split/{dev,val,test}set.list    lines such as <video>.json; also in ROOT or ROOT/json
    ROOT/videos/<video>.mp4              or original/<video>.*, or pyavi/<video>/video.avi as its conversion writes it

The annotators labelled every fifth picture. Rows are made for all pictures between the first and the last sample of a
track: boxes are interpolated linearly, and each label holds for the two pictures before and after its own, as in the
owners' visualisation. Only the samples themselves enter metrics, and of these only those with ``eval`` 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from asdbench.data.asw_json import FPS, Samples, read_samples
from asdbench.data.crops import CropStyle
from asdbench.data.film_tracks import Film, Films, crop_style, cut_fingerprint, film_track, look_at
from asdbench.data.fingerprint import fingerprint
from asdbench.data.ids import find_child, is_safe
from asdbench.data.unitalk import read_ids
from asdbench.data.video_media import Places
from asdbench.errors import DataError, UsageError
from asdbench.types import Dataset, Track, TrackKey

SPREAD = 2
"""For how many pictures before and after its own a label holds."""

LAST_MS = 1_200_000
"""Where the owners' conversion cuts videos off."""

_LISTS = {"train": "devset.list", "dev": "devset.list", "val": "valset.list", "test": "testset.list"}
_MISSING = ("drop", "keep")
_PERIOD_MS = 1000 // FPS


def open_asw(
    root: Path,
    split: str = "val",
    name: str | None = None,
    *,
    crop: str = "padded_box",
    lists: str = "",
    missing: str = "drop",
) -> Dataset:
    """Read ASW; media are opened later, track by track.

    Args:
        root: The folder that holds ``json/`` and videos.
        split: ``dev`` (also called ``train``), ``val`` or ``test``; or ``all`` for every json.
        name: Short name for tables and folders; the folder's name and the split without one.
        crop: How faces are cut: ``padded_box``, which fits boxes that leave the picture, or another of
            `asdbench.data.crops`.
        lists: The list of videos, or the folder of the three lists, where it is not in the folder.
        missing: ``drop`` leaves out videos that are not there, as many were removed; ``keep`` keeps their tracks.

    Raises:
        DataError: A file is missing or broken, or a sample is not one; the message has file, track and sample.
        UsageError: An option has another value.
    """
    style = crop_style(crop)
    if missing not in _MISSING:
        raise UsageError(f"the option missing={missing} is none of {', '.join(_MISSING)}.")
    reader = _Reader(root, style, keep=missing == "keep")
    tracks = tuple(track for video in _videos(root, split, lists) for track in reader.tracks(video))
    if not tracks:
        raise DataError(
            f"{root}: none of {reader.counts['videos']} videos is in videos/, original/ or pyavi/, or none has a track "
            "of two samples; download them, or give missing=keep to read the annotation alone."
        )
    tracks = tuple(sorted(tracks, key=lambda track: track.key))
    return Dataset(
        name=name or f"{root.resolve().name}-{split}",
        format="asw",
        protocol="asw",
        tracks=tracks,
        fingerprint=fingerprint(tracks, cut_fingerprint(tracks, style)),
        notes=reader.notes(),
    )


def _videos(root: Path, split: str, lists: str) -> list[str]:
    """Return the ids of the videos of a split, sorted."""
    folder = root / "json"
    if split == "all" and not lists:
        found = {path.stem for path in folder.glob("*.json")}
        if not found:
            raise DataError(f"{folder}: no json file lies there; expected ASW's, one per video.")
        return sorted(found)
    if split not in _LISTS and not Path(lists).is_file():
        raise UsageError(f"ASW has no split {split!r}; it has {', '.join(_LISTS)} and all.")
    path = Path(lists) if lists and Path(lists).is_file() else _list_file(root, _LISTS[split], lists)
    ids = sorted({each.removesuffix(".json") for each in read_ids(path)})
    unsafe = [each for each in ids if not is_safe(each)]
    if unsafe or not ids:
        raise DataError(f"{path}: {unsafe[0]!r} cannot name a video." if unsafe else f"{path}: the list is empty.")
    return ids


def _list_file(root: Path, name: str, lists: str) -> Path:
    folders = [Path(lists)] if lists else [root / "split", root, root / "json", root / "lists"]
    path = next((folder / name for folder in folders if (folder / name).is_file()), None)
    if path is None:
        raise DataError(
            f"{folders[0] / name}: the list of videos is missing; copy it from split/ of ASW's repository, give its "
            "place as lists=..., or take every json with --split all."
        )
    return path


class _Reader:
    """Makes tracks of samples, counting what deserves a note."""

    def __init__(self, root: Path, crop: CropStyle, *, keep: bool) -> None:
        self.root, self.crop, self.keep = root, crop, keep
        self.films = Films([root / "videos", root / "original"])
        self.counts: Counter[str] = Counter()
        self.absent: list[str] = []

    def tracks(self, video_id: str) -> Iterator[Track]:
        """Yield the tracks of one video."""
        self.counts["videos"] += 1
        file = find_child(self.root / "json", f"{video_id}.json")
        film = self._film(video_id)
        if film is None:
            self.absent.append(video_id)
            if not self.keep:
                return
        film = film or self.films.find(video_id)
        for samples in read_samples(file):
            early = samples.frames * _PERIOD_MS < LAST_MS
            self.counts["late"] += int((~early).sum())
            if early.sum() < SPREAD:
                self.counts["single"] += 1
                continue
            yield self._track(TrackKey(video_id, samples.track), file, samples.part(early), film)

    def notes(self) -> tuple[str, ...]:
        """Return what a reader of the results must know about this data set."""
        notes = [
            "labels are five a second: only annotated pictures with eval 1 are scored, the others lie between them"
        ]
        if self.absent:
            kept = "their tracks are kept" if self.keep else "left out"
            notes.append(
                f"{len(self.absent)} of {self.counts['videos']} videos are not there: {kept} "
                f"({', '.join(self.absent[:3])}{', ...' if len(self.absent) > 3 else ''})"
            )
        if self.counts["single"]:
            notes.append(
                f"{self.counts['single']} tracks of fewer than two samples are left out; none of them is scored"
            )
        if self.counts["late"]:
            notes.append(f"{self.counts['late']} samples after {LAST_MS // 1000} s are left out")
        return tuple(notes)

    def _film(self, video_id: str) -> Film | None:
        converted = find_child(self.root / "pyavi", video_id)
        if (converted / "video.avi").is_file():
            sound = converted / "audio.wav"
            return look_at(converted / "video.avi", sound if sound.is_file() else converted / "video.avi")
        return self.films.find(video_id) if self.films.path(video_id) else None

    def _track(self, key: TrackKey, file: Path, samples: Samples, film: Film) -> Track:
        wanted = np.arange(samples.frames[0], samples.frames[-1] + 1)
        after = np.clip(np.searchsorted(samples.frames, wanted), 1, len(samples.frames) - 1)
        nearest = np.where(wanted - samples.frames[after - 1] <= samples.frames[after] - wanted, after - 1, after)
        near = np.abs(wanted - samples.frames[nearest]) <= SPREAD
        wanted, nearest = wanted[near], nearest[near]
        boxes = np.stack([np.interp(wanted, samples.frames, side) for side in samples.boxes.T], axis=1)
        exact = wanted == samples.frames[nearest]
        track = film_track(
            film,
            Places(file, (samples.numbers[nearest]).tolist(), f"track {key.entity_id!r}, sample"),
            boxes,
            self.crop,
            key=key,
            source_id=key.video_id,
            timestamps_ms=wanted * _PERIOD_MS,
            labels=samples.labels[nearest],
            fps=float(FPS),
        )
        return replace(track, scored=exact & samples.scored[nearest])
