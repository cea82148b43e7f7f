"""One track under all conditions: each medium is edited once, each embedding computed once."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from asdbench.adapters.base import Adapter
from asdbench.data.context import ContextFinder
from asdbench.engine.activity import CLEAN, Digests, Meter, TrackMeter
from asdbench.engine.ahead import read_ahead
from asdbench.engine.how import How
from asdbench.engine.lender import BrokenDonorError, TrackLender
from asdbench.engine.medium import LazyFaces, Medium, Sight, shown_digest
from asdbench.engine.precision import encoded
from asdbench.engine.timings import Timings
from asdbench.errors import AsdbenchError, DataError, ModelOutputError, ResourceError
from asdbench.perturb.edits import AudioEdit, Edit, FaceEdit, digest, edit_audio, edit_faces, split_media
from asdbench.perturb.plan import Plan
from asdbench.perturb.scene import edit_beside
from asdbench.records.shards import TrackScores
from asdbench.types import Float32Array, Int16Array, Scorer, Track, UInt8Array

_T = TypeVar("_T")


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
        how: Ways to go about it.
    """

    def __init__(
        self,
        scorer: Scorer,
        plan: Plan,
        tracks: Sequence[Track],
        name: str,
        skip: bool = False,
        meter: Meter | None = None,
        how: How | None = None,
    ) -> None:
        self._scorer = scorer
        self._plan = plan
        self._name = name
        self._skip = skip
        self._meter = meter
        self._how = how or How()
        self._memory = self._how.memory
        self.timings = Timings()
        self._lender = TrackLender(tracks)
        needs = getattr(scorer, "needs", None)
        speakers = int(getattr(needs, "context_speakers", 0))
        seed = int(getattr(needs, "context_seed", 0))
        landmarks = getattr(needs, "landmarks", None)
        self._context = ContextFinder(tracks, speakers, seed, landmarks) if speakers else None
        # Several threads would decode the same neighbours at the same time.
        self._loaders = self._how.loaders if self._context is None else min(self._how.loaders, 1)

    def stamp(self, track: Track) -> str:
        """Return text that changes when the files change that a track's scores depend on, donors' apart."""
        return track.media.stamp() if self._context is None else self._context.stamp(track)

    def record(self) -> dict[str, Any]:
        """Return what ``run.json`` says under ``engine``."""
        return {"kind": "local", "loaders": self._loaders, **self.counts()}

    def counts(self) -> dict[str, int]:
        """Return how often what was worth counting has happened."""
        found = {} if self._memory is None else self._memory.counts()
        halvings = int(getattr(getattr(self._scorer, "room", None), "halvings", 0))
        return found | ({"out_of_memory": halvings} if halvings else {})

    def results(self, tracks: Sequence[Track]) -> Generator[tuple[Track, TrackScores | DataError], None, None]:
        """Yield each track with its scores, or with why it has none; see `asdbench.engine.loop.Engine`."""
        for track, load in read_ahead(tracks, self._load, self._loaders):
            try:
                found: TrackScores | DataError = self.evaluate(track, load)
            except DataError as error:
                found = error
            yield track, found

    def evaluate(self, track: Track, load: Callable[[], Medium] | None = None) -> TrackScores:
        """Score one track under every condition.

        Args:
            track: The track.
            load: Returns its medium, where that was begun to be read already.

        Raises:
            DataError: The track's media, or those of a donor or neighbour, are missing or broken.
            ModelOutputError: The model failed, or returned something else than one finite score per frame.
            ResourceError: Memory ran out.
        """
        medium = self._load(track) if load is None else load()
        versions = {plan.condition.name: _Version.of(plan.edits(track.key)) for plan in self._plan.scored}
        beside = self._begin(track, medium, versions)
        scores, failures = {}, {}
        for name, version in versions.items():
            try:
                scores[name] = self._score(track, self._medium_for(track, medium), version, beside)
            except BrokenDonorError as error:
                if not self._skip:
                    raise
                scores[name] = np.full(len(track), np.nan, dtype=np.float32)
                failures[name] = f"{name}: donor {error}"
        return TrackScores(
            track.key,
            track.timestamps_ms,
            medium.identity,
            self.stamp(track),
            scores,
            " ".join(failures.values()),
            {} if beside is None else self._measured(track, medium, beside, failures),
        )

    def _begin(self, track: Track, medium: Medium, versions: Mapping[str, _Version]) -> TrackMeter | None:
        if self._meter is None:
            return None
        beside = self._meter.begin(track, {name: version.key for name, version in versions.items()}, self._memory)
        if self._meter.is_floor and self._how.reuse:
            # What the model embeds is what the activity floor embeds, so nothing is done twice.
            beside.voices, beside.motions = medium.audio_embeddings, medium.face_embeddings
        return beside

    def _measured(
        self, track: Track, medium: Medium, beside: TrackMeter, failed: Collection[str]
    ) -> dict[str, NDArray[Any]]:
        scorer, lips = self._scorer, None
        with self.timings.measure("activity"):
            if beside.meter.own_head and isinstance(scorer, Adapter):
                lips = self._checked(track, lambda: scorer.score_faces(medium.face_embeddings[CLEAN]))
            return beside.columns(lips, failed)

    def _load(self, track: Track) -> Medium:
        with self.timings.measure("decode"):
            media, near = track.media, self._context
            audio, known = media.audio(), str(getattr(media, "faces_id", ""))
            if near is None:
                faces = LazyFaces(len(track), media.faces, known)
                medium = Medium(audio, Sight(faces))
            else:
                faces = LazyFaces(len(track), lambda: near.faces(track), known)
                medium = Medium(audio, Sight(faces, near.context(track)), near.landmarks(track))
        # Where faces are known by their content, they may not have to be looked at.
        if self._memory is None or not known:
            self._read(medium)
        return medium

    def _medium_for(self, track: Track, medium: Medium) -> Medium:
        """Return the medium for the next condition: the same, or one from which nothing has been computed yet."""
        if self._how.reuse or not medium.scores:
            return medium
        if isinstance(self._scorer, Adapter):
            self._scorer.forget()
        return self._load(track)

    def _read(self, medium: Medium) -> None:
        with self.timings.measure("decode"):
            _ = medium.sight.faces.made

    def _score(self, track: Track, medium: Medium, version: _Version, beside: TrackMeter | None = None) -> Float32Array:
        (audio_edits, face_edits), key = version
        if key not in medium.scores:
            audio, sight = medium.audio, medium.sight
            with self.timings.measure("perturb"):
                if audio_edits and key[0] not in medium.audio_embeddings:
                    audio = edit_audio(medium.audio, audio_edits, track.media, self._lender)
            if face_edits and key[1] not in medium.face_embeddings:
                self._read(medium)
                with self.timings.measure("perturb"):
                    sight = self._edited(track, sight, face_edits)
            medium.scores[key] = self._inferred(track, medium, key, audio, sight)
            if beside is not None:
                with self.timings.measure("activity"):
                    beside.take(key, audio, sight.faces)
        return medium.scores[key]

    def _inferred(self, track: Track, medium: Medium, key: Digests, audio: Int16Array, sight: Sight) -> Float32Array:
        shown = self._recall(medium, key[1], sight)
        unseen = key[1] not in medium.face_embeddings
        if unseen:
            self._read(medium)
        with self.timings.measure("perturbed" if any(key) else "clean"):
            scores = self._checked(track, lambda: self._infer(track, medium, key, audio, sight))
        if self._memory is not None and shown and unseen:
            with self.timings.measure("cache"):
                self._memory.keep(self._memory.model, shown, medium.face_embeddings[key[1]])
        return scores

    def _recall(self, medium: Medium, key: str, sight: Sight) -> str:
        """Look for the embedding of faces among those of earlier runs; return the digest of what the model is shown."""
        if self._memory is None or not isinstance(self._scorer, Adapter) or key in medium.face_embeddings:
            return ""
        with self.timings.measure("cache"):
            shown = shown_digest(sight.faces, sight.context, medium.landmarks_of(sight))
            found = self._memory.get(self._memory.model, shown)
        if found is not None:
            medium.face_embeddings[key] = found
        return shown

    def _edited(self, track: Track, sight: Sight, edits: Sequence[FaceEdit]) -> Sight:
        edited = edit_faces(sight.faces.made, edits, self._lender, track.face_in_crop)
        faces = LazyFaces(len(edited), lambda: edited)
        if self._context is None or not any(edit.scene for edit in edits):
            return Sight(faces, sight.context)
        # The digest of the edits says whether they are of the scene, so whatever it stands for is what was shown.
        near = zip(sight.context, self._context.boxes(track), self._context.neighbours(track), strict=True)
        return Sight(
            faces, [edit_beside(others, edits, self._lender, boxes, "|".join(who.key)) for others, boxes, who in near]
        )

    def _infer(
        self, track: Track, medium: Medium, key: tuple[str, str], audio: Int16Array, sight: Sight
    ) -> Float32Array:
        scorer = self._scorer
        # Models get copies: one that works in place would spoil every later condition.
        if not isinstance(scorer, Adapter):
            return scorer.score_track(audio.copy(), _copied(sight.faces), track.fps, *self._shown_beside(medium, sight))
        embed_faces: Callable[..., Any] = scorer.embed_faces

        def hear() -> Any:
            return encoded(scorer, self._how.dtype, lambda: scorer.embed_audio(audio.copy(), len(track), track.fps))

        def see() -> Any:
            shown = _copied(sight.faces), *self._shown_beside(medium, sight)
            return encoded(scorer, self._how.dtype, lambda: embed_faces(*shown))

        sound = _once(medium.audio_embeddings, key[0], hear)
        return scorer.score(sound, _once(medium.face_embeddings, key[1], see))

    def _shown_beside(self, medium: Medium, sight: Sight) -> tuple[Any, ...]:
        """Return the arguments that only a model with context takes."""
        if self._context is None:
            return ()
        context = [_copied(others) for others in sight.context]
        points = medium.landmarks_of(sight)
        return (context,) if points is None else (context, points)

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


def _copied(faces: Sequence[UInt8Array | None]) -> list[Any]:
    return [None if face is None else face.copy() for face in faces]


def _once(cache: dict[str, _T], key: str, compute: Callable[[], _T]) -> _T:
    if key not in cache:
        cache[key] = compute()
    return cache[key]
