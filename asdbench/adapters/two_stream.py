"""Light-ASD and LR-ASD as their authors' AVA evaluation runs them; the two differ only in the network.

Gray crops are resized to 112 x 112 (or to what the checkpoint's metadata name, `asdbench.checkpoints.load.FACE_SIZE`)
with OpenCV's bilinear filter (aspect ratio not kept), audio becomes MFCC with four
rows per frame, and the whole track is one forward pass. The official score is the softmax over two logits, column 1;
its log-odds, logit 1 - logit 0, are what is returned here. Only the visual encoder, which looks a few frames
around, works in chunks; its embeddings are those of the whole track.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from torch import Tensor

from asdbench.adapters.base import Adapter
from asdbench.checkpoints.load import apply_state_dict, load_checkpoint
from asdbench.devices import choose_device
from asdbench.errors import DataError
from asdbench.features import mfcc_for_frames
from asdbench.networks import ARCHITECTURES
from asdbench.networks.two_stream import TwoStreamNetwork
from asdbench.types import Float32Array, Int16Array, UInt8Array

if TYPE_CHECKING:
    from typing_extensions import Self  # typing.Self from Python 3.11 on

CROP_SIZE = 112
"""Side of the resized face crops, in pixels, where the checkpoint names no other."""

CHUNK = 256
"""Frames that the visual encoder embeds at a time, so that its memory does not grow with the track."""


class TwoStreamAdapter(Adapter):
    """Base of both adapters.

    Args:
        network: With its weights; it is moved to the device and put into evaluation mode.
        device: Name of the torch device.
        face_size: Side in pixels to which crops are resized.
    """

    def __init__(self, network: TwoStreamNetwork, device: str = "cpu", face_size: int = CROP_SIZE) -> None:
        self.needs = replace(type(self).needs, crop_size=face_size)
        self._face_size = face_size
        self.device = torch.device(choose_device(device))
        self._network = network.float().to(self.device).eval()

    @classmethod
    def from_checkpoint(cls, path: Path | str, device: str = "cpu") -> Self:
        """Build the model from a checkpoint of its architecture.

        Args:
            path: A flat state dict in the official layout; metadata may name the size at which it sees faces.
            device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.

        Raises:
            CheckpointError: The file cannot be loaded or does not fit.
            UsageError: The device has no such name.
            ResourceError: This machine has no such device.
        """
        choose_device(device)  # before the work of loading
        network: TwoStreamNetwork = ARCHITECTURES.load(str(cls.architecture))()
        checkpoint = load_checkpoint(path)
        apply_state_dict(network, checkpoint.state, path)
        return cls(network, device, checkpoint.face_size or CROP_SIZE)

    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> Tensor:
        """Return ``[1, num_frames, 128]`` on the device; see `Adapter.embed_audio`."""
        rows = torch.from_numpy(mfcc_for_frames(audio, num_frames, fps))[None]
        with _exact_inference(self.device), _one_thread():
            return self._network.embed_audio(rows.to(self.device))

    def embed_faces(self, faces: Sequence[UInt8Array]) -> Tensor:
        """Return ``[1, num_frames, 128]`` on the device; see `Adapter.embed_faces`."""
        crops = torch.from_numpy(_resized(faces, self._face_size))[None]
        with _exact_inference(self.device):
            return torch.cat([self._embed_chunk(crops, start) for start in range(0, len(faces), CHUNK)], dim=1)

    def _embed_chunk(self, crops: Tensor, start: int) -> Tensor:
        # With its halo on both sides a chunk sees all that the whole track would have shown it.
        before = min(self.needs.halo, start)
        seen = crops[:, start - before : start + CHUNK + self.needs.halo]
        embedded: Tensor = self._network.embed_faces(seen.to(self.device).float())
        return embedded[:, before : before + CHUNK]

    def score(self, audio_embedding: Tensor, face_embedding: Tensor) -> Float32Array:
        """Return ``[num_frames]`` float32 log-odds; see `Adapter.score`."""
        with _exact_inference(self.device), _one_thread():
            logits = self._network.head(audio_embedding, face_embedding)[0]
            scores: Float32Array = (logits[:, 1] - logits[:, 0]).cpu().numpy()
        return scores


def _resized(faces: Sequence[UInt8Array], side: int) -> UInt8Array:
    crops = np.empty((len(faces), side, side), np.uint8)
    for frame, face in enumerate(faces):
        if face.ndim != 2 or face.dtype != np.uint8 or not face.size:
            raise DataError(
                f"the crop of frame {frame} has shape {face.shape} and type {face.dtype}; "
                "expected a gray uint8 picture [height, width]."
            )
        crops[frame] = cv2.resize(face, (side, side))
    return crops


@contextmanager
def _exact_inference(device: torch.device) -> Iterator[None]:
    """No gradients, and on CUDA full float32: TF32 moves scores by more than the promised 1e-5."""
    settings = _precision_settings() if device.type == "cuda" else []
    before = [getattr(owner, name) for owner, name, _ in settings]
    try:
        for owner, name, exact in settings:
            setattr(owner, name, exact)
        with torch.inference_mode():
            yield
    finally:
        for (owner, name, _), value in zip(settings, before, strict=True):
            setattr(owner, name, value)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep small operations on one CPU thread: handing them out takes longer than computing them.

    Audio encoder and head of one track are that small. Where other work fills the cores, waiting for a second thread
    made them 17 times slower.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _precision_settings() -> list[tuple[Any, str, Any]]:
    """List (owner, attribute, value that switches TF32 off), in the API that this version of torch has."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    if hasattr(cudnn, "conv") and hasattr(cudnn.conv, "fp32_precision"):  # torch 2.9 and later; the old names warn
        return [(owner, "fp32_precision", "ieee") for owner in (cudnn.conv, cudnn.rnn, matmul)]
    return [(cudnn, "allow_tf32", False), (matmul, "allow_tf32", False)]
