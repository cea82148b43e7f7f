"""The training loop of the demo checkpoints, and the two recipes, which differ in the loss alone."""

from __future__ import annotations

import ctypes
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from asdbench.checkpoints.load import FACE_SIZE as FACE_SIZE_KEY
from asdbench.networks.light_asd import LightASD
from asdbench.training.losses import (
    LIGHT_ASD_VISUAL_WEIGHT,
    contrastive_cross_entropy,
    derangement,
    frame_cross_entropy,
    light_asd_temperature,
    misaligned_pairs,
    mismatched_pairs,
    positive_clips,
)
from tools.train_demo.clips import FACE_SIZE, Batch, ClipSampler, Example, Shape
from tools.train_demo.forward import embed_audio, embed_faces, norms

_EPOCHS = 30  # that Light-ASD trains, over which its temperature falls
_SHOW_EVERY = 50
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of mallopt(3)


@dataclass(frozen=True)
class Recipe:
    """What a training does beside plain classification.

    Attributes:
        swaps: Voices of other clips per speaking clip.
        shifts: Stretches of the clip's own sound from another time per speaking clip.
        beta: Weight of a frame of these pairs.
    """

    swaps: int = 0
    shifts: int = 0
    beta: float = 0.0


RECIPES = {"plain": Recipe(), "sync": Recipe(swaps=2, shifts=2, beta=0.5)}


@dataclass(frozen=True)
class Phase:
    """A stretch of a training.

    Attributes:
        share: Of the steps.
        shape: Of each batch.
        side: Of the faces, in pixels.
        pairs: Whether the pairs of the recipe take part.
    """

    share: float
    shape: Shape
    side: int
    pairs: bool


PHASES = (
    # Many short clips of small faces: with few long ones, hundreds of steps pass before moving lips are found at all.
    Phase(0.55, Shape(clips=20, frames=8, around=0), side=40, pairs=False),
    # Long clips, in which the course of the sound can be compared with that of the lips.
    Phase(0.45, Shape(clips=8, frames=30, around=20), side=FACE_SIZE, pairs=True),
)


@dataclass(frozen=True)
class Settings:
    """What both recipes share; the defaults take six to seven minutes on one thread of a CPU with bfloat16.

    Attributes:
        steps: Batches to learn from.
        phases: What they look like, in order.
        rate: Highest learning rate, reached after a twentieth of the steps, then falling like a cosine.
        min_shift: Frames by which shifted sound is early or late, at least.
        norm_batches: Batches whose mean and variance batch normalisation keeps in the end.
        bfloat16: Whether convolutions take bfloat16.
    """

    steps: int = 750
    phases: tuple[Phase, ...] = PHASES
    rate: float = 1.5e-3
    min_shift: int = 10
    norm_batches: int = 20
    bfloat16: bool = True


