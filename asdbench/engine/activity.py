"""What is measured of a track beside the model's scores: voice, the activity floor, and what the faces alone tell.

Voice activity and the activity floor ``vad-lip`` take the media that the model is shown, each edited version once.
They are measured where a section of the numbers asks for them: on clean media, under tests of synchrony, and at the
points of a synchrony curve.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from asdbench.adapters.base import Adapter
from asdbench.analysis.conditions import ONE_SHIFT
from asdbench.engine.facts import sharpness
from asdbench.engine.medium import LazyFaces
from asdbench.engine.memory import Memory
from asdbench.errors import DataError, MissingDependencyError
from asdbench.types import Condition, Float32Array, Int16Array, Scorer, Track, UInt8Array

if TYPE_CHECKING:
    from asdbench.adapters.vad_lip import VadLip

VOICED_FROM = 0.5
"""Probability of voice from which a frame counts as voiced."""

UNKNOWN = -1
"""``voiced`` of a frame of which nobody knows."""

SHARPNESS = "sharpness"
LIPS = "lips"

_SHARPNESS = "sharpness 1"
_MOTION = "lip motion 1"  # names for the memory; another number once another value is measured

Digests = tuple[str, str]
"""Of the edits of a track's audio, and of its faces."""

CLEAN = ""
"""Digest of no edits."""

_T = TypeVar("_T")


def wants_activity(condition: Condition) -> bool:
    """Whether voice activity and the activity floor are measured under a condition."""
    if condition.perturbation is None or condition.labels == "negative":
        return True
    return condition.role == "diagnostic" and condition.perturbation.partition("@")[0] in ONE_SHIFT


def voiced_column(condition: str) -> str:
    """Return the name under which shards hold the voice activity of a condition."""
    return f"voiced:{condition}"


def activity_column(condition: str) -> str:
    """Return the name under which shards hold the activity floor of a condition."""
    return f"activity:{condition}"


@dataclass(frozen=True)
class Meter:
    """Measures tracks under the conditions of a suite.

    Attributes:
        scorer: The model; ``None`` where nobody scores yet.
        suite: The conditions.
        annotated: Whether every track of the data set says when there is voice (``Track.voiced``).
    """

    scorer: Scorer | None
    suite: tuple[Condition, ...]
    annotated: bool = False

    @cached_property
    def _found(self) -> VadLip | str:
        """The activity floor, or why there is none."""
        from asdbench.adapters.vad_lip import VadLip

        try:
            return VadLip()
        except MissingDependencyError as error:
            return f"no voice activity and no activity floor: {error}"

    @property
    def floor(self) -> VadLip | None:
        """The activity floor; ``None`` where silero-vad is not installed."""
        return None if isinstance(self._found, str) else self._found

    @property
    def own_head(self) -> bool:
        """Whether the model itself can tell from faces alone who speaks."""
        return isinstance(self.scorer, Adapter) and type(self.scorer).score_faces is not Adapter.score_faces

    @property
    def is_floor(self) -> bool:
        """Whether the model is the activity floor itself, whose embeddings then serve both."""
        return self.floor is not None and type(self.scorer) is type(self.floor)

    @cached_property
    def conditions(self) -> tuple[str, ...]:
        """The conditions under which voice activity and the activity floor are measured."""
        return tuple(condition.name for condition in self.suite if wants_activity(condition))

    @cached_property
    def voiced(self) -> tuple[str, ...]:
        """The conditions of which `TrackMeter.columns` say where there is voice."""
        return self.conditions if self.floor is not None else self._clean if self.annotated else ()

    @property
    def active(self) -> tuple[str, ...]:
        """The conditions that have an activity floor."""
        return self.conditions if self.floor is not None else ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all that is measured of a track."""
        names = (*map(voiced_column, self.voiced), *map(activity_column, self.active))
        return (SHARPNESS, LIPS, *names)

    def columns_of(self, condition: Condition) -> dict[str, str]:
        """Return the optional columns of a condition's predictions, each with its name in `columns`."""
        found = {"voiced": voiced_column(condition.name)} if condition.name in self.voiced else {}
        if condition.name in self.active:
            found["activity"] = activity_column(condition.name)
        return found | ({"lips": LIPS} if condition.perturbation is None else {})

    @property
    def _clean(self) -> tuple[str, ...]:
        return tuple(condition.name for condition in self.suite if condition.perturbation is None)

    @property
    def identity(self) -> str:
        """Text that changes when another start would measure something else."""
        floor = self.floor
        return f"{self.record()} {floor.version} {floor.fingerprint}" if floor else str(self.record())

    def record(self) -> dict[str, str]:
        """Return what ``run.json`` says of it under ``activity``."""
        lips = "own head" if self.own_head else "lip motion"
        voice = {"voice": "annotation"} if self.annotated else {}
        if isinstance(self._found, str):
            return {**voice, "missing": self._found, "lips": lips}
        return {"voice": f"silero-vad {_silero_version()}", **voice, "floor": self._found.name, "lips": lips}

    def begin(self, track: Track, digests: Mapping[str, Digests], memory: Memory | None = None) -> TrackMeter:
        """Start to measure a track.

        Args:
            track: The track.
            digests: Condition to the digests of its edits.
            memory: What earlier runs have measured.
        """
        return TrackMeter(self, track, {name: digests[name] for name in self.conditions}, memory)


