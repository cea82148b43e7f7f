"""One track under all conditions -> files: read once, edited once per kind of edit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from asdbench.data.ids import is_safe
from asdbench.data.layout import CommunityLayout, face_name
from asdbench.engine.activity import Meter
from asdbench.engine.lender import BrokenDonorError, TrackLender
from asdbench.errors import DataError
from asdbench.materialize.content import Content, Store, remove
from asdbench.materialize.measured import Beside, Columns
from asdbench.materialize.source import Source
from asdbench.perturb.edits import AudioEdit, Edit, FaceEdit, digest, edit_audio, edit_faces, split_media
from asdbench.types import Track, TrackKey

FaceFormat = Literal["png", "jpg"]


class FileLine(msgspec.Struct, frozen=True, array_like=True):
    """One file of the set: its path with forward slashes, size, hash, and whether it is the source's."""

    path: str
    bytes: int
    sha256: str
    origin: str


class TrackFiles(msgspec.Struct, frozen=True):
    """What was written for one track.

    Attributes:
        video_id: The track's video.
        entity_id: The track.
        stamp: Changes with the files it was made from (``Media.stamp``).
        files: Condition to its files, the wav first.
        failures: Condition to the reason why it could not be made.
        columns: What was measured of it.
        made_with: Text that says what with.
    """

    video_id: str
    entity_id: str
    stamp: str
    files: dict[str, list[FileLine]]
    failures: dict[str, str]
    columns: Columns = msgspec.field(default_factory=dict)
    made_with: str = ""


@dataclass(frozen=True)
class Recipe:
    """How tracks become files.

    Attributes:
        root: Folder of the set; each condition has one of its name in it.
        split: Name of the split in the layout.
        faces: How faces are encoded that cannot be copied.
        link: Whether files are linked where they could be copied.
        skip: Whether a condition whose donor is broken is left out, or is an error.
    """

    root: Path
    split: str
    faces: FaceFormat
    link: bool
    skip: bool


class TrackWriter:
    """Writes tracks.

    Args:
        tracks: All tracks of the data set, from which donors are taken.
        recipe: How.
        meter: What is measured of them.
    """

    def __init__(self, tracks: Sequence[Track], recipe: Recipe, meter: Meter) -> None:
        self._tracks = {track.key: track for track in tracks}
        self._lender = TrackLender(tracks)
        self._recipe = recipe
        self._meter = meter

    def write(self, key: TrackKey, edits: Mapping[str, tuple[Edit, ...]]) -> TrackFiles:
        """Write one track under every condition.

        Args:
            key: The track.
            edits: Condition to its edits of this track.

        Raises:
            DataError: The track's media, or without ``skip`` those of a donor, are missing or broken.
            ResourceError: The disk is full.
            UsageError: Hard links are wanted and cannot be made.
        """
        track = self._tracks[key]
        _require_safe(track)
        stamp = track.media.stamp()
        source = Source(track, f".{self._recipe.faces}")
        audio: dict[str, tuple[Edit, ...]] = {condition: split_media(each)[0] for condition, each in edits.items()}
        faces: dict[str, tuple[Edit, ...]] = {condition: split_media(each)[1] for condition, each in edits.items()}
        beside = Beside(self._meter, source, audio, faces)
        job = _Job(source, self._recipe, self._lender, beside)
        # One kind of edit after the other, so that no more than one edited version is in memory.
        for group in _groups(audio):
            job.make(group, lambda edits: job.audio(edits))
        for group in _groups(faces):
            job.make(group, lambda edits: job.faces(edits))
        for condition in job.failures:
            job.discard(condition)
        files = {condition: job.lines[condition] for condition in edits if condition not in job.failures}
        columns = beside.columns(job.failures)
        return TrackFiles(*key, stamp, files, job.failures, columns, self._meter.identity)

    def discard(self, key: TrackKey, conditions: Iterable[str]) -> None:
        """Remove what may lie there of a track that cannot be made."""
        for condition in conditions:
            _remove_track(self._recipe, condition, self._tracks[key])


