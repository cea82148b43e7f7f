"""TalkNet's front ends alone, and the product of the two; see `asdbench.networks.talknet_streams`.

Sound and faces become features as for TalkNet. The temporal blocks behind the visual trunk look at the whole track and
run in ``score``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from asdbench.adapters.base import Needs
from asdbench.adapters.product import log_odds_of_all, log_probability
from asdbench.adapters.torch_adapter import CROP_SIZE, TorchAdapter, exact_inference, log_odds, one_thread
from asdbench.adapters.two_stream import TwoStreamAdapter
from asdbench.adapters.unimodal import VideoHead
from asdbench.features import mfcc_for_frames
from asdbench.networks import talknet_streams as networks
from asdbench.networks.visual_resnet import STEM_HALO
from asdbench.types import Float32Array, Int16Array, UInt8Array

_SEES = Needs(crop_size=CROP_SIZE, halo=STEM_HALO, needs_checkpoint=True)


class TalkNetVAD(TorchAdapter[networks.TalkNetVAD]):
    """Voice activity by TalkNet's audio encoder: somebody speaks; never looks at faces."""

    name = "talknet-vad"
    version = 1
    architecture = "talknet-vad"
    needs = Needs(needs_checkpoint=True)

    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> Tensor:
        """Return ``[1, num_frames, 128]`` on the device; see `Adapter.embed_audio`."""
        rows = torch.from_numpy(mfcc_for_frames(audio, num_frames, fps))[None]
        with exact_inference(self.device), one_thread():
            return self.network.embed_audio(rows.to(self.device))

    def embed_faces(self, faces: Sequence[UInt8Array]) -> Tensor:
        """Return nothing for each frame, ``[1, num_frames, 0]``."""
        return torch.empty(1, len(faces), 0)

    def score(self, audio_embedding: Tensor, face_embedding: Tensor) -> Float32Array:
        """Return ``[num_frames]`` float32 log-odds; see `Adapter.score`."""
        with exact_inference(self.device), one_thread():
            return log_odds(self.network.head(audio_embedding)[0])


class TalkNetLip(VideoHead):
    """Lip activity by TalkNet's visual front end and temporal blocks: these lips speak; never hears."""

    name = "talknet-lip"
    version = 1
    architecture = "talknet-lip"
    needs = _SEES

    def logits(self, audio_embedding: Tensor, face_embedding: Tensor) -> Tensor:
        """Return the logits ``[T, 2]``."""
        with exact_inference(self.device), one_thread():
            return cast(networks.TalkNetLip, self.network).head(face_embedding)[0]


class TalkNetVadLip(TwoStreamAdapter):
    """Log-odds, within -30 and 30, of P(somebody speaks) * P(these lips speak), both from one checkpoint."""

    name = "talknet-vad-lip"
    version = 1
    architecture = "talknet-vad-lip"
    needs = _SEES

    def score(self, audio_embedding: Tensor, face_embedding: Tensor) -> Float32Array:
        """Return ``[num_frames]`` float32 log-odds; see `Adapter.score`."""
        with exact_inference(self.device), one_thread():
            logits = cast(networks.TalkNetVadLip, self.network).head(audio_embedding, face_embedding)
        return log_odds_of_all(*(log_probability(log_odds(each[0])) for each in logits))

    def score_faces(self, face_embedding: Tensor) -> Float32Array:
        """Return the log-odds ``[num_frames]`` of the lips alone; see `Adapter.score_faces`."""
        with exact_inference(self.device), one_thread():
            return log_odds(cast(networks.TalkNetVadLip, self.network).lip.head(face_embedding)[0])
