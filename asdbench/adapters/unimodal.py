"""The auxiliary heads that some networks train on one stream, as models of their own.

Each is loaded from a checkpoint of its parent. What such a head scores tells how far one modality alone carries.
"""

from __future__ import annotations

import torch
from torch import Tensor

from asdbench.adapters.light_asd import LightASD
from asdbench.adapters.lr_asd import LRASD
from asdbench.adapters.talknet import TalkNet
from asdbench.adapters.torch_adapter import exact_inference, one_thread
from asdbench.adapters.two_stream import TwoStreamAdapter
from asdbench.networks.talknet import TalkNet as Network
from asdbench.networks.talknet import TalkNetLogits
from asdbench.types import Int16Array


class VideoHead(TwoStreamAdapter):
    """Scores the face embedding alone; never looks at the audio."""

    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> Tensor:
        """Return nothing for each frame, ``[1, num_frames, 0]``."""
        return torch.empty(1, num_frames, 0)

    def logits(self, audio_embedding: Tensor, face_embedding: Tensor) -> Tensor:
        """Return the logits ``[T, 2]`` of the visual head."""
        return self.video_logits(face_embedding)


class LightASDVideo(VideoHead):
    """Light-ASD's head over the faces alone."""

    name = "light-asd-video"
    version = 1
    architecture = LightASD.architecture
    needs = LightASD.needs


class LRASDVideo(VideoHead):
    """LR-ASD's head over the faces alone."""

    name = "lr-asd-video"
    version = 1
    architecture = LRASD.architecture
    needs = LRASD.needs


class _TalkNetHead(TwoStreamAdapter):
    """Scores one of TalkNet's two streams after cross attention."""

    network: Network

    def _heads(self, audio_embedding: Tensor, face_embedding: Tensor) -> TalkNetLogits:
        with exact_inference(self.device), one_thread():
            return self.network.heads(audio_embedding, face_embedding)


class TalkNetAudio(_TalkNetHead):
    """TalkNet's head over its audio stream.

    Not strictly unimodal: the head reads the stream *after* cross attention, where the face is the query, so another
    face changes its scores.
    """

    name = "talknet-audio"
    version = 1
    architecture = TalkNet.architecture
    needs = TalkNet.needs

    def logits(self, audio_embedding: Tensor, face_embedding: Tensor) -> Tensor:
        """Return the logits ``[T, 2]`` of the audio head."""
        return self._heads(audio_embedding, face_embedding).audio[0]


class TalkNetVideo(_TalkNetHead):
    """TalkNet's head over its visual stream.

    Not strictly unimodal: the head reads the stream *after* cross attention, where the sound is the query, so other
    sound changes its scores.
    """

    name = "talknet-video"
    version = 1
    architecture = TalkNet.architecture
    needs = TalkNet.needs

    def logits(self, audio_embedding: Tensor, face_embedding: Tensor) -> Tensor:
        """Return the logits ``[T, 2]`` of the visual head."""
        return self._heads(audio_embedding, face_embedding).visual[0]
