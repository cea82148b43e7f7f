"""PAIR-Net: classification by the fused head, agreement of the two others."""

from __future__ import annotations

from torch import Tensor

from asdbench.checkpoints.load import AUDIO_WINDOW
from asdbench.errors import UsageError
from asdbench.networks.av_hubert import AvHubertSizes
from asdbench.networks.pair_net import PairNet, PairNetSizes
from asdbench.networks.whisper import WhisperSizes
from asdbench.training.batch import Batch, Moment
from asdbench.training.losses.pair_net import AlphaSchedule, pair_net_loss
from asdbench.training.objectives.base import Objective, detached, in_float32, sizes_of
from asdbench.training.recipe import Recipe


class PairNetObjective(Objective):
    """``(1 - alpha) (L_cls + unimodal L_heads) + alpha L_mm``, equation (9).

    Whisper hears each clip alone, without the silence that fills its window up, so all clips of a batch are equally
    long. What of the network is frozen is the recipe's business.
    """

    sound = "mel"
    terms = frozenset({"alpha", "alpha_stretch", "alpha_end", "unimodal"})

    network: PairNet

    def __init__(self, recipe: Recipe) -> None:
        super().__init__(recipe, PairNet(_sizes(recipe)))
        self.mels = self.network.sizes.audio.mels
        kind = recipe.loss.alpha
        self._alpha = (
            None
            if kind == "off"
            else AlphaSchedule(kind, recipe.loss.alpha_stretch, max(recipe.epochs, 1), recipe.loss.alpha_end)
        )

    def about(self) -> dict[str, str]:
        """Say that the audio encoder heard clips alone."""
        return {AUDIO_WINDOW: "alone"}

    def forward(self, batch: Batch, moment: Moment) -> dict[str, Tensor]:
        """Return the loss and the terms ``classification``, ``agreement`` and ``alpha``."""
        clips, frames = batch.labels.shape
        # A track's sound may end two frames before its pictures; the clip then ends with silence.
        vectors = [int(batch.vectors.max())] * clips
        logits = self.network(batch.sound, vectors, batch.faces.float(), [frames] * clips, alone=True)
        alpha = 0.0 if self._alpha is None else self._alpha(moment.epoch)
        with in_float32(batch.labels):
            fused, visual, audio = (each.float() for each in logits)
            found = pair_net_loss(fused, visual, audio, batch.labels, alpha, unimodal_weight=self.loss.unimodal)
        terms = {"classification": found.classification, "agreement": found.agreement}
        return detached(found.total, **terms, alpha=found.total.new_tensor(alpha))


def _sizes(recipe: Recipe) -> PairNetSizes:
    sizes = recipe.model.sizes
    unknown = sorted(set(sizes) - {"audio", "visual"})
    broken = [name for name in ("audio", "visual") if not isinstance(sizes.get(name, {}), dict)]
    if unknown or broken:
        named = (unknown + broken)[0]
        raise UsageError(
            f"recipe {recipe.name}: model.sizes.{named} of pair-net; expected tables audio and visual, such as "
            "audio = { blocks = 24 }."
        )
    return PairNetSizes(
        sizes_of(recipe, WhisperSizes, sizes.get("audio", {}), "model.sizes.audio"),
        sizes_of(recipe, AvHubertSizes, sizes.get("visual", {}), "model.sizes.visual"),
    )