class _Job:
    """One track on its way into files."""

    def __init__(self, source: Source, recipe: Recipe, lender: TrackLender, beside: Beside) -> None:
        self._source, self._recipe, self._lender, self._beside = source, recipe, lender, beside
        self._store = Store(recipe.link)
        self.lines: dict[str, list[FileLine]] = {}
        self.failures: dict[str, str] = {}

    def make(self, group: _Group, build: Callable[[tuple[Edit, ...]], _Files]) -> None:
        """Make one medium of the conditions that share its edits."""
        wanted = [condition for condition in group.conditions if condition not in self.failures]
        if not wanted:
            return
        try:
            made = build(group.edits)
        except BrokenDonorError as error:
            if not self._recipe.skip:
                raise
            self.failures |= dict.fromkeys(wanted, f"donor {error}")
            return
        for condition in wanted:
            layout = CommunityLayout(self._recipe.root / condition, self._recipe.split)
            self.lines.setdefault(condition, []).extend(self._put(made, layout))

    def audio(self, edits: tuple[Edit, ...]) -> _Files:
        source = self._source
        if not edits:
            self._beside.hear(edits, source.audio)
            return source.wav
        audio_edits = [edit for edit in edits if isinstance(edit, AudioEdit)]
        samples = edit_audio(source.audio, audio_edits, source.track.media, self._lender)
        self._beside.hear(edits, samples)
        return source.wav if np.array_equal(samples, source.audio) else source.encoded_audio(samples)

    def faces(self, edits: tuple[Edit, ...]) -> _Files:
        source = self._source
        times = source.track.timestamps_ms.tolist()
        found = source.unchanged
        if edits:
            face_edits = [edit for edit in edits if isinstance(edit, FaceEdit)]
            edited = edit_faces(source.faces, face_edits, self._lender, source.track.face_in_crop)
            self._beside.see(edits, edited)
            # A frame that the edit left alone is still the source's file.
            found = [
                before if np.array_equal(after, face) else source.encoded_face(after)
                for before, face, after in zip(source.unchanged, source.faces, edited, strict=True)
            ]
        return {face_name(time, suffix): content for time, (suffix, content) in zip(times, found, strict=True)}

    def discard(self, condition: str) -> None:
        _remove_track(self._recipe, condition, self._source.track)

    def _put(self, made: _Files, layout: CommunityLayout) -> list[FileLine]:
        if isinstance(made, Content):
            path = layout.wav(self._source.track)
            self._store.put(path, made)
            return [self._line(path, made)]
        folder = layout.faces(self._source.track)
        self._store.put_folder(folder, made)
        return [self._line(folder / name, content) for name, content in made.items()]

    def _line(self, path: Path, content: Content) -> FileLine:
        relative = path.relative_to(self._recipe.root).as_posix()
        return FileLine(relative, len(content.data), content.sha256, content.origin)


_Files = Content | dict[str, Content]
"""The wav, or the faces by file name."""


@dataclass(frozen=True)
class _Group:
    """Conditions that share their edits of one medium."""

    edits: tuple[Edit, ...]
    conditions: tuple[str, ...]


def _groups(edits: Mapping[str, tuple[Edit, ...]]) -> list[_Group]:
    found: dict[str, tuple[tuple[Edit, ...], list[str]]] = {}
    for condition, each in edits.items():
        found.setdefault(digest(each), (each, []))[1].append(condition)
    return [_Group(each, tuple(conditions)) for each, conditions in found.values()]


def _remove_track(recipe: Recipe, condition: str, track: Track) -> None:
    layout = CommunityLayout(recipe.root / condition, recipe.split)
    for path in (layout.wav(track), layout.faces(track)):
        remove(path)
        remove(path.with_name(f".{path.name}.tmp"))


def _require_safe(track: Track) -> None:
    unsafe = [each for each in track.key if not is_safe(each)]
    if unsafe:
        raise DataError(
            f"the id {unsafe[0]!r} of the track {tuple(track.key)} cannot name a file (empty, over 200 bytes, with a "
            "slash or a control character); give it another one."
        )
