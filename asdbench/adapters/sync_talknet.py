"""Sync-TalkNet as its authors' evaluation runs it: in chunks of 250 frames.

A remainder of up to 125 frames joins the last full chunk, a longer one is a chunk of its own. Each chunk is a clip on
its own throughout: its pictures, its positions, and its sound, which is cut from the time of its first frame to that of
its last, so that it is one frame short and its MFCC wrap round within the chunk.

The official code takes 25 frames per second for granted; here MFCC follow the frame rate of the track, which is the
same at 25.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from asdbench.adapters.base import AdapterOptions, Needs
from asdbench.adapters.torch_adapter import CROP_SIZE, log_odds
from asdbench.adapters.two_stream import TwoStreamAdapter
from asdbench.errors import DataError, UsageError
from asdbench.features import mfcc_for_frames
from asdbench.networks.sync_talknet import POSITIONS
from asdbench.types import SAMPLE_RATE, Float32Array, Int16Array, UInt8Array

CHUNK_FRAMES = 250
"""Frames of a chunk."""

MERGED_FRAMES = 125
"""Longest remainder that joins the chunk before it."""

Span: TypeAlias = tuple[int, int]
"""First frame of a chunk, and one past its last."""


class ChunkingOptions(AdapterOptions, frozen=True, kw_only=True):
    """Choices about long tracks.

    Attributes:
        chunking: ``250-frames``: as the official evaluation. ``none``: each track as a whole, as TalkNet; a track may
            then have at most as many frames as the network has positions, 400.
    """

    chunking: Literal["250-frames", "none"] = "250-frames"


class SyncTalkNet(TwoStreamAdapter):
    """Sync-TalkNet; a frame sees 2 neighbours, as in TalkNet, but none beyond its chunk."""

    name = "sync-talknet"
    version = 1
    architecture = "sync-talknet"
    needs = Needs(crop_size=CROP_SIZE, halo=2, needs_checkpoint=True)
    Options = ChunkingOptions
    options: ChunkingOptions

    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> Tensor:
        """Return ``[1, num_frames, 128]`` on the device, the chunks side by side; see `Adapter.embed_audio`.

        Raises:
            DataError: As for every model, or the audio ends before a chunk begins.
            UsageError: Chunking is off, and the track has more frames than the network has positions.
        """
        if self.options.chunking == "none":
            _check_length(num_frames)
            return super().embed_audio(audio, num_frames, fps)
        spans = chunks_of(num_frames)
        rows = [mfcc_for_frames(_sound_of(audio, span, fps), span[1] - span[0], fps) for span in spans]
        return torch.cat([self.embed_rows(each) for each in rows], dim=1)

    def embed_faces(self, faces: Sequence[UInt8Array]) -> Tensor:
        """Return ``[1, num_frames, 512]`` on the device, the chunks side by side; see `Adapter.embed_faces`."""
        if self.options.chunking == "none":
            _check_length(len(faces))
            return super().embed_faces(faces)
        crops = self.resized(faces)
        return torch.cat([self.embed_crops(crops[slice(*span)]) for span in chunks_of(len(crops))], dim=1)

    def embed_faces_many(self, tracks: Sequence[Sequence[UInt8Array]]) -> list[Tensor]:
        """Return for each track what `embed_faces` does, the chunks of all at a time."""
        if self.options.chunking == "none":
            for faces in tracks:
                _check_length(len(faces))
            return super().embed_faces_many(tracks)
        resized = [self.resized(faces) for faces in tracks]
        embedded = iter(self.embed_clips([crops[slice(*span)] for crops in resized for span in chunks_of(len(crops))]))
        return [torch.cat(list(islice(embedded, len(chunks_of(len(crops))))), dim=1) for crops in resized]

    def score(self, audio_embedding: Tensor, face_embedding: Tensor) -> Float32Array:
        """Return ``[num_frames]`` float32 log-odds; see `Adapter.score`."""
        num_frames = audio_embedding.shape[1]
        spans = [(0, num_frames)] if self.options.chunking == "none" else chunks_of(num_frames)
        logits = [self.logits(audio_embedding[:, slice(*span)], face_embedding[:, slice(*span)]) for span in spans]
        return log_odds(torch.cat(logits))


def chunks_of(num_frames: int) -> list[Span]:
    """Return the chunks of a track of at least one frame."""
    stops = list(range(CHUNK_FRAMES, num_frames + 1, CHUNK_FRAMES))
    if stops and num_frames - stops[-1] <= MERGED_FRAMES:
        stops.pop()
    stops.append(num_frames)
    return list(zip([0, *stops], stops, strict=False))


def _sound_of(audio: Int16Array, span: Span, fps: float) -> Int16Array:
    """Return the samples from a chunk's first frame to its last; of a single frame, those to the next one."""
    first, stop = span
    last = max(stop - 1, first + 1)
    sound = audio[round(first * SAMPLE_RATE / fps) : round(last * SAMPLE_RATE / fps)]
    if not len(sound):
        raise DataError(
            f"the track has {len(audio) / SAMPLE_RATE:.2f} s of audio, but its frames {first} to {stop - 1} begin at "
            f"{first / fps:.2f} s; check its wav."
        )
    return sound


def _check_length(num_frames: int) -> None:
    if num_frames > POSITIONS:
        raise UsageError(
            f"Sync-TalkNet knows positions of {POSITIONS} frames, but a track has {num_frames}; leave out the option "
            "chunking=none."
        )
