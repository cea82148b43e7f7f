"""Asks a model: in one call or step by step, a track at a time or several, keeping what is needed again."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np

from asdbench.adapters.base import Adapter
from asdbench.engine.activity import CLEAN, Digests
from asdbench.engine.how import How
from asdbench.engine.medium import Medium, Sight, shown_digest
from asdbench.engine.precision import encoded
from asdbench.engine.timings import Timings
from asdbench.engine.underway import attempt
from asdbench.errors import AsdbenchError, DataError, ModelOutputError, ResourceError
from asdbench.types import Float32Array, Int16Array, Scorer, Track, UInt8Array

_T = TypeVar("_T")


class Shown(NamedTuple):
    """What a model is to be shown of one track.

    Attributes:
        medium: Of the track; keeps the embedding.
        key: Digest of the edits of its faces.
        sight: What they make of it.
    """

    medium: Medium
    key: str
    sight: Sight


@dataclass(frozen=True)
class Inference:
    """One model and how to ask it.

    Attributes:
        scorer: The model.
        name: Its name, for messages.
        how: Ways to go about it.
        timings: Where the time it takes is added.
        in_context: Whether it is shown other faces beside the target.
    """

    scorer: Scorer
    name: str
    how: How
    timings: Timings
    in_context: bool

    def read(self, medium: Medium) -> None:
        """Read the faces of a medium.

        Raises:
            DataError: They are missing or broken.
        """
        with self.timings.measure("decode"):
            _ = medium.sight.faces.made

    def scores(self, track: Track, medium: Medium, key: Digests, audio: Int16Array, sight: Sight) -> Float32Array:
        """Score one version of a track.

        Raises:
            DataError: What it is shown cannot be read.
            ModelOutputError: The model failed, or returned something else than one finite score per frame.
            ResourceError: Memory ran out.
        """
        shown = self._recall(medium, key[1], sight)
        unseen = key[1] not in medium.face_embeddings
        if unseen:
            self.read(medium)
        with self.timings.measure("perturbed" if any(key) else "clean"):
            scores = self._checked(track, lambda: self._infer(track, medium, key, audio, sight))
        if shown and unseen:
            self._keep(shown, medium.face_embeddings[key[1]])
        return scores

    def own_head(self, track: Track, medium: Medium) -> Float32Array | None:
        """Return what the model's head over faces alone makes of the clean ones."""
        scorer = self.scorer
        if not isinstance(scorer, Adapter):
            return None
        return self._checked(track, lambda: scorer.score_faces(medium.face_embeddings[CLEAN]))

    def see_together(self, shown: Sequence[Shown]) -> None:
        """Embed the faces of several tracks at a time, in their media; pictures that are none leave each to itself.

        Embeddings of earlier runs are taken only where there is one of every track: in smaller company the others
        would differ in their last digits, according to how far a run had come before it was killed.

        Raises:
            ModelOutputError: The model failed.
            ResourceError: Memory ran out.
        """
        scorer = self.scorer
        digests = {id(each): self._recall(*each) for each in shown}
        known = {id(each): each.key in each.medium.face_embeddings for each in shown}
        if not isinstance(scorer, Adapter) or all(known.values()):
            return
        shown = [each for each in shown if not isinstance(attempt(partial(self.read, each.medium)), DataError)]
        where = f"the model {self.name!r} on {len(shown)} tracks together"

        def see() -> list[Any]:
            faces = [_copied(each.sight.faces) for each in shown]
            return encoded(scorer, self.how.dtype, lambda: scorer.embed_faces_many(faces))

        with self.timings.measure("perturbed" if any(each.key for each in shown) else "clean"):
            found = attempt(lambda: self._guarded(where, see))
        if isinstance(found, DataError):
            return
        # Those that were missing come last: whoever finds one of every track then finds those of one batch.
        for each, embedding in sorted(zip(shown, found, strict=True), key=lambda pair: not known[id(pair[0])]):
            each.medium.face_embeddings[each.key] = embedding
            if digests[id(each)]:
                self._keep(digests[id(each)], embedding)

    def _keep(self, shown: str, embedding: Any) -> None:
        if self.how.memory is not None:
            with self.timings.measure("cache"):
                self.how.memory.keep(self.how.memory.model, shown, embedding)

    def _recall(self, medium: Medium, key: str, sight: Sight) -> str:
        """Look for the embedding of faces among those of earlier runs; return the digest of what the model is shown."""
        memory = self.how.memory
        if memory is None or not isinstance(self.scorer, Adapter) or key in medium.face_embeddings:
            return ""
        with self.timings.measure("cache"):
            shown = shown_digest(sight.faces, sight.context, medium.landmarks_of(sight))
            found = memory.get(memory.model, shown)
        if found is not None:
            medium.face_embeddings[key] = found
        return shown

    def _infer(self, track: Track, medium: Medium, key: Digests, audio: Int16Array, sight: Sight) -> Float32Array:
        scorer = self.scorer
        # Models get copies: one that works in place would spoil every later condition.
        if not isinstance(scorer, Adapter):
            return scorer.score_track(audio.copy(), _copied(sight.faces), track.fps, *self._beside(medium, sight))
        embed_faces: Callable[..., Any] = scorer.embed_faces

        def hear() -> Any:
            return encoded(scorer, self.how.dtype, lambda: scorer.embed_audio(audio.copy(), len(track), track.fps))

        def see() -> Any:
            shown = _copied(sight.faces), *self._beside(medium, sight)
            return encoded(scorer, self.how.dtype, lambda: embed_faces(*shown))

        sound = _once(medium.audio_embeddings, key[0], hear)
        return scorer.score(sound, _once(medium.face_embeddings, key[1], see))

    def _beside(self, medium: Medium, sight: Sight) -> tuple[Any, ...]:
        """Return the arguments that only a model with context takes."""
        if not self.in_context:
            return ()
        context = [_copied(others) for others in sight.context]
        points = medium.landmarks_of(sight)
        return (context,) if points is None else (context, points)

    def _guarded(self, where: str, infer: Callable[[], _T], amount: str = "") -> _T:
        try:
            with np.errstate(over="ignore"):
                return infer()
        except AsdbenchError:
            raise
        except Exception as error:  # a user's model may fail in any way; the user must learn which, and where
            if type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError):
                raise ResourceError(f"{where} ran out of memory{amount}; use --device cpu.") from error
            place = traceback.extract_tb(error.__traceback__)[-1]
            raise ModelOutputError(
                f"{where} failed in {place.filename}, line {place.lineno}: {type(error).__name__}: {error}"
            ) from error

    def _checked(self, track: Track, infer: Callable[[], Float32Array | None]) -> Float32Array:
        where = f"the model {self.name!r} on track {track.entity_id!r} of video {track.video_id!r}"
        scores: Float32Array = self._guarded(
            where, lambda: np.asarray(infer()).astype(np.float32), f" on {len(track)} frames"
        )
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
