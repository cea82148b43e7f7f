"""The encoders of Light-ASD, computed as the network does, but 2.7 times as fast to train on a CPU.

Its 3-D convolutions have an axis of length 1 and are run as 2-D ones: over the pixels of ``[B T, C, h, w]``, or over
time and all pixels of ``[B, C, T, h w]``. In channels-last order both are the same memory, ``B T h w C``, so nothing
is moved between them. Under ``torch.autocast`` the convolutions take bfloat16.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from asdbench.networks.light_asd import LightASD
from asdbench.training.objectives.exact_norm import plain_norm

_FACE_MEAN, _FACE_STD = 0.4161, 0.1688  # of gray faces scaled to 0..1, as asdbench.networks.two_stream has them


Normalise = Callable[[Any, Tensor], Tensor]
"""Applies a batch normalisation to ``[N, C, H, W]``."""


def embed_faces(network: LightASD, faces: Tensor, normalise: Normalise = plain_norm) -> Tensor:
    """Map ``[B, T, side, side]``, 0..255, to ``[B, T, 128]`` float32, as ``network.embed_faces`` does.

    Args:
        network: In training mode or not.
        faces: Of any number type.
        normalise: How to normalise; the default loses digits in large batches, see
            `asdbench.training.objectives.exact_norm`.
    """
    clips, frames, height, width = faces.shape
    x = ((faces / 255 - _FACE_MEAN) / _FACE_STD).view(clips * frames, 1, height, width)
    encoder: Any = network.model.visualEncoder
    for block in (encoder.block1, encoder.block2, encoder.block3):
        y, height, width = _visual_block(block, x, clips, normalise)
        if block is encoder.block3:
            break
        x = functional.max_pool2d(_to_space(y, height, width), 3, 2, 1)
    return y.amax(dim=3).transpose(1, 2).float()


def embed_audio(network: LightASD, mfcc: Tensor) -> Tensor:
    """Map ``[B, 4T, 13]`` to ``[B, T, 128]`` float32, as ``network.embed_audio`` does."""
    encoder: Any = network.model.audioEncoder
    x = mfcc.transpose(1, 2).unsqueeze(1).contiguous(memory_format=torch.channels_last)
    x = encoder.block3(encoder.pool2(encoder.block2(encoder.pool1(encoder.block1(x)))))
    embedding: Tensor = x.mean(dim=2).transpose(1, 2).float()
    return embedding


def _visual_block(block: Any, x: Tensor, clips: int, normalise: Normalise) -> tuple[Tensor, int, int]:
    """Map ``[B T, C, H, W]`` to ``[B, C', T, h w]``, with h and w."""
    branches = []
    for size in (3, 5):
        y = _step(block, f"s_{size}", x, slice(1, None), normalise)
        height, width = y.shape[2:]
        branches.append(_step(block, f"t_{size}", _to_time(y, clips), slice(None, 2), normalise))
    return _step(block, "last", branches[0] + branches[1], slice(None, 2), normalise), height, width


def _step(block: Any, name: str, x: Tensor, axes: slice, normalise: Normalise) -> Tensor:
    """Convolve over two of the three axes, normalise, rectify."""
    convolution, norm = block.get_submodule(name), block.get_submodule(f"bn_{name}")
    kernel = [size for axis, size in enumerate(convolution.kernel_size) if axis in range(3)[axes]]
    weight = convolution.weight.view(*convolution.weight.shape[:2], *kernel)
    x = functional.conv2d(x, weight, None, convolution.stride[axes], convolution.padding[axes])
    return functional.relu(normalise(norm, x), inplace=True)


def _to_time(x: Tensor, clips: int) -> Tensor:
    frames, channels, height, width = x.shape
    x = x.contiguous(memory_format=torch.channels_last).permute(0, 2, 3, 1)
    return x.reshape(clips, frames // clips, height * width, channels).permute(0, 3, 1, 2)


def _to_space(x: Tensor, height: int, width: int) -> Tensor:
    clips, channels, frames, _ = x.shape
    x = x.contiguous(memory_format=torch.channels_last).permute(0, 2, 3, 1)
    return x.reshape(clips * frames, height, width, channels).permute(0, 3, 1, 2)
