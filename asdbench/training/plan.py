"""Which clips of which tracks make up the batches of an epoch: pure functions of labels, seed and epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from asdbench.errors import DataError
from asdbench.training.recipe import Clips

Batches = list[tuple["Cut", ...]]
"""Of an epoch; the cuts of a batch have as many frames each, seen and heard."""

_PLAN = 0x706C  # keeps these choices apart from others that follow from the same seed and epoch


@dataclass(frozen=True)
class Cut:
    """Frames of one track.

    Attributes:
        track: Position among the tracks that are trained on.
        first: First frame.
        frames: How many.
        before: Frames before the first one whose sound is taken too.
        after: Frames after the last one whose sound is taken too.
    """

    track: int
    first: int
    frames: int
    before: int = 0
    after: int = 0


@dataclass(frozen=True)
class Outline:
    """All that a plan looks at.

    Attributes:
        spans: Longest stretches of the tracks from which clips may come; each is long enough for one.
        labels: Of each track, ``[T]``, 0 or 1.
        around: Frames of sound that a drawn clip needs in its span beside itself, this many for each side.
    """

    spans: tuple[Cut, ...]
    labels: tuple[NDArray[np.int8], ...]
    around: int = 0


def epoch_plan(outline: Outline, clips: Clips, seed: int, epoch: int) -> Batches:
    """Return the batches of an epoch.

    Whole tracks (``clip_frames`` 0): as TalkNet, Light-ASD and LR-ASD train. Spans are sorted, longest first; as many
    as hold ``batch_frames`` at the length of the longest of them make a batch, a longer one makes a batch alone; each
    is cut to the shortest of its batch, from its beginning on. Batches come in random order, and which of equally long
    spans fall together is random, too. (Sync-TalkNet's official code keeps the longest first; that is not offered.)

    Clips (``clip_frames`` above 0): each is drawn around a frame that is speaking, with chance ``speaking``, or around
    one that is not, all such frames being equally likely, and its place around that frame, too.

    Args:
        outline: What there is.
        clips: Of the recipe.
        seed: Of the training, at least 0.
        epoch: From 0.

    Raises:
        DataError: Clips are to be drawn around frames that speak, or that do not, and there is none.
    """
    rng = np.random.Generator(np.random.PCG64([_PLAN, seed, epoch]))
    return _drawn(outline, clips, rng) if clips.clip_frames else _whole(outline.spans, clips, rng)


def _whole(spans: Sequence[Cut], clips: Clips, rng: np.random.Generator) -> Batches:
    lengths = [min(span.frames, clips.longest or span.frames) for span in spans]
    rest = sorted(rng.permutation(len(spans)).tolist(), key=lambda index: -lengths[index])
    batches: Batches = []
    while rest:
        count = max(1, clips.batch_frames // lengths[rest[0]])
        taken, rest = rest[:count], rest[count:]
        shortest = lengths[taken[-1]]
        batches.append(tuple(Cut(spans[index].track, spans[index].first, shortest) for index in taken))
    return [batches[index] for index in rng.permutation(len(batches))]


def _drawn(outline: Outline, clips: Clips, rng: np.random.Generator) -> Batches:
    spans, length = outline.spans, clips.clip_frames
    per_batch = max(1, clips.batch_frames // length)
    ends = np.cumsum([span.frames for span in spans])
    count = clips.epoch_batches or math.ceil(int(ends[-1]) / (per_batch * length))
    speaking = rng.random((count, per_batch)) < clips.speaking
    frames = np.where(speaking, *(_around(outline, label, speaking == label, rng) for label in (1, 0)))
    places = rng.integers(length, size=frames.shape)
    owners = np.searchsorted(ends, frames, side="right")
    return [
        tuple(
            _clip(spans[owner], frame - (int(ends[owner]) - spans[owner].frames) - place, length, outline.around)
            for owner, frame, place in zip(*row, strict=True)
        )
        for row in zip(owners.tolist(), frames.tolist(), places.tolist(), strict=True)
    ]


def _around(outline: Outline, label: int, wanted: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw frames with one label, counted through all spans; what is not wanted is of no meaning."""
    labels = [outline.labels[span.track][span.first : span.first + span.frames] for span in outline.spans]
    found = np.flatnonzero(np.concatenate(labels) == label)
    if not wanted.any():
        return np.zeros(wanted.shape, np.int64)
    if not len(found):
        kind, share = ("speaking", "0") if label else ("not speaking", "1")
        raise DataError(
            f"of the {sum(map(len, labels))} frames that can be trained on none is {kind}, but the recipe draws clips "
            f"around such frames; train on other data, or set clips.speaking to {share}."
        )
    drawn: NDArray[np.int64] = found[rng.integers(len(found), size=wanted.shape)]
    return drawn


def _clip(span: Cut, start: int, length: int, around: int) -> Cut:
    """Cut a clip out of a span as near as may be to ``start``, and the sound around it, which stays within as well."""
    start = min(max(start, 0), span.frames - length)
    heard = min(max(start - around, 0), span.frames - length - 2 * around)
    return Cut(span.track, span.first + start, length, start - heard, heard + 2 * around - start)
