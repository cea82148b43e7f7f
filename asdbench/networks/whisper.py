"""Whisper's audio encoder, which ``transformers`` provides, in the sizes of a checkpoint and for clips of any length.

``transformers`` is not installed with asdbench; importing this module does not import it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from asdbench.errors import CheckpointError, MissingDependencyError
from asdbench.networks.av_hubert import count_blocks

HEAD_WIDTH = 64
"""Channels of one attention head in every published Whisper."""

RATE = 50
"""Vectors per second that leave the encoder."""

_SIDES = {"conv1.weight": 3, "layers.0.fc1.weight": 2, "embed_positions.weight": 2}
_PREFIXES = ("model.encoder.", "encoder.", "")
_POSITIONS, _OPENAI_POSITIONS = "embed_positions.weight", "positional_embedding"
_OPENAI = {
    "query": "self_attn.q_proj",
    "key": "self_attn.k_proj",
    "value": "self_attn.v_proj",
    "out": "self_attn.out_proj",
    "attn_ln": "self_attn_layer_norm",
    "mlp.0": "fc1",
    "mlp.2": "fc2",
    "mlp_ln": "final_layer_norm",
}
_OPENAI_KEY = re.compile(r"blocks\.(\d+)\.(?:attn\.)?(query|key|value|out|attn_ln|mlp\.0|mlp\.2|mlp_ln)\.(weight|bias)")


@dataclass(frozen=True)
class WhisperSizes:
    """Sizes of the encoder.

    Attributes:
        mels: Rows of the log-mel spectrogram.
        width: Channels, a multiple of 64.
        blocks: Transformer blocks.
        feed_forward: Channels within a block's two-layer network.
        positions: Vectors that leave it for its window; 1500, thirty seconds, in every published Whisper.
    """

    mels: int = 80
    width: int = 1024
    blocks: int = 24
    feed_forward: int = 4096
    positions: int = 1500

    @classmethod
    def of(cls, state: Mapping[str, Tensor], source: object) -> WhisperSizes:
        """Read the sizes from the encoder's state dict, in the layout of ``transformers``.

        Raises:
            CheckpointError: A key that tells a size is missing or has a shape that no Whisper has.
        """
        for key, sides in _SIDES.items():
            if key not in state or state[key].ndim != sides:
                found = f"has the shape {list(state[key].shape)}" if key in state else "is missing"
                raise CheckpointError(f"{source} holds no Whisper encoder: {key!r}, which tells a size, {found}.")
        convolution, feed_forward, positions = (state[key].shape for key in _SIDES)
        if convolution[0] % HEAD_WIDTH or positions[1] != convolution[0] or not all(convolution):
            raise CheckpointError(
                f"{source} holds no Whisper encoder: conv1.weight has the shape {list(convolution)} and "
                f"embed_positions.weight {list(positions)}; expected one width, a multiple of {HEAD_WIDTH}, in both."
            )
        blocks = count_blocks(state, "layers.")
        return cls(convolution[1], convolution[0], blocks, feed_forward[0], positions[0])


MEDIUM = WhisperSizes()
"""The only published Whisper with the 24 blocks and the 80 rows that PAIR-Net's paper names."""


def whisper_encoder(sizes: WhisperSizes) -> nn.Module:
    """Return the encoder of ``transformers`` without its decoder.

    Raises:
        MissingDependencyError: ``transformers`` is not installed.
    """
    try:
        from transformers import WhisperConfig
        from transformers.models.whisper.modeling_whisper import WhisperEncoder
    except ImportError as error:
        raise MissingDependencyError(
            "the audio encoder of PAIR-Net, Whisper, needs the package transformers, which cannot be imported "
            f"({error}); install it with: pip install 'asdbench[pairnet]'"
        ) from error
    encoder: nn.Module = WhisperEncoder(
        WhisperConfig(
            num_mel_bins=sizes.mels,
            d_model=sizes.width,
            encoder_layers=sizes.blocks,
            encoder_attention_heads=sizes.width // HEAD_WIDTH,
            encoder_ffn_dim=sizes.feed_forward,
            max_source_positions=sizes.positions,
        )
    )
    return encoder


def encode_window(encoder: Any, mel: Tensor) -> Tensor:
    """Return ``[B, positions, width]`` of the encoder's whole window.

    Args:
        encoder: From `whisper_encoder`.
        mel: ``[B, mels, 2 * positions]``, of sound filled up with silence.
    """
    encoded: Tensor = encoder(mel).last_hidden_state
    return encoded


def encode_alone(encoder: Any, mel: Tensor) -> Tensor:
    """Return ``[B, L, width]`` of a clip without the rest of the window: faster, but not what Whisper was trained on.

    Not equal to the first vectors of `encode_window`, where the clip attends to the silence behind it.

    Args:
        encoder: From `whisper_encoder`.
        mel: ``[B, mels, M]`` of the sound alone, with M at most ``2 * positions``; L is half of M, rounded up.
    """
    x = functional.gelu(encoder.conv1(mel))
    x = functional.gelu(encoder.conv2(x)).transpose(1, 2)
    x = x + encoder.embed_positions.weight[: x.shape[1]]
    for block in encoder.layers:
        found = block(x, None)
        x = found if isinstance(found, Tensor) else found[0]  # earlier releases return the attention, too
    encoded: Tensor = encoder.layer_norm(x)
    return encoded


def whisper_encoder_state(state: Mapping[str, Tensor], source: object) -> dict[str, Tensor]:
    """Return the encoder's entries of a Whisper checkpoint, under the keys that `whisper_encoder` has.

    Args:
        state: In the layout of ``transformers`` (with the decoder, without it, or of the whole model), or of OpenAI's
            own files (their entry ``model_state_dict``).
        source: Where it came from, for the message.

    Raises:
        CheckpointError: It holds no encoder.
    """
    for prefix in _PREFIXES:
        inner = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        if _POSITIONS in inner:
            return inner
        if _OPENAI_POSITIONS in inner and "conv1.weight" in inner:
            return {_renamed(key): value for key, value in inner.items()}
    raise CheckpointError(
        f"{source} holds no Whisper encoder: expected the keys of transformers ({_POSITIONS!r}) or of OpenAI's files "
        f"({_OPENAI_POSITIONS!r}), alone or below {' or '.join(map(repr, _PREFIXES[:2]))}."
    )


def _renamed(key: str) -> str:
    """Return the name in ``transformers`` of an entry of OpenAI's; an unknown one keeps its own, and shows up later."""
    if key == _OPENAI_POSITIONS:
        return _POSITIONS
    if match := _OPENAI_KEY.fullmatch(key):
        return f"layers.{match[1]}.{_OPENAI[match[2]]}.{match[3]}"
    return key.replace("ln_post.", "layer_norm.", 1)


def pool_to_frames(vectors: Tensor, frames: int) -> Tensor:
    """Return ``[frames, width]``: the maximum, channel by channel, over the share of each video frame.

    Frame i of T sees the vectors from ``floor(i L / T)`` to ``ceil((i + 1) L / T) - 1``: two each, without overlap, at
    25 frames per second. Where there are fewer vectors than frames, they repeat.

    Args:
        vectors: ``[L, width]`` of one clip alone, nothing of the silence behind it.
        frames: Video frames of the clip, T.
    """
    pooled: Tensor = functional.adaptive_max_pool1d(vectors.T[None], frames)[0].T
    return pooled
