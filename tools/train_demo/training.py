"""The training loop of the demo checkpoints, and the two recipes, which differ in the loss alone."""

from __future__ import annotations

import copy
import ctypes
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from asdbench.checkpoints.load import FACE_SIZE as FACE_SIZE_KEY
from asdbench.networks.light_asd import LightASD
from asdbench.training.losses.light_asd import light_asd_loss, light_asd_temperature
from asdbench.training.losses.pairs import (
    contrastive_cross_entropy,
    derangement,
    misaligned_pairs,
    mismatched_pairs,
    positive_clips,
)
from asdbench.training.objectives.light_asd_forward import embed_audio, embed_faces
from tools.train_demo.clips import FACE_SIZE, Batch, ClipSampler, Example, Shape
from tools.train_demo.forward import embed_whole, norms

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


# Shifts too: with few training faces, a network can tell a swapped voice by remembering which voice goes with which
# face, and learns nothing about other faces.
RECIPES = {"plain": Recipe(), "sync": Recipe(swaps=2, shifts=2, beta=0.5)}


@dataclass(frozen=True)
class Phase:
    """A stretch of a training.

    Attributes:
        steps: Batches to learn from.
        shape: Of each batch.
        side: Of the faces, in pixels.
    """

    steps: int
    shape: Shape
    side: int = FACE_SIZE


@dataclass(frozen=True)
class Settings:
    """What both recipes share; the defaults take about twenty minutes for both on one thread of a CPU with bfloat16.

    Attributes:
        seeing: Phases in which everything is learnt, the same for all recipes, without pairs. Many short clips of small
            faces come first: with few long ones, hundreds of steps pass before moving lips are found at all.
        listening: The last phase, with the pairs of the recipe. The visual encoder, which takes most of the time,
            stays as it is: what it sees is computed once, so that there is time for the many steps that it takes to
            compare the course of the sound with that of the lips.
        rate: Highest learning rate; reached early, then falling like a cosine, before the last phase and again in it.
        min_shift: Frames by which shifted sound is early or late, at least.
        norm_batches: Batches whose mean and variance batch normalisation keeps in the end.
        bfloat16: Whether convolutions take bfloat16.
    """

    seeing: tuple[Phase, ...] = (
        Phase(320, Shape(clips=20, frames=8, around=0), side=40),
        Phase(180, Shape(clips=10, frames=16, around=0)),
    )
    listening: Phase = Phase(1600, Shape(clips=8, frames=32, around=19, speaking=0.7))
    rate: float = 1.5e-3
    min_shift: int = 6
    norm_batches: int = 20
    bfloat16: bool = True


def train(
    examples: Sequence[Example],
    recipes: Mapping[str, Recipe],
    settings: Settings,
    seed: int,
    say: Callable[[str], None],
) -> dict[str, LightASD]:
    """Train one network per recipe from random weights; the same seed, data and thread count give the same weights.

    Args:
        examples: Training tracks.
        recipes: Which losses, by name.
        settings: The rest.
        seed: Of weights, clips and pairs.
        say: Hears loss and speed.
    """
    trainer = _Trainer(examples, settings, seed)
    trainer.see(lambda text: say(f"seeing: {text}"))
    embedded = trainer.embedded()
    networks = {}
    for name, recipe in recipes.items():
        own = copy.deepcopy(trainer)
        networks[name] = own.listen(recipe, embedded, lambda text, name=name: say(f"{name}: {text}"))  # type: ignore[misc]
    return networks


