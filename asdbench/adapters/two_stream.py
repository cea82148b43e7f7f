"""Light-ASD, LR-ASD and TalkNet as their authors' AVA evaluation runs them; they differ only in the network.

Gray crops are resized to 112 x 112 (or to what the checkpoint's metadata name, `asdbench.checkpoints.load.FACE_SIZE`)
with OpenCV's bilinear filter (aspect ratio not kept), audio becomes MFCC with four
rows per frame, and the whole track is one forward pass. The official score is the softmax over two logits, column 1;
its log-odds, logit 1 - logit 0, are what is returned here. Only the visual encoder, which looks a few frames
around, works in chunks; its embeddings are those of the whole track.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from asdbench.adapters.torch_adapter import (
    CROP_SIZE,
    TorchAdapter,
    end_to_end,
    exact_inference,
    in_chunks,
    log_odds,
    one_thread,
    resized_crops,
    sent,
)
from asdbench.features import mfcc_for_frames
from asdbench.networks.fast import is_optimised
from asdbench.networks.talknet import TalkNet
from asdbench.networks.two_stream import TwoStreamNetwork
from asdbench.types import Float32Array, Int16Array, UInt8Array


class TwoStreamAdapter(TorchAdapter[TwoStreamNetwork | TalkNet]):
    """Base of these adapters; the side to which crops are resized is ``needs.crop_size``."""

    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> Tensor:
        """Return ``[1, num_frames, 128]`` on the device; see `Adapter.embed_audio`."""
        return self.embed_rows(mfcc_for_frames(audio, num_frames, fps))

    def embed_faces(self, faces: Sequence[UInt8Array]) -> Tensor:
        """Return ``[1, num_frames, channels]`` on the device; see `Adapter.embed_faces`."""
        return self.embed_crops(self.resized(faces))

    def embed_faces_many(self, tracks: Sequence[Sequence[UInt8Array]]) -> list[Any]:
        """Return for each track what `embed_faces` does; see `Adapter.embed_faces_many`."""
        return list(self.embed_clips([self.resized(faces) for faces in tracks]))

    def score(self, audio_embedding: Tensor, face_embedding: Tensor) -> Float32Array:
        """Return ``[num_frames]`` float32 log-odds; see `Adapter.score`."""
        return log_odds(self.logits(audio_embedding, face_embedding))

    def video_logits(self, face_embedding: Tensor) -> Tensor:
        """Return the logits ``[T, 2]`` of the head over the faces alone, which Light-ASD and LR-ASD have."""
        with exact_inference(self.device), one_thread():
            logits: Tensor = cast(TwoStreamNetwork, self.network).lossV(face_embedding)[0]
            return logits

    def resized(self, faces: Sequence[UInt8Array]) -> UInt8Array:
        """Return crops ``[num_frames, side, side]`` as the network sees them.

        Raises:
            DataError: A crop is no gray uint8 picture.
        """
        return resized_crops(faces, self.needs.crop_size or CROP_SIZE)

    def embed_rows(self, rows: Float32Array) -> Tensor:
        """Embed MFCC ``[4T, 13]`` of one clip into ``[1, T, 128]`` on the device."""
        with exact_inference(self.device), one_thread():
            return self.network.embed_audio(torch.from_numpy(rows)[None].to(self.device))

    def embed_crops(self, crops: UInt8Array) -> Tensor:
        """Embed resized crops ``[T, side, side]`` of one clip into ``[1, T, channels]`` on the device."""
        with exact_inference(self.device):
            return self._embed_clip(torch.from_numpy(crops)[None])

    def embed_clips(self, clips: Sequence[UInt8Array]) -> list[Tensor]:
        """Embed each clip as `embed_crops` does, all at a time where the device is faster with more.

        The encoders as rewritten for the CPU are not: they take few frames at a time.
        """
        if is_optimised(self.network):
            return [self.embed_crops(crops) for crops in clips]

        def embed(frames: Tensor, gaps: Tensor) -> Tensor:
            return self.network.embed_faces(sent(frames, self.device).float(), sent(gaps, self.device))

        with exact_inference(self.device):
            return end_to_end([torch.from_numpy(crops) for crops in clips], embed, self._embed_clip, self.room)

    def _embed_clip(self, frames: Tensor) -> Tensor:
        def embed(seen: Tensor) -> Tensor:
            return self.network.embed_faces(sent(seen, self.device).float())

        return in_chunks(frames, embed, self.needs.halo, self.room)

    def logits(self, audio_embedding: Tensor, face_embedding: Tensor) -> Tensor:
        """Return the logits ``[T, 2]`` of the embeddings of one clip; column 1 is *speaking*."""
        with exact_inference(self.device), one_thread():
            return self.network.head(audio_embedding, face_embedding)[0]
