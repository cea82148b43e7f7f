"""TalkNCE: while somebody speaks, a face must find its own frame among the sounds of its clip."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

TALKNCE_TEMPERATURE = 0.07
"""What similarities are divided by in the paper."""

TALKNCE_WEIGHT = 0.3
"""Weight of the term in the paper, beside the losses of LoCoNet."""


def talknce_loss(faces: Tensor, audio: Tensor, labels: Tensor, temperature: float = TALKNCE_TEMPERATURE) -> Tensor:
    """Contrast the frames of each clip in which the face speaks.

    With P the speaking frames of a clip, and v and a its embeddings at unit length, that clip's loss is
    ``mean_{i in P} -log(exp(<v_i, a_i> / t) / sum_{j in P} exp(<v_i, a_j> / t))``. The face asks and the sounds
    answer: there is no second direction. Silent frames and other clips take no part.

    A clip without speaking frames adds 0, and so does one with a single such frame, which has nothing to be told from.
    The official code trains with one clip per GPU, and its gradients are averaged over GPUs, those of silent clips
    included; for B clips this is therefore the mean over all B of them.

    Args:
        faces: ``[B, T, D]``, embeddings before cross attention; 128 channels in TalkNet and LoCoNet.
        audio: ``[B, T, D]``, likewise.
        labels: ``[B, T]`` of 0 and 1.
        temperature: ``t``.

    Returns:
        A scalar of at least 0; with a gradient of 0 where no clip has two speaking frames.

    Source:
        Jung et al., "TalkNCE: Improving Active Speaker Detection with Talk-Aware Contrastive Learning", ICASSP 2024
        (arXiv 2309.12306); the details are those of the official code, https://github.com/kaistmm/TalkNCE.
    """
    speaking = labels == 1
    similarity = functional.normalize(faces, dim=2) @ functional.normalize(audio, dim=2).transpose(1, 2) / temperature
    # The lowest number in place of minus infinity: a clip without speaking frames would otherwise have no gradient but
    # no number. Beside any real similarity its exponential is exactly 0.
    among = similarity.masked_fill(~speaking[:, None, :], torch.finfo(similarity.dtype).min)
    each = -among.log_softmax(dim=2).diagonal(dim1=1, dim2=2)
    of_clips = torch.where(speaking, each, 0).sum(dim=1) / speaking.sum(dim=1).clamp(min=1)
    return of_clips.sum() / max(1, len(of_clips))
