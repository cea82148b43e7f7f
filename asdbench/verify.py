"""Does a network compute what its authors' code computes? Replays recorded numbers and says how far off it is.

The fixtures in ``baselines/parity`` hold one short input per system and what the official code gave for it, with
weights made from the key names alone (`asdbench.networks.seeded`), so no checkpoint is needed.
``tools/make_parity.py`` made them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from asdbench.devices import choose_device
from asdbench.registry import unknown_name
from asdbench.resources import read_toml, resource_folder
from asdbench.types import Float32Array

_AV_HUBERT = "av-hubert"  # a part of pair-net, and no architecture of its own

DEVICE_TOLERANCE = 1e-3
"""Largest difference allowed on anything but a CPU, with TF32 off."""


class Fixture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What ``baselines/parity/fixtures.toml`` says of one recording.

    Attributes:
        architecture: Name in `asdbench.networks.ARCHITECTURES`, or ``av-hubert``.
        inputs: Name of the file of inputs.
        official: Repository and commit of the code that computed the numbers.
        tolerance: Largest difference allowed on a CPU in float32, divided by ``max(1, |value|)``.
        prefix: What stood before every key when the weights were made.
        keep: End of the keys that keep their computed values.
    """

    architecture: str
    inputs: str
    official: str
    tolerance: float
    prefix: str = ""
    keep: str | None = None


@dataclass(frozen=True)
class Comparison:
    """One recorded tensor against ours.

    Attributes:
        tensor: Its name.
        shape: Its shape.
        largest: Largest difference, divided by ``max(1, |value|)``.
        tolerance: Largest one allowed.
    """

    tensor: str
    shape: tuple[int, ...]
    largest: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Whether the difference is a number and within the tolerance."""
        return self.largest <= self.tolerance


def fixtures() -> dict[str, Fixture]:
    """Return all recordings by name of the system."""
    table = read_toml(resource_folder("baselines/parity") / "fixtures.toml", "list of fixtures")
    return msgspec.convert(table, dict[str, Fixture])


def verify(name: str, device: str = "cpu") -> list[Comparison]:
    """Replay the recording of one system.

    Args:
        name: As in `fixtures`.
        device: ``cpu``, ``cuda``, ...; off the CPU the tolerance is ``DEVICE_TOLERANCE``.

    Returns:
        One comparison per recorded tensor, in the order of computation.

    Raises:
        UnknownNameError: There is no recording of this system.
        ResourceError: This machine has no such device.
    """
    known = fixtures()
    if name not in known:
        raise unknown_name("recording", name, known)
    fixture = known[name]
    where = choose_device(device)
    folder = resource_folder("baselines/parity")
    with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
        recorded = dict(file)
    with np.load(folder / f"{fixture.inputs}.npz", allow_pickle=False) as file:
        inputs = dict(file)
    found = _replay(fixture, inputs, where)
    tolerance = fixture.tolerance if where == "cpu" else DEVICE_TOLERANCE
    return [
        Comparison(tensor, values.shape, _largest(found[tensor].reshape(values.shape), values), tolerance)
        for tensor, values in recorded.items()
    ]


def _largest(found: Float32Array, wanted: Float32Array) -> float:
    return float(np.max(np.abs(found.astype(np.float64) - wanted) / np.maximum(1, np.abs(wanted))))


def _replay(fixture: Fixture, inputs: Mapping[str, Any], device: str) -> dict[str, Float32Array]:
    import torch

    from asdbench.adapters.torch_adapter import exact_inference
    from asdbench.networks import ARCHITECTURES
    from asdbench.networks.seeded import seeded_state

    build = _av_hubert_base if fixture.architecture == _AV_HUBERT else ARCHITECTURES.load(fixture.architecture)
    network = build().eval()
    kept = {key: value for key, value in network.state_dict().items() if fixture.keep and key.endswith(fixture.keep)}
    network.load_state_dict({**seeded_state(network, fixture.prefix), **kept})
    network.to(device)
    tensors = {key: torch.from_numpy(value).to(device).float() for key, value in inputs.items()}
    with exact_inference(torch.device(device)):
        found = _TRACES[fixture.architecture](network, tensors)
    return {key: value.cpu().numpy() for key, value in found.items()}


def _two_stream(network: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    audio, visual = network.embed_audio(given["mfcc"]), network.embed_faces(given["faces"])
    return {
        "audio_embed": audio,
        "visual_embed": visual,
        "fused": network.fuse(audio, visual),
        "logits": network.head(audio, visual),
    }


def _talknet(network: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    audio, faces = network.embed_audio(given["mfcc"]), network.embed_faces(given["faces"])
    refined = network.refine_faces(faces)
    streams = network.cross_attend(audio, refined)
    return {
        "audio_embed": audio,
        "visual_embed": refined,
        "audio_cross": streams[0],
        "visual_cross": streams[1],
        "fused": network.join(*streams),
        "logits": network.head(audio, faces),
    }


def _loconet(network: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    from asdbench.networks.loconet import SPEAKERS

    # A target without neighbours stands in for them.
    seen = [given[key] for key in ("faces", "landmarks") if key in given]
    speakers = [value.expand(-1, SPEAKERS, *value.shape[2:]) for value in seen]
    features = network.embed_faces(*(value.flatten(1, 2) for value in speakers))
    features = features.view(*speakers[0].shape[:3], -1)
    audio, visual = network.embed_audio(given["log_mel"]), network.embed_visual(features)
    streams = network.cross(audio, visual)
    return {
        "audio_embed": audio,
        "visual_embed": visual,
        "audio_cross": streams[0],
        "visual_cross": streams[1],
        "fused": network.fuse(*streams),
        "logits": network.head(audio, features),
    }


def _av_hubert_base() -> Any:
    from asdbench.networks.av_hubert import BASE, AvHubertVisualEncoder

    return AvHubertVisualEncoder(BASE)


def _av_hubert(network: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    from asdbench.networks.av_hubert_trunk import normalised

    trunk = network.trunk(normalised(given["faces"]))
    return {"trunk": trunk, "encoder_out": network.transform(trunk)}


_TRACES: dict[str, Callable[[Any, Mapping[str, Any]], dict[str, Any]]] = {
    "light-asd": _two_stream,
    "lr-asd": _two_stream,
    "talknet": _talknet,
    "sync-talknet": _talknet,
    "loconet": _loconet,
    "talknce": _loconet,
    "laser-loconet": _loconet,
    _AV_HUBERT: _av_hubert,
}
"""What is computed of each architecture, step by step, under the names of the recordings."""
