"""Light-ASD (Liao et al., "A Light Weight Model for Active Speaker Detection", CVPR 2023)."""

from __future__ import annotations

from asdbench.adapters.base import Needs
from asdbench.adapters.demo_scoring import DemoScoredAdapter
from asdbench.adapters.torch_adapter import CROP_SIZE


class LightASD(DemoScoredAdapter):
    """Light-ASD; three visual blocks whose longest kernel along time is 5 give the halo of 3 * 2 frames."""

    name = "light-asd"
    version = 1
    architecture = "light-asd"
    needs = Needs(crop_size=CROP_SIZE, halo=6, needs_checkpoint=True)
