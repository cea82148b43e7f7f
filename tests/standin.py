"""Stand-ins for what is shipped: the resource folders with two tiny-faced checkpoints of seeded weights in them."""

from __future__ import annotations

import shutil
from pathlib import Path

import safetensors.torch
import torch

from asdbench.checkpoints.files import sha256_of
from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("light-asd.demo", "light-asd.demo-sync")
FACE_SIZE = 32

CARD = """name = "{name}"
architecture = "light-asd"
sha256 = "{sha256}"
trained_on = "nothing"
licence = "Apache-2.0"
code = "https://example.org/asdbench"
paper = "none"
parameters = 1021636
file = "demo/{name}.safetensors"
note = "Sees faces at {size} x {size} pixels."
"""


def write_safetensors(path: Path, state: dict[str, torch.Tensor], face_size: object = FACE_SIZE) -> Path:
    """Write weights with the face size in the metadata, none at all for ``None``."""
    metadata = None if face_size is None else {"asdbench.face_size": str(face_size)}
    safetensors.torch.save_file(state, path, metadata=metadata)
    return path


def write_resources(folder: Path) -> Path:
    """Write what `asdbench.resources` looks for; return what stands for the package in it."""
    shutil.copytree(ROOT / "suites", folder / "suites")
    shutil.copytree(ROOT / "reports" / "templates", folder / "reports" / "templates")
    for name in ("models", "parity"):
        shutil.copytree(ROOT / "baselines" / name, folder / "baselines" / name)
    (folder / "baselines" / "demo").mkdir()
    state = seeded_state(ARCHITECTURES.load("light-asd")())
    for name in NAMES:
        path = write_safetensors(folder / "baselines" / "demo" / f"{name}.safetensors", state)
        text = CARD.format(name=name, sha256=sha256_of(path), size=FACE_SIZE)
        (folder / "baselines" / "models" / f"{name}.toml").write_text(text, encoding="utf-8")
        # The second is another network: it says the opposite.
        state = {key: -tensor if key.startswith("lossAV.") else tensor for key, tensor in state.items()}
    (folder / "asdbench").mkdir()
    return folder / "asdbench"
