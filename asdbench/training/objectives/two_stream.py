"""Light-ASD and LR-ASD: a fused head and one over the faces, and pairs that do not match."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from asdbench.networks.light_asd import LightASD
from asdbench.networks.lr_asd import LRASD
from asdbench.networks.two_stream import TwoStreamNetwork
from asdbench.training.batch import Batch, Moment
from asdbench.training.losses.frames import frame_cross_entropy
from asdbench.training.losses.light_asd import light_asd_epoch, light_asd_temperature
from asdbench.training.losses.pairs import contrastive_cross_entropy
from asdbench.training.objectives import light_asd_forward
from asdbench.training.objectives.appended import check_pairs, with_pairs
from asdbench.training.objectives.base import Objective, detached, in_float32, own_sound, without_sizes
from asdbench.training.objectives.exact_norm import exact_norm
from asdbench.training.recipe import Recipe


class TwoStreamObjective(Objective):
    """``L_av + visual L_v`` at a temperature, where L_av is over the batch and its appended pairs.

    Without pairs, and with ``visual`` at 0.5, it is `asdbench.training.losses.light_asd.light_asd_loss`. Appended pairs
    go through the fusion only.
    """

    sound = "mfcc"
    front = "model.visualEncoder."
    terms = frozenset({"visual", "temperature", "other_voices", "other_times", "least_shift", "beta"})

    network: TwoStreamNetwork

    def __init__(self, recipe: Recipe) -> None:
        without_sizes(recipe)
        check_pairs(recipe)
        super().__init__(recipe, self._network())

    @abstractmethod
    def _network(self) -> TwoStreamNetwork:
        """Build the network."""

    def embed_front(self, faces: Tensor) -> Tensor:
        """Map faces ``[B, T, side, side]``, 0..255, to ``[B, T, 128]``."""
        return self.network.embed_faces(faces.float())

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Return the loss and the terms ``fused``, ``visual`` and, where asked for, ``pairs``."""
        sound = self.network.embed_audio(batch.sound)
        audio, faces = own_sound(sound, batch), self.seen(batch.faces)
        fused = self.network.head(*with_pairs(sound, audio, faces, batch, self.loss, moment))
        visual = self.network.lossV(faces)
        with in_float32(batch.labels):
            return self._terms(fused.float(), visual.float(), batch.labels, self._temperature(moment))

    def _temperature(self, moment: Moment) -> float:
        if self.loss.temperature == "light-asd":
            return light_asd_temperature(light_asd_epoch(moment.progress))
        return 1.0

    def _terms(self, logits: Tensor, visual: Tensor, labels: Tensor, temperature: float) -> dict[str, Tensor]:
        fused = contrastive_cross_entropy(logits, labels, self.loss.beta, temperature)
        of_faces = frame_cross_entropy(visual, labels, temperature)
        terms = {"fused": fused, "visual": of_faces}
        if self.loss.other_voices or self.loss.other_times:
            appended = logits[len(labels) :]
            silent = torch.zeros_like(appended[:, :, 0], dtype=torch.int64)
            terms["pairs"] = frame_cross_entropy(appended, silent, temperature)
        return detached(fused + self.loss.visual * of_faces, **terms)


class LightASDObjective(TwoStreamObjective):
    """Light-ASD; on a CPU it sees in the faster way of `asdbench.training.objectives.light_asd_forward`."""

    network: LightASD

    def _network(self) -> TwoStreamNetwork:
        return LightASD()

    def embed_front(self, faces: Tensor) -> Tensor:
        """Map faces ``[B, T, side, side]``, 0..255, to ``[B, T, 128]``."""
        if faces.device.type == "cpu":
            return light_asd_forward.embed_faces(self.network, faces, exact_norm)
        return super().embed_front(faces)


class LRASDObjective(TwoStreamObjective):
    """LR-ASD."""

    def _network(self) -> TwoStreamNetwork:
        return LRASD()
