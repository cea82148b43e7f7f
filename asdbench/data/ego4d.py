"""Ego4D's audio-visual benchmark as its owners publish it: the annotation and the clips (docs/data_formats.md).

::

    ROOT/av_<split>.json     also in annotations/, json/ or v2/annotations/
    ROOT/clips/<clip_uid>.mp4   also in ROOT, videos/, av_clips/ or v2/clips/

A clip is a video, and all clips of one parent video are one source. Frame n of the annotation is the n-th picture of
the clip, n / 30 s after its first one. Nothing is decoded before a track is scored; of each clip the header is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import get_args, overload

import numpy as np
from numpy.typing import NDArray

from asdbench.data.crops import CropStyle, face_in_crop
from asdbench.data.ego4d_clips import FRAME_RATE, Header, UnusableClip, find_clip, read_header
from asdbench.data.ego4d_json import Clip, read_clips
from asdbench.data.ego4d_tracks import Convention, FaceRows, face_rows
from asdbench.data.film_tracks import crop_style
from asdbench.data.fingerprint import fingerprint
from asdbench.data.ids import is_safe
from asdbench.data.video_media import Places, VideoMedia
from asdbench.errors import DataError, UsageError
from asdbench.types import SAMPLE_RATE, Dataset, Media, Track

_FOLDERS = (".", "annotations", "json", "v2/annotations", "v1/annotations")
_NAMED = 3  # clips named in a note


def open_ego4d(
    root: Path,
    split: str = "val",
    name: str | None = None,
    *,
    convention: Convention = "official",
    crop: str = "box",
) -> Dataset:
    """Read the annotation of Ego4D; media are opened later, track by track.

    Args:
        root: The folder that holds ``av_<split>.json`` and the clips.
        split: ``train`` or ``val``.
        name: Short name for tables and folders; the folder's name and the split without one.
        convention: Which faces are tracks: ``official`` is the rule of the benchmark's own ground truth, so its rows
            are the benchmark's, and it is the default. ``talknet`` gives the rows that the TalkNet baseline is trained
            on. See `asdbench.data.ego4d_tracks`.
        crop: How faces are cut out: ``box`` or another of `asdbench.data.crops`.

    Raises:
        DataError: The annotation is missing or broken; the message has file, clip and place. A clip that is missing is
            no error before a track of it is scored, but a note.
        UsageError: There is no such convention, or no such way to cut.
    """
    if convention not in get_args(Convention):
        raise UsageError(f"no convention {convention!r}; the format ego4d has {' and '.join(get_args(Convention))}.")
    annotation = _find_annotation(root, split)
    reader = _Reader(root, annotation, convention, crop_style(crop))
    tracks = tuple(sorted(reader.tracks(), key=lambda track: track.key))
    if not tracks:
        raise DataError(
            f"{annotation}: no face track of two frames or more; the annotation of the test clips is not public, "
            "so expected av_train.json or av_val.json."
        )
    return Dataset(
        name=name or f"{root.resolve().name}-{split}",
        format="ego4d",
        protocol="ego4d-ava",
        tracks=tracks,
        fingerprint=fingerprint(tracks, reader.boxes()),
        notes=reader.notes(),
    )


def _find_annotation(root: Path, split: str) -> Path:
    folders = [root / folder for folder in _FOLDERS]
    for folder in folders:
        if is_safe(split) and (folder / f"av_{split}.json").is_file():
            return folder / f"av_{split}.json"
    found = sorted({path.stem.removeprefix("av_") for folder in folders for path in folder.glob("av_*.json")})
    hint = f"splits found: {', '.join(found)}" if found else f"looked there and in {', '.join(_FOLDERS[1:])}"
    raise DataError(f"{root / f'av_{split}.json'}: the annotation file is missing; {hint}.")


@dataclass(frozen=True)
class _Video:
    """A clip, its parent video, and its file: with what its header says, or why it cannot be used."""

    clip: str
    source: str
    path: Path
    header: Header | None
    problem: str


class _Numbers(Sequence[int]):
    """Whole numbers of an array as Python's: of millions of rows, a tuple would take five times as much memory."""

    def __init__(self, numbers: NDArray[np.int64]) -> None:
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> int: ...

    @overload
    def __getitem__(self, index: slice) -> _Numbers: ...

    def __getitem__(self, index: int | slice) -> int | _Numbers:
        return _Numbers(self._numbers[index]) if isinstance(index, slice) else int(self._numbers[index])


