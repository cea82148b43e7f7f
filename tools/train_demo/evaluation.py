"""What a trained network does on tracks it has not seen: a quick look, not the benchmark.

Sound is exchanged or shifted after its encoder and over whole tracks, so figures differ from those of
``asdbench run --suite unsync``, which edits the sound of single runs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from asdbench.metrics import average_precision, positive_share, retention, sync_auroc, threshold_at_tpr
from asdbench.networks.light_asd import LightASD
from asdbench.training.objectives.light_asd_forward import embed_audio
from asdbench.types import Float32Array
from tools.train_demo.clips import Example
from tools.train_demo.forward import embed_whole

_SHIFTS = (-20, -10, 10, 20)


@torch.inference_mode()
def evaluate(network: LightASD, examples: Sequence[Example]) -> dict[str, float]:
    """Score tracks clean, with the voices of other recordings, and with their own sound early and late.

    Returns:
        ``ap``, ``ap_visual`` (the head over faces alone); for ``swap`` and each shift in frames the retention at
        ``tpr:0.9`` and the AUROC of clean against changed scores, over speaking frames; ``fa_dubbed``, the share of
        articulating frames of dubbed tracks called speaking, where there are such tracks.
    """
    usual = [example for example in examples if example.track.dubbed is None]
    sounds, faces = zip(*(_embed(network, example) for example in usual), strict=True)
    labels = np.concatenate([example.labels for example in usual])
    clean = _scores(network, sounds, faces)
    visual = np.concatenate([_log_odds(network.lossV(face)) for face in faces])
    threshold, speaking = threshold_at_tpr(labels, clean, 0.9), labels == 1
    found = {"ap": average_precision(labels, clean), "ap_visual": average_precision(labels, visual)}
    for name, others in _changes(usual, sounds).items():
        changed = _scores(network, others, faces)
        found[f"retention_{name}"] = retention(clean[speaking], changed[speaking], threshold)
        found[f"sync_auroc_{name}"] = sync_auroc(clean[speaking], changed[speaking])
    dubs = [
        (example.track.dubbed, _embed(network, example)) for example in examples if example.track.dubbed is not None
    ]
    if dubs:
        articulating = [_scores(network, [sound], [face])[mask] for mask, (sound, face) in dubs]
        found["fa_dubbed"] = positive_share(np.concatenate(articulating), threshold)
    return {name: round(value, 4) for name, value in found.items()}


def _changes(examples: Sequence[Example], sounds: Sequence[Tensor]) -> dict[str, list[Tensor]]:
    """Return other sounds for all tracks: another recording's, and the own, turned round by some frames."""
    sources = [example.track.source_id for example in examples]
    speaking = [i for i, example in enumerate(examples) if example.labels.any()]
    swapped = []
    for index, sound in enumerate(sounds):
        others = [i for i in speaking if sources[i] != sources[index]] or [index]
        donor = sounds[next((i for i in others if i > index), others[0])]
        swapped.append(donor[torch.arange(len(sound)) % len(donor)])
    return {"swap": swapped, **{f"shift{frames:+d}": [s.roll(frames, 0) for s in sounds] for frames in _SHIFTS}}


def _embed(network: LightASD, example: Example) -> tuple[Tensor, Tensor]:
    return embed_audio(network, example.mfcc()[None])[0], embed_whole(network, example.faces)


def _scores(network: LightASD, sounds: Sequence[Tensor], faces: Sequence[Tensor]) -> Float32Array:
    pairs = zip(sounds, faces, strict=True)
    return np.concatenate([_log_odds(network.head(sound[None], face[None])[0]) for sound, face in pairs])


def _log_odds(logits: Tensor) -> Float32Array:
    odds: Float32Array = (logits[:, 1] - logits[:, 0]).numpy()
    return odds
