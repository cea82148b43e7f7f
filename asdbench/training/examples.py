"""Tracks as a training reads them: decoded, with what may be heard and which of their frames may be trained on.

A frame is trained on where it is labelled: frames that the data set does not score (`asdbench.types.Track.scored`) have
no label of their own and would be taken for silent ones. Clips come from stretches of labelled frames without a gap in
time, so a data set of which only every fifth frame is labelled (ASW) cannot be trained on as it is. Dubbed tracks,
whose lips say what is not heard, are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from asdbench.adapters.torch_adapter import resized_crops
from asdbench.errors import DataError, UsageError
from asdbench.features import mfcc
from asdbench.training.augment import check_augment
from asdbench.training.plan import Cut, Outline
from asdbench.training.recipe import Recipe
from asdbench.types import Float32Array, Int16Array, Track, UInt8Array

Labels = NDArray[np.int8]

_LEAST_SECONDS = 0.2  # of a stretch: its sound may end two frames before its pictures, and some must be left
_SPREAD_TRACKS = 64  # from which deviations of MFCC are taken


@dataclass(frozen=True, eq=False)
class Example:
    """One track in memory.

    Attributes:
        faces: ``[T, side, side]`` uint8.
        audio: ``[N]`` int16 at 16 kHz; sample 0 belongs to the beginning of the first frame.
        labels: ``[T]``, 1 where this face speaks and is heard.
        audible: ``[T]``, 1 where any face of the video does.
        fps: Frames per second.
    """

    faces: UInt8Array
    audio: Int16Array
    labels: Labels
    audible: Labels
    fps: float


def load_example(track: Track, face_size: int, audible: Labels) -> Example:
    """Decode a track, faces resized as the adapters resize them.

    Args:
        track: Where it lies.
        face_size: Side in pixels.
        audible: One of what `audible_labels` returns.

    Raises:
        DataError: Media are missing or broken, there is no sound at all, or not one face for each label.
    """
    return Example(_faces(track, face_size), _audio(track), track.labels, audible, track.fps)


def audible_labels(tracks: Sequence[Track]) -> list[Labels]:
    """Return for each frame of each track whether any face of its video speaks at that time.

    Rows belong together by video and time, never by place. Only labelled rows tell; a frame that is not labelled itself
    has its value from the others.
    """
    heard: dict[str, set[int]] = {}
    for track in tracks:
        speaks = track.labels == 1 if track.scored is None else (track.labels == 1) & track.scored
        heard.setdefault(track.video_id, set()).update(track.timestamps_ms[speaks].tolist())
    return [
        np.array([time in heard[track.video_id] for time in track.timestamps_ms.tolist()], np.int8) for track in tracks
    ]


class ClipSource:
    """The tracks that a recipe trains on.

    With ``recipe.keep`` everything is decoded here, once, and stays in memory; else at each use, and nothing stays.

    Args:
        tracks: All of the data set: those that are left out may still tell what is heard.
        recipe: What is trained.
        sound: What its network hears: ``mfcc``, ``mel`` (Whisper's log-mel) or ``none``, for which no sound is read.
        mels: Rows of the log-mel spectrogram.
        pictures: Whether its network sees anything; faces are not decoded otherwise.
        hidden: Whether to hide the progress bar; ``None`` shows it on a terminal only.

    Attributes:
        tracks: Those that are trained on; all positions are counted among them.
        lengths: Their frames.
        outline: What `asdbench.training.plan.epoch_plan` needs.
        notes: What was left out, one sentence each.
        front: What a frozen front end makes of the faces, ``[T, C]`` per track; see `set_front`.

    Raises:
        DataError: Media are missing or broken, or no track can be trained on.
        UsageError: The recipe augments what its network does not hear, or with ends of a range exchanged.
    """

    def __init__(
        self,
        tracks: Sequence[Track],
        recipe: Recipe,
        sound: Literal["mfcc", "mel", "none"] = "mfcc",
        mels: int = 0,
        pictures: bool = True,
        hidden: bool | None = None,
    ) -> None:
        check_augment(recipe, sound)
        self.recipe, self.sound, self.mels, self.pictures = recipe, sound, mels, pictures
        around = recipe.clips.clip_frames // 2 + recipe.loss.least_shift if recipe.loss.other_times else 0
        self.tracks, self._audible, spans, self.notes = _chosen(tracks, recipe, around)
        self.lengths = [len(track) for track in self.tracks]
        own = recipe.clips.labels == "own"
        labels = [track.labels for track in self.tracks] if own else self._audible
        self.outline = Outline(tuple(spans), tuple(labels), around)
        if recipe.augment.voice and len(self.tracks) == 1:
            raise DataError(
                f"recipe {recipe.name}: augment.voice adds another track's sound, but {self.tracks[0].video_id}, track "
                f"{self.tracks[0].entity_id} is the only one; train on more tracks, or leave it out."
            )
        self.front: list[Tensor] | None = None
        self._kept: list[Example] | None = None
        if recipe.keep:
            shown = tqdm(range(len(self.tracks)), "reading", unit="track", disable=hidden)
            self._kept = [self._load(index) for index in shown]

    def example(self, index: int) -> Example:
        """Return a track; its faces or its sound are empty where the network does not look at them."""
        return self._load(index) if self._kept is None else self._kept[index]

    def audio(self, index: int) -> Int16Array:
        """Return the sound of a track alone, ``[N]``, without decoding its faces."""
        return _audio(self.tracks[index]) if self._kept is None else self._kept[index].audio

    def set_front(self, features: Sequence[Tensor]) -> None:
        """Put features ``[T, C]`` in the place of all faces, which are not kept any longer.

        Raises:
            UsageError: Not one vector for each frame of each track.
        """
        if [len(each) for each in features] != self.lengths:
            raise UsageError(f"features of {len(features)} tracks do not have the lengths of the {len(self.lengths)}.")
        self.front = list(features)
        if self._kept is not None:
            self._kept = [replace(example, faces=_nothing(example.labels)) for example in self._kept]

    def other(self, index: int, rng: np.random.Generator) -> int:
        """Draw a track whose sound is not that of track ``index``: of another video, where there are several."""
        order, ranks, firsts, stops = self._videos
        alone = stops[index] - firsts[index] == len(order)  # all are of this video
        first, stop = (ranks[index], ranks[index] + 1) if alone else (firsts[index], stops[index])
        drawn = rng.integers(len(order) - (stop - first))
        return int(order[drawn if drawn < first else drawn + stop - first])

    @cached_property
    def _videos(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Tracks sorted by video; of each track its place there, and where those of its video begin and end."""
        videos = np.array([track.video_id for track in self.tracks])
        order = np.argsort(videos, kind="stable")
        ranks = np.argsort(order)
        ordered = videos[order]
        return order, ranks, np.searchsorted(ordered, videos), np.searchsorted(ordered, videos, side="right")

    @cached_property
    def spread(self) -> Float32Array:
        """Standard deviations ``[13]`` of the MFCC, over tracks at equal distances in the list."""
        chosen = range(0, len(self.tracks), max(1, len(self.tracks) // _SPREAD_TRACKS))
        rows = [mfcc(self.audio(index), self.tracks[index].fps) for index in chosen]
        deviations: Float32Array = np.concatenate(rows).std(axis=0)
        return deviations

    def _load(self, index: int) -> Example:
        track, audible = self.tracks[index], self._audible[index]
        if self.pictures and self.front is None and self.sound != "none":
            return load_example(track, self.recipe.model.face_size, audible)
        seen = self.pictures and self.front is None
        faces = _faces(track, self.recipe.model.face_size) if seen else _nothing(track.labels)
        audio = np.zeros(0, np.int16) if self.sound == "none" else _audio(track)
        return Example(faces, audio, track.labels, audible, track.fps)


def _nothing(labels: Labels) -> UInt8Array:
    return np.zeros((len(labels), 0, 0), np.uint8)


def _faces(track: Track, side: int) -> UInt8Array:
    faces = resized_crops(track.media.faces(), side)
    if len(faces) != len(track):
        raise DataError(
            f"{track.video_id}, track {track.entity_id}: {len(faces)} face crops for {len(track)} labels; its reader "
            "must give one for each."
        )
    return faces


def _audio(track: Track) -> Int16Array:
    audio = track.media.audio()
    if not len(audio):
        raise DataError(f"{track.video_id}, track {track.entity_id}: its sound is empty; extract it again.")
    return audio


def _chosen(
    tracks: Sequence[Track], recipe: Recipe, around: int
) -> tuple[list[Track], list[Labels], list[Cut], tuple[str, ...]]:
    """Return what can be trained on: tracks, what is heard in them, stretches of them; and notes on the rest."""
    kept: list[Track] = []
    audible: list[Labels] = []
    spans: list[Cut] = []
    ordinary = [track.dubbed is None for track in tracks]
    for track, heard, use in zip(tracks, audible_labels(tracks), ordinary, strict=True):
        least = max(recipe.clips.clip_frames + 2 * around, int(np.ceil(_LEAST_SECONDS * track.fps)))
        found = [(first, stop) for first, stop in _stretches(track) if use and stop - first >= least]
        if found:
            spans += [Cut(len(kept), first, stop - first) for first, stop in found]
            kept.append(track)
            audible.append(heard)
    dubbed, short = len(tracks) - sum(ordinary), sum(ordinary) - len(kept)
    need = "0.2 s" if not recipe.clips.clip_frames else f"{recipe.clips.clip_frames + 2 * around} frames"
    notes = []
    if dubbed:
        notes.append(f"{dubbed} dubbed tracks are not trained on")
    if short:
        notes.append(f"{short} of {len(tracks)} tracks have not {need} of labelled frames in a row and are left out")
    if not kept:
        named = "; ".join(notes) or "there are no tracks"
        raise DataError(f"recipe {recipe.name}: nothing to train on: {named}; use other data or other clips.")
    return kept, audible, spans, tuple(notes)


def _stretches(track: Track) -> list[tuple[int, int]]:
    """Return (first, one past the last) of all longest stretches of labelled frames without a gap in time."""
    labelled = np.ones(len(track), bool) if track.scored is None else track.scored
    gaps = np.diff(track.timestamps_ms) > 1.5 * 1000 / track.fps
    borders = np.flatnonzero(gaps | (np.diff(labelled.astype(np.int8)) != 0)) + 1
    edges = [0, *borders.tolist(), len(track)]
    return [(first, stop) for first, stop in pairwise(edges) if labelled[first]]