def _silero_version() -> str:
    try:
        return version("silero-vad")
    except PackageNotFoundError:  # somebody's copy on the path
        return "of unknown version"


@dataclass(eq=False)
class TrackMeter:
    """Measures one track; what fails to be measured is unknown, since no score depends on it.

    Attributes:
        meter: What is asked for.
        track: The track.
        digests: Of the conditions whose activity is wanted.
        memory: What earlier runs have measured of faces.
        voices: Digest of audio edits to what `VadLip.embed_audio` gives.
        motions: Digest of face edits to the lip motion.
        sharpness: ``[T]`` of the clean faces.
    """

    meter: Meter
    track: Track
    digests: Mapping[str, Digests]
    memory: Memory | None = None
    voices: dict[str, Any] = field(default_factory=dict)
    motions: dict[str, Any] = field(default_factory=dict)
    sharpness: Float32Array | None = None

    def take(self, key: Digests, audio: Int16Array, faces: Sequence[UInt8Array]) -> None:
        """Look at media that were made for the model; what has been seen before is not looked at again.

        Args:
            key: Digests of their edits.
            audio: The track's audio; need not be that of the digest where that has been taken before.
            faces: The track's faces, likewise.
        """
        self.hear(key[0], audio)
        self.see(key[1], faces)

    def hear(self, sound: str, audio: Int16Array) -> None:
        """Look at sound alone; see `take`."""
        floor = self.meter.floor
        if floor is not None and sound not in self.voices and sound in self._sounds:
            self.voices[sound] = _or_none(lambda: floor.embed_audio(audio, len(self.track), self.track.fps))

    def see(self, sight: str, faces: Sequence[UInt8Array]) -> None:
        """Look at faces alone; see `take`."""
        from asdbench.adapters.lip_motion import lip_motion

        if self.sharpness is None and sight == CLEAN:
            self.sharpness = self._remembered(_SHARPNESS, faces, sharpness)
        if sight not in self.motions and sight in self._sights:
            self.motions[sight] = self._remembered(_MOTION, faces, lambda shown: _or_none(lambda: lip_motion(shown)))

    def _remembered(
        self, what: str, faces: Sequence[UInt8Array], measure: Callable[[Sequence[UInt8Array]], Any]
    ) -> Any:
        if self.memory is None or not isinstance(faces, LazyFaces):
            return measure(faces)
        found = self.memory.get(what, faces.digest)
        if found is None:
            found = measure(faces.made)  # read outside of what may fail to be measured
            if found is not None:
                self.memory.keep(what, faces.digest, found)
        return found

    @cached_property
    def _sounds(self) -> set[str]:
        return {key[0] for key in self.digests.values()}

    @cached_property
    def _sights(self) -> set[str]:
        floor = {key[1] for key in self.digests.values()} if self.meter.floor is not None else set()
        return floor if self.meter.own_head else floor | {CLEAN}

    def columns(self, lips: Float32Array | None, failed: Collection[str] = ()) -> dict[str, NDArray[Any]]:
        """Return everything that was measured, ``[T]`` each.

        Args:
            lips: What the model's own head makes of the faces; ``None`` for lip motion.
            failed: Conditions that could not be made.
        """
        unmeasured = np.full(len(self.track), np.nan, np.float32)
        found: dict[str, NDArray[Any]] = {
            SHARPNESS: unmeasured if self.sharpness is None else self.sharpness,
            LIPS: self._by_motion(unmeasured) if lips is None else lips,
        }
        for name in self.meter.voiced:
            found[voiced_column(name)] = self._voiced(self.digests[name][0], name in failed)
        scores: dict[Digests, Float32Array] = {}
        for name in self.meter.active:
            key = self.digests[name]
            if name not in failed and key not in scores:
                scores[key] = self._active(key, unmeasured)
            found[activity_column(name)] = unmeasured if name in failed else scores[key]
        return found

    def _voiced(self, sound: str, failed: bool) -> NDArray[np.int8]:
        voice = self.voices.get(sound)
        if not sound and self.track.voiced is not None:
            return self.track.voiced.astype(np.int8)
        if failed or voice is None:
            return np.full(len(self.track), UNKNOWN, np.int8)
        voiced: NDArray[np.int8] = (voice.probability >= VOICED_FROM).astype(np.int8)
        return voiced

    def _active(self, key: Digests, unmeasured: Float32Array) -> Float32Array:
        voice, motion, floor = self.voices.get(key[0]), self.motions.get(key[1]), self.meter.floor
        return unmeasured if voice is None or motion is None or floor is None else floor.score(voice, motion)

    def _by_motion(self, unmeasured: Float32Array) -> Float32Array:
        from asdbench.adapters.vad_lip import lip_log_odds

        motion = self.motions.get(CLEAN)
        return unmeasured if motion is None else lip_log_odds(motion, self.track.fps).astype(np.float32)


def _or_none(measure: Callable[[], _T]) -> _T | None:
    try:
        return measure()
    except DataError:  # such as a track without sound, which a model that needs none may score all the same
        return None
