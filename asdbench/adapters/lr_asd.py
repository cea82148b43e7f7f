"""LR-ASD (Liao et al., "LR-ASD: Lightweight and Robust Network for Active Speaker Detection", IJCV 2025)."""

from __future__ import annotations

from asdbench.adapters.base import Needs
from asdbench.adapters.demo_scoring import DemoScoredAdapter
from asdbench.adapters.torch_adapter import CROP_SIZE


class LRASD(DemoScoredAdapter):
    """LR-ASD; three visual blocks with kernels 5 and 3 along time give the halo of 3 * (2 + 1) frames."""

    name = "lr-asd"
    version = 1
    architecture = "lr-asd"
    needs = Needs(crop_size=CROP_SIZE, halo=9, needs_checkpoint=True)
