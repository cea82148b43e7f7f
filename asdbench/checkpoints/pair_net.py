"""PAIR-Net from files: all of it in one, or its fusion in one and its two encoders as others published them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import torch
from torch import Tensor, nn

from asdbench.checkpoints.files import sha256_of
from asdbench.checkpoints.load import Checkpoint, apply_state_dict, load_checkpoint, load_state_dict
from asdbench.errors import CheckpointError, UsageError
from asdbench.networks.av_hubert import AvHubertSizes, visual_path
from asdbench.networks.pair_net import AUDIO, FUSION, PARTS, VISUAL, PairNet, PairNetSizes, part_of
from asdbench.networks.whisper import WhisperSizes, whisper_encoder_state

_IN_FOLDER = ("model.safetensors", "pytorch_model.bin")


@dataclass(frozen=True)
class _Part:
    """The weights of one encoder, and where they came from."""

    state: dict[str, Tensor]
    source: str


def load_pair_net(path: Path | str, whisper: str = "", av_hubert: str = "") -> tuple[PairNet, Checkpoint, str | None]:
    """Build PAIR-Net from its checkpoint.

    Args:
        path: The whole network, or without one or both of its encoders.
        whisper: File or folder with Whisper's weights, where the checkpoint has no ``audio_encoder.``: in the layout of
            ``transformers`` or of OpenAI; the decoder is not used.
        av_hubert: File with AV-HuBERT's weights, where the checkpoint has no ``visual_encoder.``.

    Returns:
        The network, its checkpoint, and a hash of the other files, ``None`` without any.

    Raises:
        CheckpointError: A file cannot be loaded or does not fit.
        UsageError: A file is missing, or given for an encoder that the checkpoint has already.
        MissingDependencyError: ``transformers`` is not installed.
    """
    checkpoint = load_checkpoint(path)
    _check_keys(checkpoint.state, path)
    audio, heard = _encoder(checkpoint.state, path, AUDIO, "whisper", whisper)
    visual, seen = _encoder(checkpoint.state, path, VISUAL, "av_hubert", av_hubert)
    with torch.device("meta"):  # the weights come from the files, so none are drawn and no memory is taken twice
        sizes = PairNetSizes(WhisperSizes.of(audio.state, audio.source), AvHubertSizes.of(visual.state, visual.source))
        network = PairNet(sizes)
    parts: tuple[tuple[nn.Module, _Part], ...] = (
        (network.audio_encoder, audio),
        (network.visual_encoder, visual),
        (network.fusion, _Part(part_of(checkpoint.state, FUSION), f"{path} (below {FUSION!r})")),
    )
    for module, part in parts:
        apply_state_dict(module, part.state, part.source, assign=True)
    digests = [sha256_of(file) for file in (heard, seen) if file]
    return network, checkpoint, sha256("".join(digests).encode()).hexdigest() if digests else None


def build_pair_net(whisper: Path | str, av_hubert: Path | str) -> PairNet:
    """Build PAIR-Net for training: both encoders as published, the fusion drawn at random.

    Args:
        whisper: As for `load_pair_net`.
        av_hubert: As for `load_pair_net`.

    Raises:
        CheckpointError: A file cannot be loaded or does not fit.
        MissingDependencyError: ``transformers`` is not installed.
    """
    audio, visual = read_whisper(whisper), read_av_hubert(av_hubert)
    sizes = PairNetSizes(WhisperSizes.of(audio, whisper), AvHubertSizes.of(visual, av_hubert))
    network = PairNet(sizes)
    apply_state_dict(network.audio_encoder, audio, whisper)
    apply_state_dict(network.visual_encoder, visual, av_hubert)
    return network


def read_whisper(path: Path | str) -> dict[str, Tensor]:
    """Return the weights of Whisper's encoder from a file, or from the folder that the Hugging Face hub gives.

    Raises:
        CheckpointError: There is no such file, it cannot be loaded, or it holds no Whisper.
    """
    return whisper_encoder_state(load_state_dict(whisper_file(path)), path)


def read_av_hubert(path: Path | str) -> dict[str, Tensor]:
    """Return the weights of AV-HuBERT's visual path from a file.

    The official files need code to be unpacked, so ``asdbench convert FILE OUT.safetensors --key model`` comes first.

    Raises:
        CheckpointError: There is no such file, it cannot be loaded, or it holds no AV-HuBERT.
    """
    return visual_path(load_state_dict(path), path)


def whisper_file(path: Path | str) -> Path:
    """Return the file of weights in a folder, or the file itself.

    Raises:
        CheckpointError: The folder holds no such file.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    found = next((path / name for name in _IN_FOLDER if (path / name).is_file()), None)
    if found is None:
        raise CheckpointError(
            f"the folder {path} holds neither {' nor '.join(_IN_FOLDER)}; weights in several pieces must be saved as "
            "one file first."
        )
    return found


def _check_keys(state: Mapping[str, Tensor], path: Path | str) -> None:
    strays = [key for key in state if not key.startswith(PARTS)]
    if strays or not part_of(state, FUSION):
        found = f"it has {len(strays)} other keys (the first: {strays[0]!r})" if strays else f"it has no {FUSION!r}"
        raise CheckpointError(
            f"{path} is no checkpoint of PAIR-Net: expected keys that begin with {', '.join(PARTS)}, but {found}; "
            "published weights of the encoders are given by the options whisper and av_hubert."
        )


def _encoder(
    state: Mapping[str, Tensor], path: Path | str, prefix: str, option: str, other: str
) -> tuple[_Part, Path | None]:
    """Return an encoder's weights from the checkpoint or from the file that an option names, and that file."""
    own = part_of(state, prefix)
    if own and other:
        raise UsageError(f"{path} holds its own {prefix.rstrip('.')}; leave the option {option} out.")
    if own:
        return _Part(own, f"{path} (below {prefix!r})"), None
    if not other:
        raise UsageError(f"{path} holds no {prefix.rstrip('.')}; name a file with the option {option}=FILE.")
    if option == "whisper":
        return _Part(read_whisper(other), other), whisper_file(other)
    return _Part(read_av_hubert(other), other), Path(other)
