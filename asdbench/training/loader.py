"""Batches of an epoch, computed here or in worker processes: the same ones either way.

A batch follows from the seed, the epoch and its place among all batches of the epoch alone, so one can begin anywhere,
and who computes it does not matter.

Sound is computed per clip, from the sound that its rows reach over: windows at its end see what follows, the first one
begins as that of a track does. So a whole track's rows need not be computed twice where nothing changes its sound: any
clip from its beginning has the first of them. A clip from its middle has not (off 25 fps rows drift against the
picture, pre-emphasis looks one sample back, and rows that are missing at the end are filled up from the beginning), and
is computed: 0.4 ms for 32 frames. A log-mel spectrogram depends on the loudest sound of the clip, and is computed, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from asdbench.errors import AsdbenchError, DataError, ResourceError, UsageError
from asdbench.features import mfcc_for_frames, samples_for_frames
from asdbench.features.whisper import HOP, whisper_log_mel
from asdbench.training.augment import changed_faces, changed_sound, changes_sound, coloured
from asdbench.training.batch import Batch
from asdbench.training.examples import ClipSource, Example
from asdbench.training.plan import Batches, Cut, epoch_plan
from asdbench.training.recipe import Recipe
from asdbench.types import SAMPLE_RATE, Float32Array, Int16Array

_VECTOR = 2 * HOP  # samples for one of Whisper's vectors
_SOUND, _FACES = 0x736F, 0x6661  # keep these choices apart from others that follow from the same place


class BatchLoader:
    """Computes the batches of a training.

    Args:
        source: Tracks.
        recipe: What is trained.
        seed: Of the training, at least 0.
        workers: Processes that compute batches ahead; each has its own copy of what the source keeps. 0 for none.
    """

    def __init__(self, source: ClipSource, recipe: Recipe, seed: int, workers: int = 0) -> None:
        self._clips = _Clips(source, recipe, seed)
        self._keys: list[tuple[int, int]] = []
        self._loader: DataLoader[Any] | None = None
        if workers:
            self._loader = DataLoader(
                self._clips,
                batch_size=None,
                sampler=self._keys,
                num_workers=workers,
                collate_fn=_same,
                multiprocessing_context="spawn",
                persistent_workers=True,
                generator=torch.Generator(),  # torch's own one is the training's
            )

    def count(self, epoch: int, world: int = 1) -> int:
        """Return how many batches each of ``world`` processes has in an epoch; some may be left over.

        Raises:
            UsageError: There are fewer batches than processes.
        """
        batches = len(self._clips.plan(epoch))
        if batches < world:
            raise UsageError(
                f"an epoch has {batches} batches, too few for {world} devices; use fewer of them, or set a lower "
                "clips.batch_frames."
            )
        return batches // world

    def batches(self, epoch: int, start: int = 0, rank: int = 0, world: int = 1) -> Iterator[tuple[int, Batch]]:
        """Yield a process's batches of an epoch, each with its number, counted from 0 for each process.

        Args:
            epoch: From 0.
            start: Number of the first that is wanted; those before it are not computed.
            rank: Which process: it has every ``world``-th batch from the ``rank``-th on.
            world: How many processes; all have equally many batches.

        Raises:
            DataError: Media are missing or broken.
            UsageError: See `count`.
            ResourceError: A worker process was killed.
        """
        numbers = range(start, self.count(epoch, world))
        self._keys[:] = [(epoch, number * world + rank) for number in numbers]
        found = map(self._clips.__getitem__, list(self._keys)) if self._loader is None else _ahead(self._loader)
        for number, batch in zip(numbers, found, strict=True):
            if isinstance(batch, AsdbenchError):
                raise batch
            yield number, batch


def _ahead(loader: DataLoader[Any]) -> Iterator[Any]:
    try:
        yield from loader
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise ResourceError(
            "a worker process that prepares batches ended by itself, perhaps for lack of memory (or, in a script, for "
            'lack of if __name__ == "__main__"); run the same command again with fewer workers, or 0.'
        ) from error


def _same(batch: Any) -> Any:
    return batch


class _Clips(Dataset[Any]):
    """Computes a batch by epoch and place; what is wrong is returned, as torch would spoil its message."""

    def __init__(self, source: ClipSource, recipe: Recipe, seed: int) -> None:
        self.source, self.recipe, self.seed = source, recipe, seed
        self._planned: tuple[int, Batches] | None = None
        self._rows: dict[tuple[int, int], Float32Array] = {}
        self._lasting = recipe.keep and not recipe.clips.clip_frames and not changes_sound(recipe.augment)
        # Here, so that workers need not compute it once more.
        self._spread = source.spread if recipe.augment.colour else np.zeros(0, np.float32)

    def plan(self, epoch: int) -> Batches:
        """Return the batches of an epoch."""
        if self._planned is None or self._planned[0] != epoch:
            self._planned = epoch, epoch_plan(self.source.outline, self.recipe.clips, self.seed, epoch)
        return self._planned[1]

    def __getitem__(self, key: tuple[int, int]) -> Batch | AsdbenchError:
        try:
            return self._batch(*key)
        except AsdbenchError as error:
            return error

    def _batch(self, epoch: int, place: int) -> Batch:
        cuts = self.plan(epoch)[place]
        sound_rng, faces_rng = (
            np.random.Generator(np.random.PCG64([kind, self.seed, epoch, place])) for kind in (_SOUND, _FACES)
        )
        examples = {track: self.source.example(track) for track in sorted({cut.track for cut in cuts})}
        sound, vectors = self._sound(cuts, examples, sound_rng)
        labels = [self.source.outline.labels[cut.track][cut.first : cut.first + cut.frames] for cut in cuts]
        return Batch(
            sound,
            torch.stack([self._faces(cut, examples[cut.track], faces_rng) for cut in cuts]),
            torch.from_numpy(np.stack(labels).astype(np.int64)),
            torch.tensor([cut.before for cut in cuts]),
            torch.tensor(vectors),
        )

    def _faces(self, cut: Cut, example: Example, rng: np.random.Generator) -> Tensor:
        span = slice(cut.first, cut.first + cut.frames)
        if self.source.front is not None:
            return self.source.front[cut.track][span]
        faces = example.faces[span]
        return torch.from_numpy(changed_faces(faces, self.recipe.augment, rng) if faces.size else faces)

    def _sound(
        self, cuts: Sequence[Cut], examples: dict[int, Example], rng: np.random.Generator
    ) -> tuple[Tensor, list[int]]:
        if self.source.sound == "none":
            return torch.zeros(len(cuts), 0, 0), [0] * len(cuts)
        if self.source.sound == "mfcc":
            rows = [self._mfcc(cut, examples[cut.track], rng) for cut in cuts]
            return torch.from_numpy(np.stack(rows)), [0] * len(cuts)
        sounds = [self._heard(cut, examples[cut.track], rng) for cut in cuts]
        vectors = [math.ceil(len(sound) / _VECTOR) for sound in sounds]
        mels = [whisper_log_mel(sound, self.source.mels, max(vectors) * _VECTOR) for sound in sounds]
        return torch.from_numpy(np.stack(mels)), vectors

    def _mfcc(self, cut: Cut, example: Example, rng: np.random.Generator) -> Float32Array:
        frames = cut.before + cut.frames + cut.after
        if self._lasting:
            rows = self._whole(cut, example)[: 4 * frames]
        else:
            rows = mfcc_for_frames(self._heard(cut, example, rng), frames, example.fps)
        return coloured(rows, self._spread, self.recipe.augment.colour, rng)

    def _whole(self, cut: Cut, example: Example) -> Float32Array:
        """Return the rows of all that a clip from there may hold."""
        key = cut.track, cut.first
        if key not in self._rows:
            frames = len(example.labels) - cut.first
            frames = min(frames, self.recipe.clips.longest or frames)
            sound = self._own(Cut(cut.track, cut.first, frames), example)
            self._rows[key] = mfcc_for_frames(sound, frames, example.fps)
        return self._rows[key]

    def _heard(self, cut: Cut, example: Example, rng: np.random.Generator) -> Int16Array:
        """Return the sound of a clip, changed."""

        def other(rng: np.random.Generator, samples: int) -> Int16Array:
            audio = self.source.audio(self.source.other(cut.track, rng))
            start = rng.integers(max(1, len(audio) - samples + 1))
            return np.resize(audio[start : start + samples], samples)  # again from its beginning, as TalkNet does

        return changed_sound(self._own(cut, example), self.recipe.augment, rng, other)

    def _own(self, cut: Cut, example: Example) -> Int16Array:
        """Return the sound of a clip as it is."""
        track, frames = self.source.tracks[cut.track], cut.before + cut.frames + cut.after
        start = track.sample_at(int(track.timestamps_ms[cut.first - cut.before]))
        mel = self.source.sound == "mel"
        samples = round(frames / example.fps * SAMPLE_RATE) if mel else samples_for_frames(frames, example.fps)
        sound = example.audio[start : start + samples]
        if len(sound) < HOP:
            raise DataError(
                f"{track.video_id}, track {track.entity_id}: its sound ends before frame {cut.first} begins, after "
                f"{len(example.audio) / SAMPLE_RATE:.2f} s; extract it again."
            )
        return sound
