"""Tracks under all conditions: each medium is edited once, each embedding computed once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asdbench.adapters.base import Adapter
from asdbench.data.context import ContextFinder
from asdbench.engine.activity import Meter, TrackMeter
from asdbench.engine.ahead import read_ahead
from asdbench.engine.batches import Batch
from asdbench.engine.how import How
from asdbench.engine.inference import Inference, Shown
from asdbench.engine.lender import BrokenDonorError, TrackLender
from asdbench.engine.medium import LazyFaces, Medium, Sight
from asdbench.engine.timings import Timings
from asdbench.engine.underway import Underway, Version, attempt
from asdbench.errors import DataError
from asdbench.perturb.edits import FaceEdit, edit_audio, edit_faces
from asdbench.perturb.plan import Plan
from asdbench.perturb.scene import edit_beside
from asdbench.records.shards import TrackScores
from asdbench.types import Float32Array, Scorer, Track


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
        self._inference = Inference(scorer, name, self._how, self.timings, self._context is not None)
        # Several threads would decode the same neighbours at the same time.
        self._loaders = self._how.loaders if self._context is None else min(self._how.loaders, 1)

    def stamp(self, track: Track) -> str:
        """Return text that changes when the files change that a track's scores depend on, donors' apart."""
        return track.media.stamp() if self._context is None else self._context.stamp(track)

    @property
    def batch_frames(self) -> int:
        """How many frames tracks may have that are embedded together; see `asdbench.engine.batches`."""
        return self._how.batch_frames

    def record(self) -> dict[str, Any]:
        """Return what ``run.json`` says under ``engine``."""
        return {"kind": "local", "loaders": self._loaders, **self._how.record(), **self.counts()}

    def counts(self) -> dict[str, int]:
        """Return how often what was worth counting has happened."""
        found = {} if self._memory is None else self._memory.counts()
        room = getattr(self._scorer, "room", None)
        scarce = 0 if room is None else int(room.halvings + room.partings)
        compiled = getattr(self._scorer, "compiled", None)
        found |= {} if compiled is None else {"compiled": int(compiled)}
        return found | ({"out_of_memory": scarce} if scarce else {})

    def results(self, batches: Sequence[Batch]) -> Generator[tuple[Track, TrackScores | DataError], None, None]:
        """Yield each track with its scores, or with why it has none; see `asdbench.engine.loop.Engine`."""
        # Of batches the next is read, by as many threads; of single tracks the next for each thread.
        ahead = min(self._loaders, 1) if self.batch_frames else self._loaders
        for batch, loaded in read_ahead(batches, self._load_all, ahead):
            loads = loaded()
            if len(batch) > 1:
                yield from self._together(batch, loads)
            else:
                yield batch[0], attempt(partial(self.evaluate, batch[0], loads[0]))

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
        underway = self._begin(track, load or partial(self._load, track))
        for name in underway.versions:
            self._step(underway, name)
        return self._finish(underway)

    def _together(
        self, batch: Batch, loads: Sequence[Callable[[], Medium]]
    ) -> Generator[tuple[Track, TrackScores | DataError], None, None]:
        """Score tracks condition by condition; one that is broken leaves the others."""
        found: list[Any] = [
            attempt(partial(self._begin, track, load)) for track, load in zip(batch, loads, strict=True)
        ]
        for condition in self._plan.scored:
            name = condition.condition.name
            self._see(name, [each for each in found if isinstance(each, Underway)])
            for number, each in enumerate(found):
                failure = attempt(partial(self._step, each, name)) if isinstance(each, Underway) else None
                found[number] = failure or each
        for track, each in zip(batch, found, strict=True):
            yield track, attempt(partial(self._finish, each)) if isinstance(each, Underway) else each

    def _begin(self, track: Track, load: Callable[[], Medium]) -> Underway:
        medium = load()
        versions = {plan.condition.name: Version.of(plan.edits(track.key)) for plan in self._plan.scored}
        if self._meter is None:
            return Underway(track, medium, versions, None)
        beside = self._meter.begin(track, {name: version.key for name, version in versions.items()}, self._memory)
        if self._meter.is_floor and self._how.reuse:
            # What the model embeds is what the activity floor embeds, so nothing is done twice.
            beside.voices, beside.motions = medium.audio_embeddings, medium.face_embeddings
        return Underway(track, medium, versions, beside)

    def _step(self, underway: Underway, name: str) -> None:
        """Score one condition."""
        try:
            underway.scores[name] = self._score(underway, underway.versions[name])
        except BrokenDonorError as error:
            if not self._skip:
                raise
            underway.scores[name] = np.full(len(underway.track), np.nan, dtype=np.float32)
            underway.failures[name] = f"{name}: donor {error}"
            for key in underway.edited:  # another condition that shows it will have to measure it, too
                underway.medium.face_embeddings.pop(key, None)
        finally:
            underway.edited.clear()

    def _finish(self, underway: Underway) -> TrackScores:
        track, beside = underway.track, underway.beside
        return TrackScores(
            track.key,
            track.timestamps_ms,
            underway.medium.identity,
            self.stamp(track),
            underway.scores,
            " ".join(underway.failures.values()),
            {} if beside is None else self._measured(track, underway.medium, beside, underway.failures),
        )

    def _measured(
        self, track: Track, medium: Medium, beside: TrackMeter, failed: Collection[str]
    ) -> dict[str, NDArray[Any]]:
        with self.timings.measure("activity"):
            lips = self._inference.own_head(track, medium) if beside.meter.own_head else None
            return beside.columns(lips, failed)

    def _load_all(self, batch: Batch) -> list[Callable[[], Medium]]:
        """Read the media of tracks; return for each what gives its medium, or raises why there is none."""
        if not self._loaders:
            return [partial(self._load, track) for track in batch]
        with ThreadPoolExecutor(self._loaders, thread_name_prefix="asdbench-loader") as pool:
            return [future.result for future in [pool.submit(self._load, track) for track in batch]]

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
            self._inference.read(medium)
        return medium

    def _medium_for(self, track: Track, medium: Medium) -> Medium:
        """Return the medium for the next condition: the same, or one from which nothing has been computed yet."""
        if self._how.reuse or not medium.scores:
            return medium
        if isinstance(self._scorer, Adapter):
            self._scorer.forget()
        return self._load(track)

    def _see(self, name: str, tracks: Sequence[Underway]) -> None:
        """Embed the faces that tracks have under a condition together, as far as they are not known."""
        shown = []
        for each in tracks:
            version = each.versions[name]
            if version.key[1] in each.medium.face_embeddings:
                continue
            sight = attempt(partial(self._sight, each.track, each.medium, version))
            if isinstance(sight, Sight):  # else its own turn says why
                each.edited[version.key[1]] = sight
                shown.append(Shown(each.medium, version.key[1], sight))
        if len(shown) > 1:
            self._inference.see_together(shown)

    def _score(self, underway: Underway, version: Version) -> Float32Array:
        (audio_edits, face_edits), key = version
        track = underway.track
        medium = self._medium_for(track, underway.medium)
        if key not in medium.scores:
            audio = medium.audio
            with self.timings.measure("perturb"):
                if audio_edits and key[0] not in medium.audio_embeddings:
                    audio = edit_audio(medium.audio, audio_edits, track.media, self._lender)
            sight = underway.edited.get(key[1], medium.sight)
            if face_edits and key[1] not in medium.face_embeddings:
                sight = self._sight(track, medium, version)
            medium.scores[key] = self._inference.scores(track, medium, key, audio, sight)
            if underway.beside is not None:
                with self.timings.measure("activity"):
                    underway.beside.take(key, audio, sight.faces)
        return medium.scores[key]

    def _sight(self, track: Track, medium: Medium, version: Version) -> Sight:
        """Return what a version shows."""
        if not version.edits[1]:
            return medium.sight
        self._inference.read(medium)
        with self.timings.measure("perturb"):
            return self._edited(track, medium.sight, version.edits[1])

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
