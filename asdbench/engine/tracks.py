"""One track under all conditions: each medium is edited once, each embedding computed once."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from asdbench.adapters.base import Adapter
from asdbench.data.context import ContextFinder
from asdbench.data.landmarks import NOT_FOUND
from asdbench.engine.activity import CLEAN, Digests, Meter, TrackMeter
from asdbench.engine.lender import BrokenDonorError, TrackLender
from asdbench.engine.timings import Timings
from asdbench.errors import AsdbenchError, DataError, ModelOutputError, ResourceError
from asdbench.perturb.edits import AudioEdit, Edit, FaceEdit, digest, edit_audio, edit_faces, split_media
from asdbench.perturb.plan import Plan
from asdbench.perturb.scene import edit_beside
from asdbench.records.shards import TrackScores
from asdbench.types import ContextFaces, Float32Array, Int16Array, Scorer, Track, TrackKey, UInt8Array

_T = TypeVar("_T")


@dataclass(frozen=True)
class _Sight:
    """What a model is shown: the target's faces, and those beside it."""

    faces: Sequence[UInt8Array]
    context: ContextFaces = ()


@dataclass
class _Medium:
    """A track's medium and what has been computed from its edited versions, by digest of the edits ('' is clean)."""

    audio: Int16Array
    sight: _Sight
    landmarks: Float32Array | None = None
    audio_embeddings: dict[str, Any] = field(default_factory=dict)
    face_embeddings: dict[str, Any] = field(default_factory=dict)
    scores: dict[tuple[str, str], Float32Array] = field(default_factory=dict)


class _Version(NamedTuple):
    """How a condition changes one track."""

    edits: tuple[tuple[AudioEdit, ...], tuple[FaceEdit, ...]]
    key: Digests

    @classmethod
    def of(cls, edits: Sequence[Edit]) -> _Version:
        audio_edits, face_edits = split_media(edits)
        return cls((audio_edits, face_edits), (digest(audio_edits), digest(face_edits)))


