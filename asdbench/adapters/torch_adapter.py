"""What the adapters of torch networks share: loading, device, exact inference, resizing, chunks with a halo."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from asdbench.adapters.base import Adapter, AdapterOptions
from asdbench.checkpoints.load import Checkpoint, apply_state_dict, load_checkpoint
from asdbench.devices import choose_device
from asdbench.errors import DataError
from asdbench.networks import ARCHITECTURES
from asdbench.networks.apart import laid_out, taken_apart
from asdbench.networks.fast import optimised
from asdbench.types import Float32Array, UInt8Array

if TYPE_CHECKING:
    from typing_extensions import Self  # typing.Self from Python 3.11 on

CROP_SIZE = 112
"""Side of the resized face crops, in pixels, of nearly every published model."""

CHUNK = 256
"""Frames that a visual encoder embeds at a time, so that its memory does not grow with the track."""

LEAST_CHUNK = 16
"""With no memory for so few frames there is no memory for the model."""

Network = TypeVar("Network", bound=nn.Module)


class Room:
    """How many frames fit into the device's memory at a time: less once it has run out.

    Attributes:
        halvings: How often it has with frames of one clip.
        partings: How often with several clips laid end to end.
        together: Frames of several clips that it may still be tried with.
    """

    def __init__(self) -> None:
        self.halvings = self.partings = 0
        self.together = sys.maxsize

    @property
    def frames(self) -> int:
        """Frames to embed at a time."""
        return max(CHUNK >> self.halvings, 1)

    def shrink(self) -> bool:
        """Take half as many from now on; return whether that is still worth trying."""
        if self.frames // 2 < LEAST_CHUNK:
            return False
        self.halvings += 1
        return True

    def part(self, frames: int) -> None:
        """Lay half as many frames as ``frames`` end to end from now on."""
        self.partings += 1
        self.together = frames // 2


class TorchAdapter(Adapter, Generic[Network]):
    """Base of the adapters around one torch network in the official state-dict layout.

    Args:
        network: With its weights; it is moved to the device and put into evaluation mode.
        device: Name of the torch device.
        options: An instance of the class's ``Options``; defaults without one.

    Attributes:
        compiled: Whether `asdbench.adapters.compiled` has compiled the visual encoder; ``None`` if nobody asked for it.
    """

    compiled: bool | None = None

    def __init__(self, network: Network, device: str = "cpu", options: AdapterOptions | None = None) -> None:
        super().__init__(options)
        self.device = torch.device(choose_device(device))
        self.room = Room()
        self.network: Network = network.float().to(self.device).eval()
        if self.device.type == "cpu":
            optimised(self.network)

    @classmethod
    def from_checkpoint(cls, path: Path | str, device: str = "cpu", options: AdapterOptions | None = None) -> Self:
        """Build the model from a checkpoint of its architecture.

        Args:
            path: A flat state dict in the official layout; metadata may name the size at which it sees faces.
            device: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` or ``mps``.
            options: An instance of the class's ``Options``; defaults without one.

        Raises:
            CheckpointError: The file cannot be loaded or does not fit.
            UsageError: The device has no such name.
            ResourceError: This machine has no such device.
        """
        choose_device(device)  # before the work of loading
        checkpoint = load_checkpoint(path)
        network = cls.build_network(checkpoint)
        apply_state_dict(network, checkpoint.state, path)
        model = cls(network, device, options)
        if checkpoint.face_size is not None and model.needs.crop_size is not None:
            model.needs = replace(model.needs, crop_size=checkpoint.face_size)
        return model

    @classmethod
    def build_network(cls, checkpoint: Checkpoint) -> Any:
        """Return the network that a checkpoint belongs to, in its sizes; its weights are filled in afterwards."""
        architecture = ARCHITECTURES.load(str(cls.architecture))
        built_for = getattr(architecture, "built_for", None)  # of those that come in several sizes
        if built_for is None:
            return architecture()
        return built_for({key: tuple(tensor.shape) for key, tensor in checkpoint.state.items()})


def resized_crops(faces: Sequence[UInt8Array], side: int, interpolation: int = cv2.INTER_LINEAR) -> UInt8Array:
    """Return crops ``[T, side, side]``, resized with OpenCV (bilinear unless told), aspect ratio not kept.

    Raises:
        DataError: A crop is no gray uint8 picture.
    """
    crops = np.empty((len(faces), side, side), np.uint8)
    for frame, face in enumerate(faces):
        if face.ndim != 2 or face.dtype != np.uint8 or not face.size:
            raise DataError(
                f"the crop of frame {frame} has shape {face.shape} and type {face.dtype}; "
                "expected a gray uint8 picture [height, width]."
            )
        crops[frame] = cv2.resize(face, (side, side), interpolation=interpolation)
    return crops


def in_chunks(crops: Tensor, embed: Callable[[Tensor], Tensor], halo: int, room: Room | None = None) -> Tensor:
    """Embed crops ``[1, T, ...]`` some at a time into ``[1, T, C]``.

    With its halo on both sides a chunk sees all that the whole track would have shown it. Where the device has no
    memory for a chunk, smaller ones are tried, which move scores by rounding alone.

    Args:
        crops: Of a whole track; memory is taken for ``CHUNK`` frames only.
        embed: Maps ``[1, t, ...]`` to ``[1, t, C]``; each frame depends on at most ``halo`` frames to either side.
        halo: Frames on each side.
        room: How many at a time; ``CHUNK`` by default.
    """
    room = room or Room()
    while True:
        try:
            return _chunks(crops, embed, halo, room.frames)
        except torch.OutOfMemoryError:
            if not room.shrink():
                raise
        # Outside of the except block, whose error holds on to what was computed.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def end_to_end(
    clips: Sequence[Tensor], embed: Callable[[Tensor, Tensor], Tensor], alone: Callable[[Tensor], Tensor], room: Room
) -> list[Tensor]:
    """Embed clips ``[T, ...]`` together into ``[1, T, C]`` each.

    Where the device has no memory for all, half as many frames are tried, down to single clips.

    Args:
        clips: On the CPU.
        embed: Maps clips that `asdbench.networks.apart.laid_out` has laid end to end, and the gaps between them.
        alone: Embeds ``[1, T, ...]`` of one clip.
        room: How many frames at a time.
    """
    found: list[Tensor] = []
    while len(found) < len(clips):
        taken = _fitting(clips[len(found) :], room.together)
        if len(taken) == 1:
            found.append(alone(taken[0][None]))
            continue
        try:
            found += taken_apart(embed(*laid_out(taken)), [len(clip) for clip in taken])
            continue
        except torch.OutOfMemoryError:
            room.part(sum(map(len, taken)))
        # Outside of the except block, as in `in_chunks`.
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    return found


def _fitting(clips: Sequence[Tensor], frames: int) -> Sequence[Tensor]:
    """Return the first clips that have so many frames together, at least one."""
    ends = accumulate(len(clip) for clip in clips)
    return clips[: max(1, sum(end <= frames for end in ends))]


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor from the CPU to a device.

    From pinned memory, where that is worth it: another copy would wait for all that the device is still computing.
    """
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def _chunks(crops: Tensor, embed: Callable[[Tensor], Tensor], halo: int, frames: int) -> Tensor:
    embedded = []
    for start in range(0, crops.shape[1], frames):
        before = min(halo, start)
        seen = crops[:, start - before : start + frames + halo]
        embedded.append(embed(seen)[:, before : before + frames])
    return torch.cat(embedded, dim=1)


def log_odds(logits: Tensor) -> Float32Array:
    """Return log-odds ``[T]`` of logits ``[T, 2]``; column 1 is *speaking*."""
    scores: Float32Array = (logits[:, 1] - logits[:, 0]).float().cpu().numpy()
    return scores


@contextmanager
def exact_inference(device: torch.device) -> Iterator[None]:
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
def one_thread() -> Iterator[None]:
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
