"""TalkNet's two front ends, each with a head of its own and no attention: who speaks, told from one stream alone.

The combined baseline of "Rethinking Audio-visual Synchronization for Active Speaker Detection" (Wuerkaixi et al.,
arXiv 2206.10421, section 3.2, as summaries of it say) takes the product of the two: somebody speaks, and these lips
move. No part of it can know whether this voice belongs to these lips, so what it loses on a changed voice is no matter
of synchrony.

There are no official weights; keys are those of TalkNet's checkpoints without ``model.``.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from asdbench.networks.cross_attention import LinearHead
from asdbench.networks.squeeze_excitation import SqueezeExcitationEncoder
from asdbench.networks.talknet import Sized, TalkNetSizes
from asdbench.networks.visual_resnet import EMBEDDING, VisualConv1D, VisualFrontend, VisualTCN

VOICE, LIPS = "vad.", "lip."
"""Prefixes of the two parts in a state dict that has both."""


class VadLipLogits(NamedTuple):
    """Logits ``[B, T, 2]`` of both parts.

    Attributes:
        voice: Column 1 is *somebody speaks*.
        lips: Column 1 is *these lips speak*.
    """

    voice: Tensor
    lips: Tensor


class TalkNetVAD(Sized):
    """Voice activity: TalkNet's audio encoder and a head; never looks at faces.

    Args:
        sizes: As the checkpoint has them, of which the stem means nothing here; the published ones without it.
    """

    def __init__(self, sizes: TalkNetSizes | None = None) -> None:
        super().__init__(sizes)
        self.audioEncoder = SqueezeExcitationEncoder(self.sizes.depth)
        self.lossA = LinearHead(EMBEDDING)

    def embed_audio(self, mfcc: Tensor) -> Tensor:
        """Map MFCC ``[B, 4T, 13]`` to ``[B, T, 128]``; every frame depends on the whole clip."""
        embedding: Tensor = self.audioEncoder(mfcc)
        return embedding

    def head(self, audio_embedding: Tensor) -> Tensor:
        """Return the logits ``[B, T, 2]`` of embeddings ``[B, T, 128]``; column 1 is *somebody speaks*."""
        logits: Tensor = self.lossA(audio_embedding)
        return logits

    def forward(self, mfcc: Tensor) -> Tensor:
        """Return the logits ``[B, T, 2]`` of MFCC ``[B, 4T, 13]``."""
        return self.head(self.embed_audio(mfcc))


class TalkNetLip(Sized):
    """Lip activity: TalkNet's visual front end, its temporal blocks and a head; never hears.

    Args:
        sizes: As the checkpoint has them, of which the depth means nothing here; the published ones without it.
    """

    def __init__(self, sizes: TalkNetSizes | None = None) -> None:
        super().__init__(sizes)
        self.visualFrontend = VisualFrontend(True, self.sizes.stem)
        self.visualTCN = VisualTCN(8 * self.sizes.stem)
        self.visualConv1D = VisualConv1D(8 * self.sizes.stem)
        self.lossV = LinearHead(EMBEDDING)

    def embed_faces(self, faces: Tensor, gaps: Tensor | None = None) -> Tensor:
        """Embed face crops.

        Args:
            faces: ``[B, T, height, width]`` float32 gray values, 0..255.
            gaps: Which frames lie between clips that are laid end to end (`asdbench.networks.apart`).

        Returns:
            ``[B, T, 8 * stem]``; every frame depends on two neighbours to either side.
        """
        embedding: Tensor = self.visualFrontend(faces, gaps=gaps)
        return embedding

    def refine_faces(self, face_embedding: Tensor) -> Tensor:
        """Map the face embeddings of whole clips to ``[B, T, 128]``; every frame depends on its whole clip."""
        refined: Tensor = self.visualConv1D(self.visualTCN(face_embedding.transpose(1, 2)))
        return refined.transpose(1, 2)

    def head(self, face_embedding: Tensor) -> Tensor:
        """Return the logits ``[B, T, 2]`` of embeddings ``[B, T, 8 * stem]``; column 1 is *these lips speak*."""
        logits: Tensor = self.lossV(self.refine_faces(face_embedding))
        return logits

    def forward(self, faces: Tensor) -> Tensor:
        """Return the logits ``[B, T, 2]`` of faces ``[B, T, height, width]``."""
        return self.head(self.embed_faces(faces))


class TalkNetVadLip(Sized):
    """Both in one checkpoint, below ``vad.`` and ``lip.``; its answer is the product of their probabilities.

    Args:
        sizes: As the checkpoint has them; the published ones without it.
    """

    AUDIO, VISUAL = VOICE, LIPS

    def __init__(self, sizes: TalkNetSizes | None = None) -> None:
        super().__init__(sizes)
        self.vad = TalkNetVAD(self.sizes)
        self.lip = TalkNetLip(self.sizes)

    def embed_audio(self, mfcc: Tensor) -> Tensor:
        """Map MFCC ``[B, 4T, 13]`` to ``[B, T, 128]``; see `TalkNetVAD.embed_audio`."""
        return self.vad.embed_audio(mfcc)

    def embed_faces(self, faces: Tensor, gaps: Tensor | None = None) -> Tensor:
        """Map faces ``[B, T, height, width]`` to ``[B, T, 8 * stem]``; see `TalkNetLip.embed_faces`."""
        return self.lip.embed_faces(faces, gaps)

    def head(self, audio_embedding: Tensor, face_embedding: Tensor) -> VadLipLogits:
        """Return the logits of both parts; whoever scores multiplies their probabilities."""
        return VadLipLogits(self.vad.head(audio_embedding), self.lip.head(face_embedding))

    def forward(self, mfcc: Tensor, faces: Tensor) -> VadLipLogits:
        """Return the logits of MFCC ``[B, 4T, 13]`` and faces ``[B, T, height, width]``."""
        return self.head(self.embed_audio(mfcc), self.embed_faces(faces))
