"""The nouns that every room of asdbench shares: frozen, numpy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Int16Array = NDArray[np.int16]
UInt8Array = NDArray[np.uint8]
Float32Array = NDArray[np.float32]
BoolArray = NDArray[np.bool_]

ContextFaces: TypeAlias = "Sequence[Sequence[UInt8Array | None]]"
"""Faces beside the target's: of each neighbour one crop per frame *of the target*, ``None`` where it is not seen."""

LIP_POINTS = 82
"""Landmarks of a mouth: MediaPipe's four closed curves around the lips, two points twice."""

SAMPLE_RATE = 16_000
"""Sample rate of the canonical audio medium, in Hz."""

IGNORE = -1
"""``label_after`` of a row that no metric may count."""

MIN_RUN_MS = 400
"""Shortest speaking run that a perturbation of synchrony may change, in ms (docs/method.md, section 1)."""

AUDIO_TOLERANCE_MS = 80
"""How much shorter than its annotation a track's wav may be; extraction tools cut one or two frames short."""

LabelPolicy = Literal["keep", "negative", "ignore"]
Role = Literal["reference", "test", "control", "diagnostic"]


class TrackKey(NamedTuple):
    """What identifies a face track: never its position in a file."""

    video_id: str
    entity_id: str


class Media(Protocol):
    """Gives the canonical medium of one face track (docs/method.md, section 1); implemented by each data reader.

    Every method raises ``DataError`` with the path when a file is missing or broken. Missing data is never zeros, but
    for one case: sound that sets in up to 80 ms (``AUDIO_TOLERANCE_MS``) after its track may start with zeros, so that
    the rest stays where it belongs.
    """

    def audio(self) -> Int16Array:
        """Return the track's own audio, ``[num_samples]``, mono int16 at 16 kHz."""

    def audio_window(self, start: int, stop: int) -> Int16Array:
        """Return source audio for samples ``start`` to ``stop`` of the track.

        The window may reach outside the track as far as ``Track.audio_margin`` allows; what lies beyond is cut off
        at the side where it ends, so the result may be shorter than ``stop - start``.
        """

    def faces(self) -> list[UInt8Array]:
        """Return one gray face crop ``[height, width]``, uint8, per labelled frame, at the size it was cut."""

    def stamp(self) -> str:
        """Return text that changes when the files change; never raises.

        Quick: a hash of small files, sizes and times of change of large ones.
        """


@dataclass(frozen=True)
class SpeakingRun:
    """A maximal sequence of positive frames of one track without a time gap (docs/method.md, section 1)."""

    key: TrackKey
    index: int
    """Position among the runs of its track, from 0."""
    first: int
    """First frame of the run (index into the track)."""
    stop: int
    """One past the last frame of the run."""
    start_ms: int
    end_ms: int
    start_sample: int
    end_sample: int
    """Half-open range of samples; the end of the last run may lie a frame beyond the end of the wav."""

    @property
    def run_id(self) -> str:
        """Stable text id: enters every hash that chooses something for this run."""
        return f"{self.key.video_id}|{self.key.entity_id}|{self.start_ms}"

    @property
    def duration_ms(self) -> int:
        """Length in ms, the last frame's own period included."""
        return self.end_ms - self.start_ms

    @property
    def long_enough(self) -> bool:
        """Whether the run lasts the 0.4 s from which it may be changed (1 ms of rounding is forgiven)."""
        return self.duration_ms >= MIN_RUN_MS - 1