class Trainer:
    """Trains Light-ASD from random weights; the same seed, data and thread count give the same weights.

    Args:
        examples: Training tracks.
        recipe: Which loss.
        settings: The rest.
        seed: Of weights, clips and pairs.
    """

    def __init__(self, examples: Sequence[Example], recipe: Recipe, settings: Settings, seed: int) -> None:
        torch.manual_seed(seed)
        self.network = LightASD()
        self._recipe, self._settings = recipe, settings
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._generator = torch.Generator().manual_seed(seed)
        self._clips = [ClipSampler(examples, phase.shape, self._rng) for phase in settings.phases]
        self._optimizer = torch.optim.AdamW(self.network.parameters(), lr=settings.rate, weight_decay=1e-2)

    def run(self, say: Callable[[str], None]) -> LightASD:
        """Train, and return the network in evaluation mode; ``say`` hears loss and speed."""
        self.network.train()
        begin, frames, losses = time.monotonic(), 0, []
        for step in range(1, self._settings.steps + 1):
            losses.append(self._learn(step))
            shape = self._settings.phases[self._phase(step)].shape
            frames += shape.clips * shape.frames
            if step % _SHOW_EVERY == 0 or step == self._settings.steps:
                seconds = time.monotonic() - begin
                mean = np.mean(losses[-_SHOW_EVERY:])
                say(f"step {step}  loss {mean:.4f}  {frames / seconds:.0f} frames/s  {seconds:.0f} s")
        self._settle_norms()
        return self.network.eval()

    def _phase(self, step: int) -> int:
        """Return the number of the phase that a step, counted from 1, belongs to."""
        ends = np.cumsum([phase.share for phase in self._settings.phases])
        return min(int(np.searchsorted(ends, (step - 0.5) / self._settings.steps)), len(ends) - 1)

    def _learn(self, step: int) -> float:
        progress = step / self._settings.steps
        for group in self._optimizer.param_groups:
            group["lr"] = self._settings.rate * _schedule(progress)
        number = self._phase(step)
        temperature = light_asd_temperature(1 + round((_EPOCHS - 1) * progress))
        loss = self._loss(self._clips[number].draw(), self._settings.phases[number], temperature)
        self._optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self._optimizer.step()
        return float(loss.detach())

    def _loss(self, batch: Batch, phase: Phase, temperature: float) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self._settings.bfloat16):
            faces = embed_faces(self.network, _at_side(batch.faces, phase.side))
            sound = embed_audio(self.network, batch.mfcc)
        audio = torch.stack([s[o : o + faces.shape[1]] for s, o in zip(sound, batch.offsets.tolist(), strict=True)])
        pairs = self._pairs(sound, audio, faces, batch) if phase.pairs else []
        heard, seen = torch.cat([audio, *(a for a, _ in pairs)]), torch.cat([faces, *(f for _, f in pairs)])
        fused = contrastive_cross_entropy(self.network.head(heard, seen), batch.labels, self._recipe.beta, temperature)
        visual = frame_cross_entropy(self.network.lossV(faces), batch.labels, temperature)
        return fused + LIGHT_ASD_VISUAL_WEIGHT * visual

    def _pairs(self, sound: Tensor, audio: Tensor, faces: Tensor, batch: Batch) -> list[tuple[Tensor, Tensor]]:
        """Return the audio and faces of all pairs that do not belong together."""
        positive, found = positive_clips(batch.labels), []
        for _ in range(self._recipe.swaps):
            order = derangement(len(positive), self._generator)
            found.append(mismatched_pairs(audio, faces, batch.labels, order)[:2])
        last = sound.shape[1] - faces.shape[1]
        for _ in range(self._recipe.shifts):
            starts = torch.tensor([self._start(int(o), last) for o in batch.offsets[positive]], dtype=torch.int64)
            found.append(misaligned_pairs(sound, faces, batch.labels, starts)[:2])
        return found

    def _start(self, offset: int, last: int) -> int:
        starts = np.arange(last + 1)
        return int(self._rng.choice(starts[np.abs(starts - offset) >= self._settings.min_shift]))

    @torch.no_grad()
    def _settle_norms(self) -> None:
        """Replace the running statistics, which lag behind the weights, by plain means over fresh batches."""
        momenta = [norm.momentum for norm in norms(self.network)]
        for number in range(1, self._settings.norm_batches + 1):
            for norm in norms(self.network):
                norm.momentum = 1 / number
            batch = self._clips[-1].draw()
            embed_faces(self.network, batch.faces)
            embed_audio(self.network, batch.mfcc)
        for norm, momentum in zip(norms(self.network), momenta, strict=True):
            norm.momentum = momentum


def save(network: LightASD, path: Path, about: dict[str, str]) -> None:
    """Write the weights as safetensors under their official names; ``about`` goes into the metadata."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    state = {key: tensor.contiguous() for key, tensor in network.state_dict().items()}
    save_file(state, path, metadata={FACE_SIZE_KEY: str(FACE_SIZE), **about})


def keep_freed_memory() -> None:
    """Tell glibc to keep large blocks that are freed: giving them back and taking them again costs 6 % of a step."""
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_M_MMAP_THRESHOLD, 1 << 30)
            mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)


def _at_side(faces: Tensor, side: int) -> Tensor:
    return faces if side == faces.shape[-1] else functional.interpolate(faces, (side, side), mode="area")


def _schedule(progress: float) -> float:
    warm = 0.05
    if progress < warm:
        return progress / warm
    return 0.01 + 0.99 * (1 + math.cos(math.pi * (progress - warm) / (1 - warm))) / 2
