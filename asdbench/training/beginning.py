"""Weights with which a training begins, where they are not drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from asdbench.checkpoints.load import load_state_dict
from asdbench.errors import UsageError
from asdbench.networks.av_hubert import visual_path
from asdbench.networks.pair_net import AUDIO, VISUAL
from asdbench.networks.whisper import whisper_encoder_state
from asdbench.training.objectives import Objective


def weights_below(path: Path, parts: Mapping[str, str]) -> dict[str, Tensor]:
    """Return the entries of a checkpoint that stand below some prefixes, under others in their place.

    Raises:
        CheckpointError: The file cannot be loaded safely.
        UsageError: It has nothing below a prefix.
    """
    state, found = load_state_dict(path), {}
    for there, here in parts.items():
        taken = {here + key.removeprefix(there): value for key, value in state.items() if key.startswith(there)}
        if not taken:
            raise UsageError(f"{path} has no key that begins with {there!r}; correct the parts of the recipe's start.")
        found.update(taken)
    return found


def weights_of_file(path: Path, prefix: str, architecture: str) -> dict[str, Tensor]:
    """Return what a user's file holds for a part of the network, under the network's keys.

    Args:
        path: A checkpoint; for PAIR-Net's two encoders one of Whisper or AV-HuBERT in any of their own layouts.
        prefix: Of the keys in the network; empty for the whole of it.
        architecture: Of the network.

    Raises:
        CheckpointError: The file cannot be loaded safely, or holds no such encoder.
    """
    state: Mapping[str, Tensor] = load_state_dict(path)
    if architecture == "pair-net" and prefix == AUDIO:
        state = whisper_encoder_state(state, path)
    elif architecture == "pair-net" and prefix == VISUAL:
        state = visual_path(state, path)
    return {prefix + key: value for key, value in state.items()}


def begin(objective: Objective, initial: Mapping[str, Tensor]) -> None:
    """Put given weights in the place of random ones.

    Raises:
        UsageError: The network has no such key, or one of another shape.
    """
    own = objective.network.state_dict()
    for key, value in initial.items():
        if key not in own or own[key].shape != value.shape:
            wanted = f"has the shape {list(own[key].shape)} there" if key in own else "is none of its keys"
            raise UsageError(
                f"{type(objective.network).__name__} cannot begin with {key!r} of shape {list(value.shape)}: it "
                f"{wanted}; correct the recipe's sizes or what it starts from."
            )
    objective.network.load_state_dict({**own, **initial})