@dataclass(frozen=True, eq=False)
class Track:
    """One face track: annotation, and the means to load its medium.

    Attributes:
        video_id: Video as named by the data set.
        entity_id: Face track as named by the data set; unique within its video.
        source_id: Independent recording the video comes from: the unit of all intervals.
        timestamps_ms: ``[T]`` int64, strictly increasing, in ms: with the two ids the key of a row.
        labels: ``[T]`` int8, 1 where the face speaks and is audible, else 0.
        fps: Frames per second of the annotation.
        num_samples: Samples of the track's wav as the annotation implies them (first to last timestamp).
        media: Loads audio and faces.
        audio_margin: Samples of source audio (the whole film) before and after the track; (0, 0) without film audio.
        person_id: Who is seen, where the data set knows it.
        sentence_id: What is said, where the data set knows it.
        dubbed: ``None`` for an ordinary track; else ``[T]``, True where the lips articulate although the voice heard is
            another's. Every label of a dubbed track is 0, and it counts in the condition ``dubbed`` only.
        scored: ``None`` where every frame counts; else ``[T]``, False where the data set says that a frame enters no
            metric, or where its label was only carried over from a neighbour.
        boxes: ``[T, 4]`` float32, the annotated face: left, top, right, bottom as shares of the picture, perhaps
            leaving it; ``None`` where the data do not say.
        frame_size: Width and height of the video's pictures in pixels, where known.
        face_in_crop: ``[T, 4]`` float32, the annotated face within its crop, as shares of the crop, beyond 0 and 1
            where the face is larger; ``None`` where the crop is the face box.
        categories: The data set's own categories that the track belongs to, sorted.
        voiced: ``[T]``, where the annotation says that somebody is heard, whoever it is and whether seen or not;
            ``None`` where it does not say, so that voice has to be detected.
    """

    video_id: str
    entity_id: str
    source_id: str
    timestamps_ms: NDArray[np.int64]
    labels: NDArray[np.int8]
    fps: float
    num_samples: int
    media: Media
    audio_margin: tuple[int, int] = (0, 0)
    person_id: str | None = None
    sentence_id: str | None = None
    dubbed: BoolArray | None = None
    scored: BoolArray | None = None
    boxes: Float32Array | None = None
    frame_size: tuple[int, int] | None = None
    face_in_crop: Float32Array | None = None
    categories: tuple[str, ...] = ()
    voiced: BoolArray | None = None

    @property
    def key(self) -> TrackKey:
        """The pair (video_id, entity_id)."""
        return TrackKey(self.video_id, self.entity_id)

    def __len__(self) -> int:
        return len(self.timestamps_ms)

    @property
    def scored_labels(self) -> NDArray[np.int8]:
        """The labels of the frames that may enter a metric."""
        return self.labels if self.scored is None else self.labels[self.scored]

    def sample_at(self, time_ms: float) -> int:
        """Sample of the track's wav at a timestamp; a wav usually ends where the last frame starts."""
        return round((time_ms - int(self.timestamps_ms[0])) * SAMPLE_RATE / 1000)

    @cached_property
    def gapless(self) -> int:
        """Number of frames before the first gap in time (more than 1.5 frame periods); all frames without one."""
        gaps = np.flatnonzero(np.diff(self.timestamps_ms) > 1.5 * 1000 / self.fps)
        return int(gaps[0]) + 1 if len(gaps) else len(self)

    @cached_property
    def speaking_runs(self) -> tuple[SpeakingRun, ...]:
        """All speaking runs of the track, in time order."""
        speaking = np.flatnonzero(self.labels == 1)
        if not len(speaking):
            return ()
        period_ms = 1000 / self.fps
        joined = (np.diff(speaking) == 1) & (np.diff(self.timestamps_ms[speaking]) <= 1.5 * period_ms)
        breaks = np.flatnonzero(~joined) + 1
        return tuple(
            self._run(index, int(frames[0]), int(frames[-1]) + 1, period_ms)
            for index, frames in enumerate(np.split(speaking, breaks))
        )

    def _run(self, index: int, first: int, stop: int, period_ms: float) -> SpeakingRun:
        start_ms = int(self.timestamps_ms[first])
        end_ms = round(int(self.timestamps_ms[stop - 1]) + period_ms)
        return SpeakingRun(
            self.key, index, first, stop, start_ms, end_ms, self.sample_at(start_ms), self.sample_at(end_ms)
        )


@dataclass(frozen=True)
class Dataset:
    """A data set ready to be planned and scored.

    Attributes:
        name: Short name used in folder names and tables.
        format: Name of the reader.
        protocol: Name of the scoring rule that belongs to the data set.
        tracks: All annotated tracks, sorted by key.
        fingerprint: sha256 over the annotation: keys, times, labels, frame rates, sources, audio margins and, where the
            data have them, persons, sentences, dubbed frames and what else the format adds (face boxes, a version).
        notes: Things a reader of the results must know, such as a frame rate that was measured.
    """

    name: str
    format: str
    protocol: str
    tracks: tuple[Track, ...]
    fingerprint: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Condition:
    """One line of a suite: what is changed, in which share of the speaking runs, and what the labels become.

    Attributes:
        name: Unique in its suite, such as ``mismatch@0.50``.
        perturbation: Name in the perturbation registry; ``None`` is the clean condition.
        proportion: Share of the eligible runs that is changed, in [0, 1].
        labels: What becomes of the labels of changed rows.
        role: How to read it: the reference, a test, a control, or a diagnostic without a better direction.
        options: Options of the perturbation.
    """

    name: str
    perturbation: str | None = None
    proportion: float = 1.0
    labels: LabelPolicy = "keep"
    role: Role = "test"
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Suite:
    """A named, versioned list of conditions; the first is always ``clean``.

    Attributes:
        name: Name of the suite.
        version: Bumped whenever a change alters any number.
        seed: Seed of every choice; another seed makes a run *custom*.
        summary: One sentence for ``asdbench ls suites``.
        conditions: The conditions in table order.
        sha256: Hash over all of the above.
        file: Where it was read, for messages.
    """

    name: str
    version: int
    seed: int
    summary: str
    conditions: tuple[Condition, ...]
    sha256: str
    file: str = field(default="", compare=False, repr=False)

    @property
    def label(self) -> str:
        """Name and version, ``unsync@1``."""
        return f"{self.name}@{self.version}"


class Scorer(Protocol):
    """The least a model must offer: one score per frame of a track. Sees media, never labels.

    Where it has them, ``name`` (text), ``version`` (a whole number) and ``fingerprint`` (text that says which weights
    it holds) enter the identity of a run. A model that also splits into two encoders and a head
    (``asdbench.adapters.base.Adapter``) has its embeddings reused across conditions; another pays full price.

    A model that looks at other faces beside the target's says so with ``needs.context_speakers`` (see
    ``asdbench.adapters.base.Needs``); its ``score_track`` then gets a fourth argument, ``context``
    (`ContextFaces`): at most so many faces that are seen together with the target. One that reads lip landmarks from a
    file (``needs.landmarks``) gets a fifth, ``landmarks``: ``[1 + neighbours, T, 82, 2]``, the target first, x and y as
    shares of the crop, negative where no point was found.
    """

    def score_track(self, audio: Int16Array, faces: Sequence[UInt8Array], fps: float) -> Float32Array:
        """Score one face track.

        Args:
            audio: ``[num_samples]`` mono int16 at 16 kHz.
            faces: ``T`` gray crops ``[height, width]``, uint8, of any size.
            fps: Frames per second.

        Returns:
            ``[T]`` float32 log-odds that the face speaks.
        """
