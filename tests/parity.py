"""Compares a two-stream network with what the authors' code gave, for every recorded case and quantity."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from asdbench.checkpoints.load import apply_state_dict, load_state_dict
from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state

QUANTITIES = {"audio_embed", "visual_embed", "outsAV", "head_logits", "score_ava_softmax1", "score_demo_logit1"}
SHORT_CASES = {"T25": "T25", "T37": "T37", "B2T12": "B2_T12"}
"""Case in outputs.npz to its name in inputs.npz."""


@dataclass(frozen=True)
class Parity:
    architecture: str
    shared: Path
    weight_files: dict[str, str]

    def manifest(self):
        path = self.shared / "parity" / self.architecture / "manifest.json"
        return json.loads(path.read_text(encoding="utf-8"))

    def network(self, weights: str):
        network = ARCHITECTURES.load(self.architecture)().eval()
        if weights == "seeded":
            network.load_state_dict(seeded_state(network))
            return network
        path = self.shared / "weights" / self.architecture / self.weight_files[weights]
        apply_state_dict(network, load_state_dict(path), path)
        return network

    def check(self, weights: str, case: str) -> None:
        """Assert that all recorded quantities of one case agree; seeded weights ten times as closely."""
        folder = self.shared / "parity" / self.architecture
        with np.load(folder / "inputs.npz") as inputs, np.load(folder / "outputs.npz") as outputs:
            mfcc, faces = _inputs(inputs, case)
            prefix = f"{weights}__{case}__"
            wanted = {name.removeprefix(prefix): outputs[name] for name in outputs.files if name.startswith(prefix)}
        assert set(wanted) == (
            QUANTITIES if case in SHORT_CASES else QUANTITIES - {"audio_embed", "visual_embed", "outsAV"}
        )
        found = _quantities(self.network(weights), mfcc, faces)
        atol = 1e-5 if weights == "seeded" else 1e-4
        for name, values in wanted.items():
            scale = np.maximum(1, np.abs(values))
            np.testing.assert_allclose(found[name] / scale, values / scale, rtol=0, atol=atol, err_msg=prefix + name)


def _inputs(inputs, case: str) -> tuple[torch.Tensor, torch.Tensor]:
    name = SHORT_CASES.get(case, case)
    if case in SHORT_CASES:
        faces = inputs[f"visual_{name}"]
    else:
        faces = inputs[f"visual_{name}_lowres28"].repeat(4, axis=1).repeat(4, axis=2)[None]
    return torch.from_numpy(inputs[f"audio_{name}"]), torch.from_numpy(faces).float()


@torch.inference_mode()
def _quantities(network, mfcc: torch.Tensor, faces: torch.Tensor) -> dict[str, np.ndarray]:
    audio, visual = network.embed_audio(mfcc), network.embed_faces(faces)
    logits = network.head(audio, visual).flatten(0, 1)
    found = {
        "audio_embed": audio,
        "visual_embed": visual,
        "outsAV": network.fuse(audio, visual).flatten(0, 1),
        "head_logits": logits,
        "score_ava_softmax1": logits.softmax(dim=1)[:, 1],
        "score_demo_logit1": logits[:, 1],
    }
    return {name: tensor.numpy() for name, tensor in found.items()}


@torch.inference_mode()
def visual_reach(network) -> int:
    """Distance in frames from a changed crop to the farthest embedding that changes with it."""
    generator = torch.Generator().manual_seed(0)
    faces = torch.randint(0, 256, (1, 27, 112, 112), generator=generator).float()
    changed = faces.clone()
    changed[:, 13] = 255 - changed[:, 13]
    moved = (network.embed_faces(faces) != network.embed_faces(changed)).any(dim=2)[0]
    return int((moved.nonzero().flatten() - 13).abs().max())
