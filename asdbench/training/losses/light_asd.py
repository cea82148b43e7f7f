"""The loss of Light-ASD and LR-ASD (Liao et al.): two heads, the first of them at a temperature that falls."""

from __future__ import annotations

from torch import Tensor

from asdbench.training.losses.frames import frame_cross_entropy

LIGHT_ASD_VISUAL_WEIGHT = 0.5
"""Weight of the loss of the head over the faces alone in Light-ASD."""

LIGHT_ASD_EPOCHS = 30
"""Epochs that Light-ASD trains, over which its temperature falls."""


def light_asd_temperature(epoch: int) -> float:
    """Return what Light-ASD divides its logits by in training: ``r = 1.3 - 0.02 (epoch - 1)``, epochs from 1.

    Source:
        Liao et al., "A Light Weight Model for Active Speaker Detection", CVPR 2023; official ``ASD.py``.
    """
    return 1.3 - 0.02 * (epoch - 1)


def light_asd_epoch(progress: float) -> int:
    """Return Light-ASD's epoch, 1 to 30, at a share of a training from 0 to 1, however many epochs that one has.

    In a training of 30 epochs it is the epoch itself.
    """
    whole = int(LIGHT_ASD_EPOCHS * progress + 1e-9)  # 7 / 30 * 30 is a little less than 7 on some machines
    return 1 + min(whole, LIGHT_ASD_EPOCHS - 1)


def light_asd_loss(fused: Tensor, visual: Tensor, labels: Tensor, temperature: float = 1.0) -> Tensor:
    """Classification loss of Light-ASD and LR-ASD, ``L_av + 0.5 L_v``, each a cross-entropy at temperature ``r``.

    The official code writes it as binary cross-entropy of the softmax's column 1, which is the same number.

    Args:
        fused: ``[B, T, 2]``, logits of both streams.
        visual: ``[B, T, 2]``, logits of the head over the faces alone.
        labels: ``[B, T]``.
        temperature: ``r``, see `light_asd_temperature`.

    Source:
        Liao et al., CVPR 2023; official ``ASD.py`` and ``loss.py``.
    """
    of_faces = frame_cross_entropy(visual, labels, temperature)
    return frame_cross_entropy(fused, labels, temperature) + LIGHT_ASD_VISUAL_WEIGHT * of_faces