class _Trainer:
    def __init__(self, examples: Sequence[Example], settings: Settings, seed: int) -> None:
        torch.manual_seed(seed)
        self.network = LightASD()
        self._examples, self._settings = examples, settings
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._generator = torch.Generator().manual_seed(seed)

    def __deepcopy__(self, memo: dict[int, object]) -> _Trainer:
        twin = copy.copy(self)
        for name in ("network", "_rng", "_generator"):
            setattr(twin, name, _copied(getattr(self, name), memo))
        return twin

    def see(self, say: Callable[[str], None]) -> None:
        """Learn everything, from faces."""
        clips = [ClipSampler(self._examples, phase.shape, self._rng) for phase in self._settings.seeing]
        batches = [
            (sampler, phase.side)
            for sampler, phase in zip(clips, self._settings.seeing, strict=True)
            for _ in range(phase.steps)
        ]
        self.network.train()
        self._cycle(len(batches), lambda step: self._seen(batches[step][0].draw(), batches[step][1], step), say)
        self._settle_norms(clips[-1])

    @torch.no_grad()
    def embedded(self) -> list[Tensor]:
        """Return what the visual encoder sees in each example, ``[T, 128]``."""
        self.network.eval()
        return [embed_whole(self.network, example.faces) for example in self._examples]

    def listen(self, recipe: Recipe, embedded: Sequence[Tensor], say: Callable[[str], None]) -> LightASD:
        """Learn to compare sound and lips with the visual encoder as it is; return the network, ready for use."""
        sampler = ClipSampler(self._examples, self._settings.listening.shape, self._rng, embedded)
        for part in (self.network.model.visualEncoder, self.network.lossV):
            part.requires_grad_(False)
        self.network.train()
        self.network.model.visualEncoder.eval()
        self._cycle(self._settings.listening.steps, lambda step: self._heard(sampler.draw(), recipe), say)
        self._settle_norms(sampler)
        return self.network.eval().requires_grad_(True)

    def _cycle(self, steps: int, loss_of: Callable[[int], Tensor], say: Callable[[str], None]) -> None:
        parameters = [parameter for parameter in self.network.parameters() if parameter.requires_grad]
        optimizer = torch.optim.AdamW(parameters, lr=self._settings.rate, weight_decay=1e-2)
        begin, losses = time.monotonic(), []
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = self._settings.rate * _schedule((step + 1) / steps)
            loss = loss_of(step)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 5.0)
            optimizer.step()
            losses.append(float(loss.detach()))
            if (step + 1) % _SHOW_EVERY == 0 or step + 1 == steps:
                say(f"step {step + 1}  loss {np.mean(losses[-_SHOW_EVERY:]):.4f}  {time.monotonic() - begin:.0f} s")

    def _seen(self, batch: Batch, side: int, step: int) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self._settings.bfloat16):
            faces = embed_faces(self.network, _at_side(batch.faces, side))
            sound = embed_audio(self.network, batch.mfcc)
        steps = sum(phase.steps for phase in self._settings.seeing)
        temperature = light_asd_temperature(1 + round((_EPOCHS - 1) * (step + 1) / steps))
        return light_asd_loss(
            self.network.head(_own(sound, batch), faces), self.network.lossV(faces), batch.labels, temperature
        )

    def _heard(self, batch: Batch, recipe: Recipe) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled=self._settings.bfloat16):
            sound = embed_audio(self.network, batch.mfcc).float()
        audio = _own(sound, batch)
        pairs = self._pairs(sound, audio, batch, recipe)
        heard, seen = torch.cat([audio, *(a for a, _ in pairs)]), torch.cat([batch.faces, *(f for _, f in pairs)])
        return contrastive_cross_entropy(self.network.head(heard, seen), batch.labels, recipe.beta)

    def _pairs(self, sound: Tensor, audio: Tensor, batch: Batch, recipe: Recipe) -> list[tuple[Tensor, Tensor]]:
        """Return the audio and faces of all pairs that do not belong together."""
        positive, faces, found = positive_clips(batch.labels), batch.faces, []
        for _ in range(recipe.swaps):
            order = derangement(len(positive), self._generator)
            found.append(mismatched_pairs(audio, faces, batch.labels, order))
        last = sound.shape[1] - faces.shape[1]
        for _ in range(recipe.shifts):
            starts = torch.tensor([self._start(int(o), last) for o in batch.offsets[positive]], dtype=torch.int64)
            found.append(misaligned_pairs(sound, faces, batch.labels, starts))
        return found

    def _start(self, offset: int, last: int) -> int:
        starts = np.arange(last + 1)
        return int(self._rng.choice(starts[np.abs(starts - offset) >= self._settings.min_shift]))

    @torch.no_grad()
    def _settle_norms(self, clips: ClipSampler) -> None:
        """Replace the running statistics, which lag behind the weights, by plain means over fresh batches."""
        settling = [norm for norm in norms(self.network) if norm.training]
        momenta = [norm.momentum for norm in settling]
        for number in range(1, self._settings.norm_batches + 1):
            for norm in settling:
                norm.momentum = 1 / number
            batch = clips.draw()
            if not clips.embedded:
                embed_faces(self.network, batch.faces)
            embed_audio(self.network, batch.mfcc)
        for norm, momentum in zip(settling, momenta, strict=True):
            norm.momentum = momentum


def _own(sound: Tensor, batch: Batch) -> Tensor:
    """Cut what belongs to the faces ``[B, T, 128]`` out of the sound around them ``[B, S, 128]``."""
    frames = batch.labels.shape[1]
    return torch.stack([s[o : o + frames] for s, o in zip(sound, batch.offsets.tolist(), strict=True)])


def _copied(value: object, memo: dict[int, object]) -> object:
    if isinstance(value, torch.Generator):
        return torch.Generator().set_state(value.get_state())
    return copy.deepcopy(value, memo)


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
