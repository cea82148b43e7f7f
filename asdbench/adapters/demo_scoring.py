"""Scores as the demo scripts of Light-ASD, LR-ASD and TalkNet make them: the mean over chunks of 1 to 6 seconds.

The demo (also the authors' Columbia evaluation) differs from their AVA evaluation in this:

- MFCC are those of 25 frames per second, to which it converts every video; nothing is wrapped round. T frames with T
  frames of sound have 4T - 1 rows, hence T - 1 scores.
- A track is cut into back-to-back chunks of d seconds, each scored on its own, encoders included; the last one may be
  as short as a frame. Its durations stand in a list of eleven, 1 1 1 2 2 2 3 3 4 5 6, which the code turns into a set:
  each of 1 to 6 counts once. The six scores of a frame are averaged.
- The score is the raw logit of *speaking*; the other logit is ignored, so the order of frames may differ from that by
  log-odds.

Three things are left to others. The demo rounds to one decimal, which would turn 1e-6 into 0.1 here and make ties:
``np.round(scores, 1)`` gives its numbers. It smooths over neighbours. And it sees lower faces, cut from the picture in
its own way; here crops are what the data set holds.

Light-ASD and LR-ASD compare seconds of sound with a count of frames, so where sound outlasts the picture their script
fails; here all three take what both have, as TalkNet does, which is the same wherever theirs runs through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from asdbench.adapters.base import AdapterOptions
from asdbench.adapters.two_stream import TwoStreamAdapter
from asdbench.errors import DataError
from asdbench.features import ROWS_PER_FRAME, mfcc
from asdbench.types import Float32Array, Int16Array, UInt8Array

DURATIONS_S = (1, 2, 3, 4, 5, 6)
"""Lengths of chunks, in seconds."""

DEMO_FPS = 25
"""Frames per second of every video in the demo."""

Span: TypeAlias = tuple[int, int]
"""First frame of a chunk, and one past its last."""

_FPS_TOLERANCE = 0.05  # frame rates are measured from timestamps rounded to 10 ms


class ScoringOptions(AdapterOptions, frozen=True, kw_only=True):
    """Choices about scoring.

    Attributes:
        scoring: ``ava``: one forward pass over the track, log-odds. ``demo``: see `asdbench.adapters.demo_scoring`.
    """

    scoring: Literal["ava", "demo"] = "ava"


@dataclass(frozen=True)
class ChunkedAudio:
    """Embeddings of the sound of every chunk.

    Attributes:
        num_frames: Frames of the track.
        scored: Frames that the demo scores, from the first.
        chunks: ``[1, T, 128]`` for each.
    """

    num_frames: int
    scored: int
    chunks: dict[Span, Tensor]


@dataclass(frozen=True)
class CuttableFaces:
    """Embeddings of a track's crops, and the crops, since those near a cut must be embedded again.

    Attributes:
        crops: ``[T, side, side]``.
        whole: ``[1, T, channels]`` of the track as a whole.
        borders: Embeddings of the first or last frames of a chunk, by the crops that they were computed from.
    """

    crops: UInt8Array
    whole: Tensor
    borders: dict[Span, Tensor] = field(default_factory=dict)


class DemoScoredAdapter(TwoStreamAdapter):
    """Base of the adapters that can score like their authors' demo."""

    Options = ScoringOptions
    options: ScoringOptions

    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> Any:
        """Return ``[1, num_frames, 128]``, or with ``scoring=demo`` a `ChunkedAudio`; see `Adapter.embed_audio`."""
        if self.options.scoring == "ava":
            return super().embed_audio(audio, num_frames, fps)
        rows = demo_rows(audio, num_frames, fps)
        scored = len(rows) // ROWS_PER_FRAME
        spans = {span for seconds in DURATIONS_S for span in demo_chunks(scored, seconds)}
        chunks = {
            (first, stop): self.embed_rows(rows[ROWS_PER_FRAME * first : ROWS_PER_FRAME * stop])
            for first, stop in sorted(spans)
        }
        return ChunkedAudio(num_frames, scored, chunks)

    def embed_faces(self, faces: Sequence[UInt8Array]) -> Any:
        """Return ``[1, num_frames, channels]``, or with ``scoring=demo`` `CuttableFaces`; see `Adapter.embed_faces`."""
        if self.options.scoring == "ava":
            return super().embed_faces(faces)
        crops = self.resized(faces)
        return CuttableFaces(crops, self.embed_crops(crops))

    def embed_faces_many(self, tracks: Sequence[Sequence[UInt8Array]]) -> list[Any]:
        """Return for each track what `embed_faces` does; see `Adapter.embed_faces_many`."""
        if self.options.scoring == "ava":
            return super().embed_faces_many(tracks)
        resized = [self.resized(faces) for faces in tracks]
        return list(map(CuttableFaces, resized, self.embed_clips(resized)))

    def score(self, audio_embedding: Any, face_embedding: Any) -> Float32Array:
        """Return ``[num_frames]`` log-odds, or with ``scoring=demo`` mean logits; see `Adapter.score`.

        Frames at the end that the demo leaves out (usually one) repeat the score of its last.
        """
        if self.options.scoring == "ava":
            return super().score(audio_embedding, face_embedding)
        mean = self.demo_logits(audio_embedding, face_embedding).mean(axis=0)
        return np.pad(mean, (0, audio_embedding.num_frames - len(mean)), mode="edge")

    def demo_logits(self, audio: ChunkedAudio, faces: CuttableFaces) -> Float32Array:
        """Return the logits of *speaking*, ``[6, frames]``: one row for each duration of `DURATIONS_S`."""
        found = {
            span: self.logits(sound, self._cut(faces, span))[:, 1].float().cpu().numpy()
            for span, sound in audio.chunks.items()
        }
        rows = [np.concatenate([found[span] for span in demo_chunks(audio.scored, d)]) for d in DURATIONS_S]
        return np.stack(rows)

    def _cut(self, faces: CuttableFaces, span: Span) -> Tensor:
        """Return the embeddings of a chunk as if its crops were all there is.

        Only those within a halo of either end differ from the whole track's, and they see a halo further in.
        """
        (first, stop), halo = span, self.needs.halo
        if stop - first <= 2 * halo:
            return self._embed_border(faces, span)
        start = self._embed_border(faces, (first, first + 2 * halo))[:, :halo]
        end = self._embed_border(faces, (stop - 2 * halo, stop))[:, halo:]
        return torch.cat((start, faces.whole[:, first + halo : stop - halo], end), dim=1)

    def _embed_border(self, faces: CuttableFaces, span: Span) -> Tensor:
        if span not in faces.borders:
            faces.borders[span] = self.embed_crops(faces.crops[slice(*span)])
        return faces.borders[span]


def demo_rows(audio: Int16Array, num_frames: int, fps: float) -> Float32Array:
    """Return the MFCC that the demo uses, ``[4T', 13]`` for the T' frames that have both sound and a face.

    Raises:
        DataError: The track is not at 25 frames per second, or has not sound enough for one frame.
    """
    if abs(fps - DEMO_FPS) > _FPS_TOLERANCE:
        raise DataError(
            f"scoring=demo is defined at {DEMO_FPS} frames per second, but this track has {fps:g}; convert the video, "
            "as the demo does, or leave that option out."
        )
    rows = mfcc(audio, DEMO_FPS)
    scored = min(len(rows) // ROWS_PER_FRAME, num_frames)
    if not scored:
        raise DataError(
            f"scoring=demo needs {ROWS_PER_FRAME} MFCC rows for a frame, but {len(audio)} samples of audio give "
            f"{len(rows)}; leave that option or this track out."
        )
    return rows[: ROWS_PER_FRAME * scored]


def demo_chunks(num_frames: int, seconds: int) -> Iterator[Span]:
    """Yield the back-to-back chunks of one duration; the last one ends with the track."""
    length = seconds * DEMO_FPS
    for first in range(0, num_frames, length):
        yield first, min(first + length, num_frames)
