"""Light-ASD (Liao et al., "A Light Weight Model for Active Speaker Detection", CVPR 2023)."""

from __future__ import annotations

from asdbench.adapters.base import Embedding, Needs
from asdbench.adapters.demo_scoring import CuttableFaces, DemoScoredAdapter
from asdbench.adapters.torch_adapter import CROP_SIZE, log_odds
from asdbench.types import Float32Array


class LightASD(DemoScoredAdapter):
    """Light-ASD; three visual blocks whose longest kernel along time is 5 give the halo of 3 * 2 frames."""

    name = "light-asd"
    version = 1
    architecture = "light-asd"
    needs = Needs(crop_size=CROP_SIZE, halo=6, needs_checkpoint=True)

    def score_faces(self, face_embedding: Embedding) -> Float32Array:
        """Return ``[num_frames]`` log-odds of the head over the faces alone, over the whole track in every scoring."""
        whole = face_embedding.whole if isinstance(face_embedding, CuttableFaces) else face_embedding
        return log_odds(self.video_logits(whole))
