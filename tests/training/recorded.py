"""Losses that the authors' code recorded, and the few logits and embeddings that they are losses of.

``recorded_losses.npz`` holds them, so that they are checked wherever the tests run; ``python -m
tests.training.recorded SHARED`` makes it from the recordings. Entries are ``<system>__<name>``. Logits of heads whose
output was not recorded are that head, with its seeded weights, over the recorded streams.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state

FILE = Path(__file__).with_name("recorded_losses.npz")
_SILENT = 3  # of the clip of TalkNCE, frames that must play no part


def recorded(system: str) -> dict[str, torch.Tensor]:
    """Return what was recorded of one system."""
    with np.load(FILE) as file:
        prefix = f"{system}__"
        return {key.removeprefix(prefix): torch.from_numpy(file[key]) for key in file.files if key.startswith(prefix)}


def record(shared: Path) -> dict[str, np.ndarray]:
    """Read everything out of the recordings."""
    found = {}
    for system, read in (
        ("talknet", _talknet),
        ("sync-talknet", _talknet),
        ("light-asd", _two_stream),
        ("lr-asd", _two_stream),
        ("talknce", _talknce),
    ):
        with np.load(shared / "parity" / system / "outputs.npz") as outputs:
            found |= {f"{system}__{name}": np.asarray(values) for name, values in read(system, dict(outputs)).items()}
    return found


def _losses(outputs):
    kept = {name.removeprefix("loss__"): values for name, values in outputs.items() if name.startswith("loss__")}
    return {**kept, "labels": kept.pop("labels_B2T12")}


def _talknet(system, outputs):
    prefix = "seeded_formula_pe__B2T12__" if system == "sync-talknet" else "seeded__B2T12__"
    network = _seeded(system)
    with torch.inference_mode():
        audio, visual = (
            head(torch.from_numpy(outputs[f"{prefix}{name}_cross"])).numpy()
            for head, name in ((network.lossA, "audio"), (network.lossV, "visual"))
        )
    fused = outputs[f"{prefix}head_logits"].reshape(2, 12, 2)
    return {**_losses(outputs), "fused_logits": fused, "audio_logits": audio, "visual_logits": visual}


def _two_stream(system, outputs):
    with torch.inference_mode():
        visual = _seeded(system).lossV(torch.from_numpy(outputs["seeded__B2T12__visual_embed"])).numpy()
    fused = outputs["seeded__B2T12__head_logits"].reshape(2, 12, 2)
    return {**_losses(outputs), "fused_logits": fused, "visual_logits": visual}


def _talknce(_, outputs):
    active = outputs["A_nce_active_frames"]
    silent = np.setdiff1d(np.arange(25), active)[:_SILENT]
    kept = np.sort(np.concatenate([active, silent]))
    parts = {name: outputs[f"A_loss_{name}"] for name in ("av", "a", "v", "total")}
    return {
        **parts,
        "faces": outputs["A_visual_embed"][:1, kept],
        "audio": outputs["A_audio_embed"][:, kept],
        "labels": np.isin(kept, active).astype(np.int64)[None],
        "nce_logits": outputs["A_nce_logits"],
        "nce": outputs["A_loss_nce_unweighted"],
    }


def _seeded(system):
    network = ARCHITECTURES.load(system)().eval()
    network.load_state_dict(seeded_state(network))
    return network


if __name__ == "__main__":
    np.savez_compressed(FILE, **record(Path(sys.argv[1])))
