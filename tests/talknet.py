"""Compares TalkNet and Sync-TalkNet with what the authors' code gave, for every recorded case and quantity."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state

EMBEDDINGS = {"audio_embed", "visual_embed"}
STREAMS = {"audio_cross", "visual_cross", "outsAV"}
SCORES = {"head_logits", "score_ava_softmax1", "score_demo_logit1"}
CASES = {"T25": "T25", "T37": "T37", "B2T12": "B2_T12", "T160": "T160"}
"""Case in outputs.npz to its name in inputs.npz."""


def laid_end_to_end(network, faces: torch.Tensor) -> torch.Tensor:
    """Embed clips as the official code does, whose 3-D convolution takes a batch for one long clip."""
    embedded: torch.Tensor = network.embed_faces(faces.flatten(0, 1)[None])
    return embedded.view(*faces.shape[:2], -1)


@dataclass
class TalkNetParity:
    architecture: str
    shared: Path
    embedded: dict[str, tuple[torch.Tensor, torch.Tensor]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.shared / "parity" / self.architecture

    def manifest(self):
        return json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))

    @cached_property
    def outputs(self) -> dict[str, np.ndarray]:
        with np.load(self.folder / "outputs.npz") as outputs:
            return dict(outputs)

    @cached_property
    def networks(self):
        """Seeded networks by name of the weights; tables of positions come from the key or from the formula."""
        # Whoever asks first may be in inference mode, whose tensors would be of no use to the others.
        with torch.inference_mode(False):
            computed = ARCHITECTURES.load(self.architecture)().eval()
            stored = ARCHITECTURES.load(self.architecture)().eval()
            state = seeded_state(stored)
            stored.load_state_dict(state)
            tables = {key: value for key, value in computed.state_dict().items() if key.endswith(".pe")}
            computed.load_state_dict({**state, **tables})
            return {"seeded": stored, "seeded_formula_pe": computed}

    def embeddings(self, case: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Audio and face embeddings of a case; the encoders know nothing of positions."""
        if case not in self.embedded:
            mfcc, faces = self._inputs(case)
            network = self.networks["seeded"]
            with torch.inference_mode():
                self.embedded[case] = network.embed_audio(mfcc), laid_end_to_end(network, faces)
        return self.embedded[case]

    def _inputs(self, case: str) -> tuple[torch.Tensor, torch.Tensor]:
        name = CASES[case]
        with np.load(self.folder / "inputs.npz") as inputs:
            if f"visual_{name}" in inputs.files:
                faces = inputs[f"visual_{name}"]
            else:
                faces = inputs[f"visual_{name}_lowres28"].repeat(4, axis=1).repeat(4, axis=2)[None]
            return torch.from_numpy(inputs[f"audio_{name}"]), torch.from_numpy(faces).float()

    def check(self, weights: str, case: str, quantities: set[str]) -> None:
        """Assert that all recorded quantities of one case agree, and that there are no others."""
        prefix = f"{weights}__{case}__"
        wanted = {name.removeprefix(prefix): values for name, values in self.outputs.items() if name.startswith(prefix)}
        assert set(wanted) == quantities
        found = self._found(weights, case)
        for name, values in wanted.items():
            scale = np.maximum(1, np.abs(values))
            np.testing.assert_allclose(found[name] / scale, values / scale, rtol=0, atol=1e-5, err_msg=prefix + name)

    @torch.inference_mode()
    def _found(self, weights: str, case: str) -> dict[str, np.ndarray]:
        network = self.networks[weights]
        audio, faces = self.embeddings(case)
        visual = network.refine_faces(faces)
        crossed = network.cross_attend(audio, visual)
        logits = network.head(audio, faces).flatten(0, 1)
        found = {
            "audio_embed": audio,
            "visual_embed": visual,
            "audio_cross": crossed[0],
            "visual_cross": crossed[1],
            "outsAV": network.fuse(audio, faces).flatten(0, 1),
            "head_logits": logits,
            "score_ava_softmax1": logits.softmax(dim=1)[:, 1],
            "score_demo_logit1": logits[:, 1],
        }
        return {name: tensor.numpy() for name, tensor in found.items()}
