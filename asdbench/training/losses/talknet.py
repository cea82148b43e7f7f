"""The loss of TalkNet and LoCoNet: three heads, of which the two over one stream each serve training only."""

from __future__ import annotations

from torch import Tensor

from asdbench.training.losses.frames import frame_cross_entropy

TALKNET_HEAD_WEIGHT = 0.4
"""Weight of the loss of each head over one stream in TalkNet, Sync-TalkNet, LoCoNet and TalkNCE."""


def talknet_loss(
    fused: Tensor,
    audio: Tensor,
    visual: Tensor,
    labels: Tensor,
    audio_weight: float = TALKNET_HEAD_WEIGHT,
    visual_weight: float = TALKNET_HEAD_WEIGHT,
) -> Tensor:
    """Classification loss of TalkNet, ``L_av + 0.4 L_a + 0.4 L_v``, each a mean cross-entropy over all frames.

    The heads over one stream read what comes *after* cross attention, so each of them has met the other stream.

    Args:
        fused: ``[B, T, 2]``, logits of both streams.
        audio: ``[B, T, 2]``, logits of the head over the sound.
        visual: ``[B, T, 2]``, logits of the head over the faces.
        labels: ``[B, T]``.
        audio_weight: Of ``L_a``.
        visual_weight: Of ``L_v``.

    Returns:
        A scalar; 0, with a gradient of 0, without frames.

    Source:
        Tao et al., "Is Someone Speaking?", ACM Multimedia 2021, for the frame-level cross-entropy; the weights are
        those of the official ``talkNet.py`` and of LoCoNet's code.
    """
    of_sound, of_faces = frame_cross_entropy(audio, labels), frame_cross_entropy(visual, labels)
    return frame_cross_entropy(fused, labels) + audio_weight * of_sound + visual_weight * of_faces