class _Reader:
    """Joins the annotation with the clips on disk, counting what deserves a note."""

    def __init__(self, root: Path, annotation: Path, convention: Convention, crop: CropStyle) -> None:
        self.root = root
        self.annotation = annotation
        self.convention = convention
        self.crop = crop
        self.counts: Counter[str] = Counter()
        self.missing: list[str] = []
        self.unusable: list[str] = []
        self.silent: list[str] = []
        self.gaps = 0
        self._boxes: dict[tuple[str, str], bytes] = {}

    def tracks(self) -> Iterator[Track]:
        """Yield the tracks of all clips in the order of the file."""
        for source, clip in read_clips(self.annotation):
            video = self._video(source, clip)
            size = video.header.size if video.header else None
            for rows in face_rows(clip, self.convention, size, self.counts):
                yield self._track(video, rows)

    def boxes(self) -> bytes:
        """Return what decides the faces that are cut: a digest of the boxes in pixels, and the style unless ``box``."""
        digest = sha256()
        for key in sorted(self._boxes):
            digest.update(self._boxes[key])
        return digest.digest() + (b"" if self.crop == "box" else self.crop.encode())

    def notes(self) -> tuple[str, ...]:
        """Return what a reader of the results must know about this data set."""
        notes = [f"convention {self.convention}"]
        for what, clips in (
            ("not on disk", self.missing),
            ("damaged or not the official ones", self.unusable),
            ("without sound", self.silent),
        ):
            if clips:
                more = ", ..." if len(clips) > _NAMED else ""
                notes.append(
                    f"{len(clips)} clip(s) {what}, whose tracks cannot be scored "
                    f"({', '.join(sorted(clips)[:_NAMED])}{more})"
                )
        notes += [f"{count} {what}" for what, count in sorted(self.counts.items()) if count]
        if self.gaps:
            notes.append(f"{self.gaps} tracks have gaps in time; behind one, models look at the wrong sound: unchanged")
        return tuple(notes)

    def _video(self, source: str, clip: Clip) -> _Video:
        """Look at the file of a clip that has faces."""
        path = find_clip(self.root, clip.clip_uid)
        if not any(person.tracking_paths for person in clip.persons or ()):
            return _Video(clip.clip_uid, source, path, None, "")
        if not path.is_file():
            self.missing.append(clip.clip_uid)
            return _Video(
                clip.clip_uid, source, path, None,
                f"{self.annotation}, clip {clip.clip_uid!r}: there is no {path}, nor the clip in another folder of "
                f"{self.root} where downloads put it; download the clips of the benchmark av.",
            )  # fmt: skip
        try:
            header = read_header(path)
        except DataError as error:
            self.unusable.append(clip.clip_uid)
            return _Video(clip.clip_uid, source, path, None, str(error))
        self.silent += [] if header.sound else [clip.clip_uid]
        return _Video(clip.clip_uid, source, path, header, "")

    def _track(self, video: _Video, rows: FaceRows) -> Track:
        entity = f"{video.clip}:{rows.name}"
        if not is_safe(entity):
            raise DataError(f"{self.annotation}, clip {video.clip!r}, track {rows.track!r}: the id is too long.")
        if (video.clip, entity) in self._boxes:  # an id of the file that looks like one that was made here
            raise DataError(
                f"{self.annotation}, clip {video.clip!r}, track {rows.track!r}: another track of the clip comes out as "
                f"{rows.name!r} too; give one of them another id."
            )
        times = (rows.frames * 2000 + FRAME_RATE) // (2 * FRAME_RATE)
        start, end = (int(times[i]) * SAMPLE_RATE // 1000 for i in (0, -1))
        self._boxes[video.clip, entity] = sha256(rows.boxes.astype("<f8").tobytes()).digest()
        self.gaps += bool((np.diff(rows.frames) > 1).any())
        size = None if video.header is None else video.header.size
        shares = None if size is None else _shares(rows.boxes, size)
        return Track(
            video_id=video.clip,
            entity_id=entity,
            source_id=video.source,
            timestamps_ms=times,
            labels=rows.labels,
            fps=float(FRAME_RATE),
            # Without sound, a track can be no donor either, so the others are scored with --on-error skip.
            num_samples=end - start if video.header and video.header.sound else 0,
            media=self._media(video, rows, times, shares),
            audio_margin=_margin(video.header, start, end),
            person_id=f"{video.source}:{rows.person}",
            boxes=None if shares is None else shares.astype(np.float32),
            frame_size=size,
            face_in_crop=None if shares is None or size is None else face_in_crop(self.crop, shares, *size),
            voiced=rows.voiced,
        )

    def _media(
        self, video: _Video, rows: FaceRows, times: NDArray[np.int64], shares: NDArray[np.float64] | None
    ) -> Media:
        if video.header is None or shares is None:
            return UnusableClip(video.path, video.problem)
        what = f"clip {video.clip!r}, person {rows.person!r}, track {rows.track!r}, frame"
        places = Places(self.annotation, _Numbers(rows.frames), what)
        shown = _Numbers(times + video.header.start_ms if video.header.start_ms else times)
        return VideoMedia(video.path, video.path, places, shown, shares, self.crop)


def _shares(boxes: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """Return boxes as shares of the picture that, times its size, never come out below the pixels they are from.

    A corner at a whole pixel would else be cut down to the pixel before.
    """
    pixels = np.array([*size, *size], dtype=np.float64)
    shares = boxes / pixels
    return np.where(shares * pixels < boxes, np.nextafter(shares, np.inf), shares)


def _margin(header: Header | None, start: int, end: int) -> tuple[int, int]:
    """Return how much sound lies before and after a track."""
    if header is None or header.sound is None:
        return 0, 0
    # Sound from before the first picture is not used: a prepared copy, whose clock starts there, does not hold it.
    first, stop = (sample - header.start_ms * SAMPLE_RATE // 1000 for sample in header.sound)
    return max(start - max(first, 0), 0), max(stop - end, 0)
