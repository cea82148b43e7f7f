"""The loss of PAIR-Net (Wang, Ha and Crandall), equations (4) to (9): classification, and agreement of two heads.

B clips of T frames; labels are 1 where the face speaks and is heard, else 0. Two-class logits hold *speaking* in column
1. What the paper leaves open is an argument whose default stays with what it prints.

Agreement alone is zero for any two equal heads, constant ones included, and the paper gives the two heads no labels:
with a weight of 0.8 they may collapse. ``unimodal_weight`` gives them labels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from asdbench.errors import UsageError

_LFM = {0: 0.7954, 1: 0.7919, 2: 0.7882, 3: 0.7843, 10: 0.752, 50: 0.563, 100: 0.461, 150: 0.179}
_START = 0.8


class PairNetLoss(NamedTuple):
    """The loss and its two terms, each a scalar; 0, with a gradient of 0, without frames."""

    total: Tensor
    classification: Tensor
    agreement: Tensor


@dataclass(frozen=True)
class AlphaSchedule:
    """Weight of the agreement by epoch: "about 0.8 at the start, gradually decays, following LFM".

    Attributes:
        kind: ``literal`` takes LFM's weight of the same epoch, which hardly moves over PAIR-Net's four epochs;
            ``stretched`` that of epoch ``stretch`` times later; ``linear`` goes from 0.8 to ``end``. Which one the
            authors took is not known.
        stretch: Epochs of LFM's 150 that one epoch stands for.
        epochs: Epochs of the training, for ``linear``.
        end: Weight in the last epoch, for ``linear``.

    Source:
        LFM (Yang et al., NeurIPS 2024) publishes a polynomial fitted to its own training. Here are its values at the
        epochs 0, 1, 2, 3, 10, 50, 100 and 150, straight lines between them, and the last one beyond.
    """

    kind: Literal["literal", "stretched", "linear"] = "literal"
    stretch: float = 1.0
    epochs: int = 4
    end: float = 0.0

    def __call__(self, epoch: int) -> float:
        """Return the weight in an epoch, counted from 0."""
        if self.kind == "linear":
            return _START + (self.end - _START) * min(1.0, epoch / max(1, self.epochs - 1))
        scale = self.stretch if self.kind == "stretched" else 1.0
        return float(np.interp(epoch * scale, list(_LFM), list(_LFM.values())))


def jensen_shannon(first: Tensor, second: Tensor) -> Tensor:
    """Return ``KL(p || m) / 2 + KL(q || m) / 2`` with ``m = (p + q) / 2``, from 0 to ln 2, for each frame.

    The paper does not say whether gradients flow through m. It makes no difference: of all distributions m is the one
    with the smallest sum, so what flows through it adds up to zero.

    Args:
        first: Logits ``[..., 2]`` of p.
        second: Logits ``[..., 2]`` of q.

    Returns:
        ``[...]``.

    Source:
        PAIR-Net, equations (7) and (8) as printed; the code that they were inspired by has the opposite direction.
    """
    log_p, log_q = functional.log_softmax(first, dim=-1), functional.log_softmax(second, dim=-1)
    log_m = torch.logsumexp(torch.stack([log_p, log_q]), dim=0) - math.log(2)
    # kl_div(input, target) is KL(target || input).
    both = [functional.kl_div(log_m, log, reduction="none", log_target=True).sum(dim=-1) for log in (log_p, log_q)]
    return (both[0] + both[1]) / 2


def pair_net_loss(
    fused: Tensor,
    visual: Tensor,
    audio: Tensor,
    labels: Tensor,
    alpha: float,
    valid: Tensor | None = None,
    unimodal_weight: float = 0.0,
) -> PairNetLoss:
    """Return ``(1 - alpha) L_cls + alpha L_mm``, equation (9); each term is a mean over frames.

    Args:
        fused: ``[B, T, 2]`` logits of the head whose answer counts; cross-entropy with the labels, equation (4).
        visual: ``[B, T, 2]`` logits of the head over the faces.
        audio: ``[B, T, 2]`` logits of the head over the sound.
        labels: ``[B, T]`` of 0 and 1.
        alpha: Weight of the agreement, 0 to 1; see `AlphaSchedule`.
        valid: ``[B, T]``, True where a clip has a frame; the others are in neither mean.
        unimodal_weight: Of the cross-entropies of the two heads, added to ``L_cls``; 0 in the paper.

    Raises:
        UsageError: ``alpha`` is no number from 0 to 1.
    """
    if not 0 <= alpha <= 1:
        raise UsageError(f"the weight alpha of PAIR-Net's agreement is {alpha}; expected a number from 0 to 1.")
    classification = _mean(_cross_entropy(fused, labels), valid)
    if unimodal_weight:
        of_heads = _cross_entropy(visual, labels) + _cross_entropy(audio, labels)
        classification = classification + unimodal_weight * _mean(of_heads, valid)
    agreement = _mean(jensen_shannon(visual, audio), valid)
    return PairNetLoss((1 - alpha) * classification + alpha * agreement, classification, agreement)


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    each = functional.cross_entropy(logits.flatten(0, 1), labels.flatten().long(), reduction="none")
    return each.view(labels.shape)


def _mean(values: Tensor, valid: Tensor | None) -> Tensor:
    # Selected, not multiplied by zero: what stands in frames beyond a clip may be no number at all.
    chosen = values.flatten() if valid is None else values[valid]
    return chosen.sum() / max(1, chosen.numel())
