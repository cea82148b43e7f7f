"""TalkNet and Sync-TalkNet: three heads, and what may be added to them (TalkNCE's term, pairs that do not match)."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from asdbench.networks.sync_talknet import SyncTalkNet
from asdbench.networks.talknet import TalkNet, TalkNetLogits, TalkNetSizes
from asdbench.training.batch import Batch, Moment
from asdbench.training.losses.frames import frame_cross_entropy
from asdbench.training.losses.pairs import contrastive_cross_entropy
from asdbench.training.losses.talknce import talknce_loss
from asdbench.training.objectives.appended import check_pairs, with_pairs
from asdbench.training.objectives.base import Objective, detached, in_float32, own_sound, sizes_of
from asdbench.training.recipe import Recipe


class TalkNetObjective(Objective):
    """``L_av + audio L_a + visual L_v + nce L_nce``, where L_av is over the batch and its appended pairs.

    Appended pairs go through the fusion only, and neither of the heads over one stream is asked about them. Both they
    and TalkNCE's term take what enters cross attention: the audio embedding and the faces after the temporal blocks.
    """

    sound = "mfcc"
    front = "model.visualFrontend."
    terms = frozenset(
        {"audio", "visual", "nce", "nce_temperature", "other_voices", "other_times", "least_shift", "beta"}
    )
    architecture: ClassVar[type[TalkNet]] = TalkNet

    network: TalkNet

    def __init__(self, recipe: Recipe) -> None:
        check_pairs(recipe)
        super().__init__(recipe, self.architecture(sizes_of(recipe, TalkNetSizes, recipe.model.sizes)))

    def embed_front(self, faces: Tensor) -> Tensor:
        """Map faces ``[B, T, side, side]``, 0..255, to the trunk's output ``[B, T, 8 * stem]``."""
        return self.network.embed_faces(faces.float())

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Return the loss and the terms ``fused``, ``audio``, ``visual``, ``pairs`` and, where asked for, ``nce``."""
        sound = self.network.embed_audio(batch.sound)
        audio, faces = own_sound(sound, batch), self.network.refine_faces(self.seen(batch.faces))
        logits = self._heads(*with_pairs(sound, audio, faces, batch, self.loss, moment))
        with in_float32(batch.labels):
            return self._terms(logits, audio.float(), faces.float(), batch.labels)

    def _heads(self, audio: Tensor, faces: Tensor) -> TalkNetLogits:
        crossed = self.network.cross_attend(audio, faces)
        fused = self.network.lossAV(self.network.join(*crossed))
        return TalkNetLogits(fused, self.network.lossA(crossed[0]), self.network.lossV(crossed[1]))

    def _terms(self, logits: TalkNetLogits, audio: Tensor, faces: Tensor, labels: Tensor) -> dict[str, Tensor]:
        own = len(labels)
        every = logits.fused.float()
        of_sound, of_faces = (frame_cross_entropy(each[:own].float(), labels) for each in (logits.audio, logits.visual))
        fused = contrastive_cross_entropy(every, labels, self.loss.beta)
        total = fused + self.loss.audio * of_sound + self.loss.visual * of_faces
        terms = {"fused": fused, "audio": of_sound, "visual": of_faces}
        if self.loss.other_voices or self.loss.other_times:
            terms["pairs"] = frame_cross_entropy(every[own:], torch.zeros_like(every[own:, :, 0], dtype=torch.int64))
        if self.loss.nce:
            terms["nce"] = talknce_loss(faces, audio, labels, self.loss.nce_temperature)
            total = total + self.loss.nce * terms["nce"]
        return detached(total, **terms)


class SyncTalkNetObjective(TalkNetObjective):
    """The same with positions in every attention layer."""

    architecture = SyncTalkNet
