"""Light-ASD and LR-ASD as their authors' AVA evaluation runs them; the two differ only in the network.

Gray crops are resized to 112 x 112 (or to what the checkpoint's metadata name, `asdbench.checkpoints.load.FACE_SIZE`)
with OpenCV's bilinear filter (aspect ratio not kept), audio becomes MFCC with four
rows per frame, and the whole track is one forward pass. The official score is the softmax over two logits, column 1;
its log-odds, logit 1 - logit 0, are what is returned here. Only the visual encoder, which looks a few frames
around, works in chunks; its embeddings are those of the whole track.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from asdbench.adapters.torch_adapter import (
    CROP_SIZE,
    TorchAdapter,
    exact_inference,
    in_chunks,
    log_odds,
    one_thread,
    resized_crops,
)
from asdbench.features import mfcc_for_frames
from asdbench.networks.two_stream import TwoStreamNetwork
from asdbench.types import Float32Array, Int16Array, UInt8Array


class TwoStreamAdapter(TorchAdapter[TwoStreamNetwork]):
    """Base of both adapters; the side to which crops are resized is ``needs.crop_size``."""

    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> Tensor:
        """Return ``[1, num_frames, 128]`` on the device; see `Adapter.embed_audio`."""
        rows = torch.from_numpy(mfcc_for_frames(audio, num_frames, fps))[None]
        with exact_inference(self.device), one_thread():
            return self.network.embed_audio(rows.to(self.device))

    def embed_faces(self, faces: Sequence[UInt8Array]) -> Tensor:
        """Return ``[1, num_frames, 128]`` on the device; see `Adapter.embed_faces`."""
        crops = torch.from_numpy(resized_crops(faces, self.needs.crop_size or CROP_SIZE))[None]
        with exact_inference(self.device):
            return in_chunks(
                crops, lambda seen: self.network.embed_faces(seen.to(self.device).float()), self.needs.halo
            )

    def score(self, audio_embedding: Tensor, face_embedding: Tensor) -> Float32Array:
        """Return ``[num_frames]`` float32 log-odds; see `Adapter.score`."""
        with exact_inference(self.device), one_thread():
            return log_odds(self.network.head(audio_embedding, face_embedding)[0])
