"""Cross-modal contrastive training: cross-entropy over more pairs, in which nobody is heard to speak.

The voice of one clip with the face of another, or with the face's own clip at another time, is such a pair. Encoders
run once, only the fusion sees the extra pairs::

    order = derangement(len(positive_clips(labels)), generator)
    pairs = mismatched_pairs(audio, faces, labels, order)
    logits = fusion(torch.cat([audio, pairs.audio]), torch.cat([faces, pairs.faces]))
    loss = contrastive_cross_entropy(logits, labels)
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from asdbench.errors import UsageError
from asdbench.training.losses.frames import frame_cross_entropy


class Pairs(NamedTuple):
    """Clips whose sound and picture do not belong together, so that nobody speaks in any frame.

    Attributes:
        audio: ``[N, T, D]``.
        faces: ``[N, T, D']``.
    """

    audio: Tensor
    faces: Tensor


def positive_clips(labels: Tensor) -> Tensor:
    """Return the clips ``[P]`` of labels ``[B, T]`` that have at least one speaking frame, in order."""
    return (labels == 1).any(dim=1).nonzero().flatten()


def derangement(rows: int, generator: torch.Generator | None = None) -> Tensor:
    """Draw a permutation ``[rows]`` without a fixed point, each equally likely: shuffled until none is left.

    Below two rows there is none, and the result is empty: nothing can be exchanged.

    Source:
        Sync-TalkNet's training step.
    """
    if rows < 2:
        return torch.empty(0, dtype=torch.int64)
    while True:  # e = 2.7 draws on average
        order = torch.randperm(rows, generator=generator)
        if bool((order != torch.arange(rows)).all()):
            return order


def mismatched_pairs(audio: Tensor, faces: Tensor, labels: Tensor, order: Tensor) -> Pairs:
    """Pair the sound of speaking clips with the faces of others.

    With ``p_1 .. p_P`` the clips that have a speaking frame, pair i is ``(audio[p_i], faces[p_order(i)])``, all its
    frames labelled 0.

    Args:
        audio: ``[B, T, D]``.
        faces: ``[B, T, D']``.
        labels: ``[B, T]``.
        order: ``[P]``, a permutation without a fixed point; empty for no pairs.

    Raises:
        UsageError: ``order`` is no permutation of the speaking clips, or leaves one with its own face.

    Source:
        Sync-TalkNet's training step ("visual embeddings are permuted"): https://github.com/zaocan666/SyncTalkNet.
    """
    clips = positive_clips(labels)
    if not len(order):
        clips = clips[:0]
    order = order.to(clips.device)
    here = torch.arange(len(clips), device=clips.device)
    if len(order) != len(clips) or not torch.equal(order.sort().values, here) or bool((order == here).any()):
        raise UsageError(
            f"the order {order.tolist()} must permute the {len(clips)} speaking clips and leave none in place."
        )
    return Pairs(audio[clips], faces[clips[order]])


def misaligned_pairs(audio: Tensor, faces: Tensor, labels: Tensor, starts: Tensor) -> Pairs:
    """Pair the faces of speaking clips with their own sound from another time.

    With ``p_1 .. p_P`` the clips that have a speaking frame, pair i is
    ``(audio[p_i, starts_i : starts_i + T], faces[p_i])``, all its frames labelled 0. Voice, room and level are those of
    the face, so nothing but the course of the sound gives the pair away.

    Args:
        audio: ``[B, S, D]`` with ``S >= T``: the sound of each clip and of the time around it.
        faces: ``[B, T, D']``.
        labels: ``[B, T]``.
        starts: ``[P]``, where each pair's sound begins in ``audio``; the caller keeps away from the clip itself.

    Raises:
        UsageError: Not one start for each speaking clip, or a window that leaves ``audio``.

    Source:
        Own; the second kind of unsynchronised sound of Sync-TalkNet's evaluation, used in training.
    """
    clips, length = positive_clips(labels), labels.shape[1]
    last = audio.shape[1] - length
    if len(starts) != len(clips) or bool(((starts < 0) | (starts > last)).any()):
        raise UsageError(
            f"the starts {starts.tolist()} must be one for each of the {len(clips)} speaking clips, from 0 to {last}."
        )
    window = starts.to(clips.device)[:, None] + torch.arange(length, device=clips.device)
    return Pairs(audio[clips[:, None], window], faces[clips])


def contrastive_cross_entropy(logits: Tensor, labels: Tensor, beta: float = 1.0, temperature: float = 1.0) -> Tensor:
    """Cross-entropy over original clips and appended pairs together, ``(sum_B l + beta sum_N l) / (B T + beta N T)``.

    ``l`` is the cross-entropy of one frame; the appended pairs count as *not speaking* throughout. ``beta = 1`` is
    Sync-TalkNet's own loss, where weight follows count.

    Args:
        logits: ``[B + N, T, 2]``, the original clips first.
        labels: ``[B, T]``, of the original clips alone.
        beta: Weight of a frame of the appended pairs.
        temperature: As in `frame_cross_entropy`.

    Source:
        Sync-TalkNet's training step; ``beta`` is ours.
    """
    original, appended = len(labels), len(logits) - len(labels)
    weights = torch.cat([logits.new_ones(original), logits.new_full((appended,), beta)])
    targets = torch.cat([labels, labels.new_zeros(appended, labels.shape[1])])
    return frame_cross_entropy(logits, targets, temperature, weights)