class TrackEvaluator:
    """Scores tracks with one model under the conditions of a plan.

    A model that looks at other faces too (``needs.context_speakers``) is shown those that are seen together with the
    track, the same under every condition: edits of faces change the target alone, but for those of a whole scene.

    Args:
        scorer: The model.
        plan: The resolved suite.
        tracks: All tracks of the data set, from which donors and neighbours are taken.
        name: The model's name, for messages.
        skip: Whether a condition that needs a broken donor is left out (its scores become NaN) or is an error.
        meter: What to measure beside the scores.
    """

    def __init__(
        self,
        scorer: Scorer,
        plan: Plan,
        tracks: Sequence[Track],
        name: str,
        skip: bool = False,
        meter: Meter | None = None,
    ) -> None:
        self._scorer = scorer
        self._plan = plan
        self._name = name
        self._skip = skip
        self._meter = meter
        self.timings = Timings()
        self._lender = TrackLender(tracks)
        needs = getattr(scorer, "needs", None)
        speakers = int(getattr(needs, "context_speakers", 0))
        seed = int(getattr(needs, "context_seed", 0))
        landmarks = getattr(needs, "landmarks", None)
        self._context = ContextFinder(tracks, speakers, seed, landmarks) if speakers else None

    def stamp(self, track: Track) -> str:
        """Return text that changes when the files change that a track's scores depend on, donors' apart."""
        return track.media.stamp() if self._context is None else self._context.stamp(track)

    def record(self) -> dict[str, Any]:
        """Return what ``run.json`` says under ``engine``."""
        return {"kind": "local"}

    def results(self, tracks: Sequence[Track]) -> Generator[tuple[Track, TrackScores | DataError], None, None]:
        """Yield each track with its scores, or with why it has none; see `asdbench.engine.loop.Engine`."""
        for track in tracks:
            try:
                found: TrackScores | DataError = self.evaluate(track)
            except DataError as error:
                found = error
            yield track, found

    def evaluate(self, track: Track) -> TrackScores:
        """Score one track under every condition.

        Raises:
            DataError: The track's media, or those of a donor or neighbour, are missing or broken.
            ModelOutputError: The model failed, or returned something else than one finite score per frame.
            ResourceError: Memory ran out.
        """
        with self.timings.measure("decode"):
            medium = self._load(track)
        versions = {plan.condition.name: _Version.of(plan.edits(track.key)) for plan in self._plan.scored}
        beside = self._begin(track, medium, versions)
        scores, failures = {}, {}
        for name, version in versions.items():
            try:
                scores[name] = self._score(track, medium, version, beside)
            except BrokenDonorError as error:
                if not self._skip:
                    raise
                scores[name] = np.full(len(track), np.nan, dtype=np.float32)
                failures[name] = f"{name}: donor {error}"
        return TrackScores(
            track.key,
            track.timestamps_ms,
            _identity(medium),
            self.stamp(track),
            scores,
            " ".join(failures.values()),
            {} if beside is None else self._measured(track, medium, beside, failures),
        )

    def _begin(self, track: Track, medium: _Medium, versions: Mapping[str, _Version]) -> TrackMeter | None:
        if self._meter is None:
            return None
        beside = self._meter.begin(track, {name: version.key for name, version in versions.items()})
        if self._meter.is_floor:
            # What the model embeds is what the activity floor embeds, so nothing is done twice.
            beside.voices, beside.motions = medium.audio_embeddings, medium.face_embeddings
        return beside

    def _measured(
        self, track: Track, medium: _Medium, beside: TrackMeter, failed: Collection[str]
    ) -> dict[str, NDArray[Any]]:
        scorer, lips = self._scorer, None
        with self.timings.measure("activity"):
            if beside.meter.own_head and isinstance(scorer, Adapter):
                lips = self._checked(track, lambda: scorer.score_faces(medium.face_embeddings[CLEAN]))
            return beside.columns(lips, failed)

    def _load(self, track: Track) -> _Medium:
        if self._context is None:
            return _Medium(track.media.audio(), _Sight(track.media.faces()))
        near = self._context
        sight = _Sight(near.faces(track), near.context(track))
        return _Medium(track.media.audio(), sight, near.landmarks(track))

    def _score(
        self, track: Track, medium: _Medium, version: _Version, beside: TrackMeter | None = None
    ) -> Float32Array:
        (audio_edits, face_edits), key = version
        if key not in medium.scores:
            with self.timings.measure("perturb"):
                audio, sight = medium.audio, medium.sight
                if audio_edits and key[0] not in medium.audio_embeddings:
                    audio = edit_audio(medium.audio, audio_edits, track.media, self._lender)
                if face_edits and key[1] not in medium.face_embeddings:
                    sight = self._edited(track, sight, face_edits)
            with self.timings.measure("perturbed" if any(key) else "clean"):
                medium.scores[key] = self._checked(track, lambda: self._infer(track, medium, key, audio, sight))
            if beside is not None:
                with self.timings.measure("activity"):
                    beside.take(key, audio, sight.faces)
        return medium.scores[key]

    def _edited(self, track: Track, sight: _Sight, edits: Sequence[FaceEdit]) -> _Sight:
        faces = edit_faces(sight.faces, edits, self._lender, track.face_in_crop)
        if self._context is None or not any(edit.scene for edit in edits):
            return _Sight(faces, sight.context)
        # The digest of the edits says whether they are of the scene, so whatever it stands for is what was shown.
        near = zip(sight.context, self._context.boxes(track), self._context.neighbours(track), strict=True)
        return _Sight(
            faces, [edit_beside(others, edits, self._lender, boxes, "|".join(who.key)) for others, boxes, who in near]
        )

    def _infer(
        self, track: Track, medium: _Medium, key: tuple[str, str], audio: Int16Array, sight: _Sight
    ) -> Float32Array:
        scorer = self._scorer
        # Models get copies: one that works in place would spoil every later condition.
        if not isinstance(scorer, Adapter):
            return scorer.score_track(audio.copy(), _copied(sight.faces), track.fps, *self._shown_beside(medium, sight))
        sound = _once(medium.audio_embeddings, key[0], lambda: scorer.embed_audio(audio.copy(), len(track), track.fps))
        embed_faces: Callable[..., Any] = scorer.embed_faces

        def see() -> Any:
            return embed_faces(_copied(sight.faces), *self._shown_beside(medium, sight))

        return scorer.score(sound, _once(medium.face_embeddings, key[1], see))

    def _shown_beside(self, medium: _Medium, sight: _Sight) -> tuple[Any, ...]:
        """Return the arguments that only a model with context takes."""
        if self._context is None:
            return ()
        context = [_copied(others) for others in sight.context]
        if medium.landmarks is None:
            return (context,)
        points = medium.landmarks.copy()
        # Nobody finds lips in a face that has been changed.
        now, before = ((each.faces, *each.context) for each in (sight, medium.sight))
        for place, faces in enumerate(zip(now, before, strict=True)):
            points[place, [not _same(*pair) for pair in zip(*faces, strict=True)]] = NOT_FOUND
        return context, points

    def _checked(self, track: Track, infer: Callable[[], Float32Array | None]) -> Float32Array:
        where = f"the model {self._name!r} on track {track.entity_id!r} of video {track.video_id!r}"
        try:
            with np.errstate(over="ignore"):
                scores: Float32Array = np.asarray(infer()).astype(np.float32)
        except AsdbenchError:
            raise
        except Exception as error:  # a user's model may fail in any way; the user must learn which, and where
            if type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError):
                raise ResourceError(f"{where} ran out of memory on {len(track)} frames; use --device cpu.") from error
            place = traceback.extract_tb(error.__traceback__)[-1]
            raise ModelOutputError(
                f"{where} failed in {place.filename}, line {place.lineno}: {type(error).__name__}: {error}"
            ) from error
        if scores.shape != (len(track),):
            raise ModelOutputError(
                f"{where} returned the shape {scores.shape}; expected one score per frame, ({len(track)},)."
            )
        bad = int(np.count_nonzero(~np.isfinite(scores)))
        if bad:
            raise ModelOutputError(
                f"{where} returned {bad} of {len(track)} scores that are NaN or infinite; check its weights."
            )
        return scores


def _same(face: UInt8Array | None, other: UInt8Array | None) -> bool:
    return face is other or (face is not None and other is not None and np.array_equal(face, other))


def _copied(faces: Sequence[UInt8Array | None]) -> list[Any]:
    return [None if face is None else face.copy() for face in faces]


def _once(cache: dict[str, _T], key: str, compute: Callable[[], _T]) -> _T:
    if key not in cache:
        cache[key] = compute()
    return cache[key]


def _identity(medium: _Medium) -> str:
    # Of the target alone, so that runs of models with and without context can be compared; every neighbour is a track
    # of the data set with an identity of its own.
    state = blake2b(medium.audio.tobytes(), digest_size=16)
    for face in medium.sight.faces:
        state.update(repr(face.shape).encode())
        state.update(face.tobytes())
    return state.hexdigest()


def media_digest(media: Mapping[TrackKey, str]) -> str:
    """Return one identity for the media of many tracks, whatever order they were scored in."""
    return blake2b(repr(sorted(media.items())).encode(), digest_size=16).hexdigest()
