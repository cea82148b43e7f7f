"""What a training step is given: clips of one length as tensors, and the moment at which they come."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Batch(NamedTuple):
    """B clips of T frames, never padded.

    Attributes:
        sound: ``[B, 4S, 13]`` MFCC of the clip and the time around it, S >= T frames; or, for PAIR-Net,
            ``[B, mels, 2L]`` log-mel of the clip alone.
        faces: ``[B, T, side, side]`` uint8 gray values; or ``[B, T, C]`` float32, what a frozen front end makes of
            them.
        labels: ``[B, T]`` int64, 0 and 1.
        offsets: ``[B]`` int64: frame of the sound at which the clip begins; 0 where S = T.
        vectors: ``[B]`` int64: of Whisper's outputs, how many belong to the clip; 0 without log-mel.
    """

    sound: Tensor
    faces: Tensor
    labels: Tensor
    offsets: Tensor
    vectors: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in self))


class Moment(NamedTuple):
    """When in a training a batch comes.

    Attributes:
        epoch: From 0.
        epochs: Of the training.
        progress: Share of all batches that lie behind, 0 to below 1.
        seed: Of what is drawn for this batch; differs from batch to batch and from process to process.
    """

    epoch: int
    epochs: int
    progress: float
    seed: int

    def generator(self) -> torch.Generator:
        """Return a fresh generator on the CPU, the same for the same moment."""
        return torch.Generator().manual_seed(self.seed)
