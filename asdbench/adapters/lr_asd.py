"""LR-ASD (Liao et al., "LR-ASD: Lightweight and Robust Network for Active Speaker Detection", IJCV 2025)."""

from __future__ import annotations

from asdbench.adapters.base import Embedding, Needs
from asdbench.adapters.demo_scoring import CuttableFaces, DemoScoredAdapter
from asdbench.adapters.torch_adapter import CROP_SIZE, log_odds
from asdbench.types import Float32Array


class LRASD(DemoScoredAdapter):
    """LR-ASD; three visual blocks with kernels 5 and 3 along time give the halo of 3 * (2 + 1) frames."""

    name = "lr-asd"
    version = 1
    architecture = "lr-asd"
    needs = Needs(crop_size=CROP_SIZE, halo=9, needs_checkpoint=True)

    def score_faces(self, face_embedding: Embedding) -> Float32Array:
        """Return ``[num_frames]`` log-odds of the head over the faces alone, over the whole track in every scoring."""
        whole = face_embedding.whole if isinstance(face_embedding, CuttableFaces) else face_embedding
        return log_odds(self.video_logits(whole))
