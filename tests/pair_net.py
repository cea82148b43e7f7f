"""A PAIR-Net so small that a test can build it, and the files that it may come from."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from asdbench.networks.av_hubert import AvHubertSizes, AvHubertTraining
from asdbench.networks.pair_net import FUSION, PairNet, PairNetSizes
from asdbench.networks.seeded import seeded_state
from asdbench.networks.whisper import WhisperSizes

REASON = "needs the extra pairnet (pip install 'asdbench[pairnet]')"
NEEDS_EXTRA = pytest.mark.skipif(importlib.util.find_spec("transformers") is None, reason=REASON)
VISUAL = AvHubertSizes(stem=2, width=128, blocks=2, feed_forward=96, taps=8, groups=4)
AUDIO = WhisperSizes(mels=20, width=64, blocks=3, feed_forward=80, positions=60)
TINY = PairNetSizes(AUDIO, VISUAL)
"""Its window is 60 of Whisper's vectors, 1.2 seconds."""


def tiny_network(sizes: PairNetSizes = TINY, training: AvHubertTraining | None = None) -> PairNet:
    """With seeded weights, in evaluation mode; the test skips without ``transformers``."""
    pytest.importorskip("transformers", reason=REASON)
    network = PairNet(sizes, training)
    network.load_state_dict(seeded_state(network))
    return network.eval()


def write_pair_net(path: Path, network: PairNet | None = None, without: tuple[str, ...] = ()) -> Path:
    """Write a checkpoint, without the parts that begin with ``without``."""
    state = (network or tiny_network()).state_dict()
    kept: dict[str, Tensor] = {
        key: value.clone() for key, value in state.items() if not key.startswith(without or ("!",))
    }
    safetensors.torch.save_file(kept, path)
    return path


def write_official_av_hubert(path: Path, network: PairNet, prefix: str = "") -> Path:
    """Write the visual encoder under AV-HuBERT's own keys, beside entries that pictures do not pass through."""
    state = dict(network.visual_encoder.state_dict())
    width = network.sizes.visual.width
    state |= {
        "mask_emb": torch.ones(104),
        "label_embs_concat": torch.ones(7, 256),
        "feature_extractor_audio.proj.weight": torch.ones(width, 104),
        "final_proj.bias": torch.ones(256),
    }
    torch.save({prefix + key: value for key, value in state.items()}, path)
    return path


def openai_state(network: PairNet) -> dict[str, Tensor]:
    """The audio encoder under the keys of OpenAI's own files, with something of a decoder."""
    parts = {
        "self_attn.q_proj": "attn.query",
        "self_attn.k_proj": "attn.key",
        "self_attn.v_proj": "attn.value",
        "self_attn.out_proj": "attn.out",
        "self_attn_layer_norm": "attn_ln",
        "final_layer_norm": "mlp_ln",
        "fc1": "mlp.0",
        "fc2": "mlp.2",
    }
    state = {"decoder.positional_embedding": torch.ones(4, 64), "decoder.ln.weight": torch.ones(64)}
    for key, value in network.audio_encoder.state_dict().items():
        if key.startswith("layers."):
            _, block, rest = key.split(".", 2)
            name, _, kind = rest.rpartition(".")
            key = f"blocks.{block}.{parts[name]}.{kind}"
        elif key == "embed_positions.weight":
            key = "positional_embedding"
        state[f"encoder.{key.replace('layer_norm.', 'ln_post.')}"] = value
    return state


def fusion_only(path: Path, network: PairNet) -> Path:
    """Write the fusion alone."""
    return write_pair_net(path, network, tuple({key.split(".")[0] + "." for key in network.state_dict()} - {FUSION}))
