"""The visual encoders faster on a CPU, with the same outputs up to the rounding of float32.

What ``optimised`` makes of an encoder, and why it is the same function:

- A 3-D convolution with kernel (1, k, k) is a 2-D one over each picture; one with kernel (k, 1, 1) is a 2-D one over
  time and place; one over a single channel is a 2-D one with the frames of its kernel as channels.
- Batch normalisation in evaluation is linear and goes into the weights and the bias of the convolution before it.
- Channels lie last in memory, so that both kinds of convolution read the same memory without a copy.
- Frames pass some at a time, so that intermediate results stay small: they fit the caches, and the allocator keeps
  their memory, where those of a whole track are given back and mapped anew for each layer. A convolution over time
  holds back the frames that the next ones need, so that nothing is computed twice.
- Threads take different frames. Threads that share one operation wait for one another after each, which costs more than
  it saves when operations are small or other work fills the cores.

The plain module stays the definition, and the only one for training and other devices. An encoder that can be rewritten
has a method ``rewritten`` beside its ``forward``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from typing_extensions import Self  # typing.Self from Python 3.11 on

BLOCK = 16
"""Frames that pass at a time."""

SPAN = 32
"""Fewest frames for which a thread of its own is worth the halo that is computed twice."""

Rewrite = Callable[[Tensor], Tensor]
"""Computes what the ``forward`` of an encoder does."""

Module = TypeVar("Module", bound=nn.Module)
Faster = TypeVar("Faster", bound=Rewrite)


class Rewritable(nn.Module, ABC, Generic[Faster]):
    """An encoder that may have a faster way than its own ``forward``.

    The faster way has copies of the weights. Whatever changes them or moves them takes it away: training mode, a state
    dict, another device or type; assigning to a weight does not, so do that before.
    """

    _made: Faster | None = None  # no module, so that the state dict stays what it was

    @abstractmethod
    def rewritten(self) -> Faster:
        """Return the faster way, with copies of the weights as they are now."""

    @property
    def faster(self) -> Faster | None:
        """What to call instead; nothing in training, or where gradients are wanted."""
        return None if self.training or torch.is_grad_enabled() else self._made

    def speed_up(self) -> None:
        """Compute the faster way from now on."""
        with torch.no_grad():
            self._made = self.rewritten()

    def slow_down(self) -> None:
        """Compute the plain way again."""
        self._made = None

    def train(self, mode: bool = True) -> Self:
        """Set training mode, in which the weights will change, or evaluation mode."""
        if mode:
            self._made = None
        return super().train(mode)

    def _apply(self, *args: Any, **options: Any) -> Self:
        self._made = None
        return cast("Self", super()._apply(*args, **options))  # type: ignore[no-untyped-call]

    def _load_from_state_dict(self, *args: Any, **options: Any) -> None:
        self._made = None
        super()._load_from_state_dict(*args, **options)


def optimised(network: Module) -> Module:
    """Let the visual encoder of a network compute faster on the CPU, within the rounding of float32.

    Args:
        network: With its final weights, on the CPU, in evaluation mode.

    Returns:
        The same network, with the same state dict.
    """
    for module in network.modules():
        if isinstance(module, Rewritable):
            module.speed_up()
    return network


def is_optimised(network: nn.Module) -> bool:
    """Whether `optimised` has been applied, and nothing has undone it since."""
    return any(isinstance(module, Rewritable) and module._made is not None for module in network.modules())


def side_by_side(compute: Callable[[Tensor], Tensor], parts: Sequence[Tensor]) -> list[Tensor]:
    """Compute parts on as many threads as torch may use, each part on one."""
    threads, inference = torch.get_num_threads(), torch.is_inference_mode_enabled()

    def one(part: Tensor) -> Tensor:
        torch.set_num_threads(1)  # of this thread alone
        with torch.no_grad(), torch.inference_mode(inference):
            return compute(part)

    try:
        if min(threads, len(parts)) == 1:
            return [one(part) for part in parts]
        with ThreadPoolExecutor(min(threads, len(parts))) as pool:
            return list(pool.map(one, parts))
    finally:
        torch.set_num_threads(threads)


def spans(frames: int, halo: int) -> list[tuple[slice, slice]]:
    """Cut a clip into one span for each thread, none shorter than ``SPAN`` frames unless the clip is.

    Args:
        frames: Of the clip.
        halo: Frames to either side that the result of one frame depends on.

    Returns:
        For each span the frames to look at, and which of their results to keep.
    """
    count = max(1, min(torch.get_num_threads(), frames // SPAN))
    edges = [frames * number // count for number in range(count + 1)]
    found = []
    for start, stop in pairwise(edges):
        first = max(0, start - halo)
        found.append((slice(first, stop + halo), slice(start - first, stop - first)))
    return found


def blocks(frames: Tensor) -> Iterator[Tensor]:
    """Yield ``[T, ...]`` in blocks of at most ``BLOCK`` frames, about equally long."""
    yield from frames.tensor_split(-(-len(frames) // BLOCK))


def windows(parts: Iterator[Tensor], reach: int) -> Iterator[Tensor]:
    """Rectify, and yield what a kernel over time needs to see for block after block.

    Before the first frame and after the last there are zeros.

    Args:
        parts: Consecutive frames ``[t, ...]``, rectified or not: here it costs nothing, as they are copied anyway.
        reach: Frames to either side that the kernel covers.

    Yields:
        ``[t + 2 * reach, ...]``, so that a convolution without padding gives ``t`` frames; t frames that follow those
        of the block before.
    """
    held = None
    for part in parts:
        nothing = part.new_zeros(reach, *part.shape[1:])
        before = nothing if held is None else held
        held = part.new_empty(len(before) + len(part), *part.shape[1:])
        held[: len(before)] = before
        torch.clamp_min(part, 0, out=held[len(before) :])
        if len(held) > 2 * reach:
            yield held
            held = held[-2 * reach :]
    if held is not None:
        yield torch.cat((held, nothing))


@dataclass(frozen=True, eq=False)
class Across:
    """A convolution over each picture.

    Attributes:
        weight: ``[out, in, k, k]``, normalisation included.
        bias: ``[out]``.
        stride: Of both sides.
        folded: Whether every second pixel of rows and columns is a channel of its own (of a single channel).
        rectified: Whether the result is rectified.
    """

    weight: Tensor
    bias: Tensor
    stride: int
    folded: bool
    rectified: bool

    @classmethod
    def of(cls, convolution: nn.Conv3d, norm: nn.BatchNorm3d, *, rectified: bool = True) -> Across:
        """Build it of a convolution with kernel (1, k, k) and the normalisation after it."""
        weight, bias = normalised_weights(convolution, norm)
        stride = convolution.stride[-1]
        folded = weight.shape[1] == 1 and stride == 2  # one channel is slow, four at half the size are not
        if folded:
            weight, stride = functional.pixel_unshuffle(functional.pad(weight, (0, 1, 0, 1)), 2), 1
        return cls(channels_last(weight), bias, stride, folded, rectified)

    def __call__(self, x: Tensor) -> Tensor:
        """Map ``[T, height, width, in]`` to ``[T, height', width', out]``."""
        pictures = x.permute(0, 3, 1, 2)
        padding = self.weight.shape[-1] // 2
        if self.folded:
            before = self.weight.shape[-1] - 1  # a kernel of k pixels, k odd, now has (k + 1) / 2 cells a side
            height, width = pictures.shape[-2:]
            sides = (before, before + width % 2, before, before + height % 2)
            pictures = channels_last(functional.pixel_unshuffle(functional.pad(pictures, sides), 2))
            padding = 0
        convolved = functional.conv2d(pictures, self.weight, self.bias, self.stride, padding)
        return _rectified(convolved, self.rectified).permute(0, 2, 3, 1)


@dataclass(frozen=True, eq=False)
class Along:
    """A convolution over time at each place, without padding.

    Attributes:
        weight: ``[out, in, k, 1]``, normalisation included.
        bias: ``[out]``.
        rectified: Whether the result is rectified.
    """

    weight: Tensor
    bias: Tensor
    rectified: bool

    @classmethod
    def of(cls, convolution: nn.Conv3d, norm: nn.BatchNorm3d, *, rectified: bool = True) -> Along:
        """Build it of a convolution with kernel (k, 1, 1) and the normalisation after it."""
        weight, bias = normalised_weights(convolution, norm)
        return cls(channels_last(weight), bias, rectified)

    @property
    def reach(self) -> int:
        """Frames to either side that it sees."""
        return self.weight.shape[2] // 2

    def __call__(self, x: Tensor) -> Tensor:
        """Map ``[T + 2 * reach, height, width, in]`` to ``[T, height, width, out]``."""
        frames, height, width, _ = x.shape
        if not self.reach:
            return _rectified(functional.linear(x, self.weight[:, :, 0, 0], self.bias), self.rectified)
        places = x.reshape(1, frames, height * width, -1).permute(0, 3, 1, 2)
        convolved = _rectified(functional.conv2d(places, self.weight, self.bias), self.rectified)
        return convolved.permute(0, 2, 3, 1).reshape(frames - 2 * self.reach, height, width, -1)


def normalised_weights(
    convolution: nn.Conv2d | nn.Conv3d, norm: nn.BatchNorm2d | nn.BatchNorm3d
) -> tuple[Tensor, Tensor]:
    """Return weight and bias of a convolution without bias and the batch normalisation after it, in one.

    Args:
        convolution: Of two axes, or of three: kernel (1, k, k) or (k, 1, 1), or one channel in.
        norm: As in evaluation.

    Returns:
        ``[out, in, k, k]`` without the singleton axis, or with the frames of the kernel as channels; and ``[out]``.
    """
    weight = convolution.weight.detach().double()
    values = (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    mean, variance, scale, shift = (value.detach().double() for value in values if value is not None)
    if weight.ndim == 5:
        along = weight.shape[3:] == (1, 1)
        weight = weight[..., 0] if along else weight[:, :, 0] if weight.shape[2] == 1 else weight[:, 0]
    factor = scale / torch.sqrt(variance + norm.eps)
    return (weight * factor[:, None, None, None]).float(), (shift - mean * factor).float()


def channels_last(x: Tensor) -> Tensor:
    """Return ``[N, C, height, width]`` with the channels last in memory."""
    return x.contiguous(memory_format=torch.channels_last)


def pooled(x: Tensor) -> Tensor:
    """Take the largest of 3 x 3 pixels at every second one of ``[T, height, width, C]``."""
    return functional.max_pool2d(x.permute(0, 3, 1, 2), 3, 2, 1).permute(0, 2, 3, 1)


def _rectified(x: Tensor, wanted: bool) -> Tensor:
    return x.relu_() if wanted else x
