"""LoCoNet: Wang et al., "LoCoNet: Long-Short Context Network for Active Speaker Detection", CVPR 2024.

Official code: https://github.com/SJTUwxz/LoCoNet_ASD. 34,332,875 parameters. TalkNCE (Jung et al., ICASSP 2024,
https://github.com/kaistmm/TalkNCE) trains the same network with one more loss.

Attribute names are those of the published checkpoints, since they are the keys of the state dict; here as the official
test script sees them, without the ``model.module.`` in front of every key of the file.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from asdbench.networks.cross_attention import AttentionLayer, LinearHead
from asdbench.networks.visual_resnet import EMBEDDING, EVERY_FRAME, VisualConv1D, VisualFrontend, VisualTCN

SPEAKERS = 3
"""Faces that the network looks at together, the target first; fixed by the shape of its weights."""

_FUSED = 2 * EMBEDDING
_LAYERS = 3  # pairs of a layer across speakers and one along time


class Logits(NamedTuple):
    """Logits of the three heads, column 1 *speaking*: ``[B, S, T, 2]`` each, S speakers."""

    audio_visual: Tensor
    audio: Tensor
    visual: Tensor


class VGGishEncoder(nn.Module):
    """The convolutions of VGGish, read off at two depths and brought back to one embedding per video frame."""

    def __init__(self) -> None:
        super().__init__()
        # The attribute names count the layers, so activations and pools have their places too. Four rows per frame and
        # three pools would leave half a frame; the deeper map is doubled again, and the last pool never comes to bear.
        self.features = nn.Sequential(
            *_convolutions(1, 64), nn.MaxPool2d(2, 2),
            *_convolutions(64, 128), nn.MaxPool2d(2, 2),
            *_convolutions(128, 256, 256), nn.MaxPool2d(2, 2),
            *_convolutions(256, 512, 512),
        )  # fmt: skip
        self.deconv = nn.ConvTranspose2d(512, 256, 2, 2)
        self.conv1 = nn.Conv2d(512, 256, 1)
        self.conv2 = nn.Conv2d(256, EMBEDDING, 1)

    def forward(self, log_mel: Tensor) -> Tensor:
        """Map ``[B, 4T, 64]`` to ``[B, T, 128]``."""
        rows = log_mel.shape[1]
        # Up to the next multiple of eight, and by eight more rows where it is one already, as published.
        x = functional.pad(log_mel, (0, 0, 0, 8 - rows % 8)).unsqueeze(1)
        shallow = self.features[:10](x)
        deep = self.deconv(self.features[10:](shallow))
        x = self.conv2(self.conv1(torch.cat((shallow, deep), dim=1)))
        embedding: Tensor = x.mean(dim=3).transpose(1, 2)[:, : rows // 4]
        return embedding


def _convolutions(*channels: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for channels_in, channels_out in pairwise(channels):
        layers += [nn.Conv2d(channels_in, channels_out, 3, padding=1), nn.ReLU()]
    return layers


class SpeakerLayer(nn.Module):
    """Short-term inter-speaker modelling (SIM): one convolution over all speakers and seven frames."""

    def __init__(self) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(_FUSED, _FUSED * SPEAKERS, (SPEAKERS, 7), padding=(0, 3))
        self.ln = nn.LayerNorm(_FUSED)
        self.conv2d_1x1 = nn.Conv2d(_FUSED, 2 * _FUSED, 1)
        self.conv2d_1x1_2 = nn.Conv2d(2 * _FUSED, _FUSED, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, S, T, 256]`` to the same shape."""
        mixed = self.conv2d(x.permute(0, 3, 1, 2)).squeeze(2)
        mixed = mixed.view(len(x), _FUSED, SPEAKERS, -1)  # speakers change fastest among the channels
        mixed = self.ln(mixed.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        mixed = self.conv2d_1x1_2(functional.gelu(self.conv2d_1x1(mixed)))
        summed: Tensor = x + mixed.permute(0, 2, 3, 1)
        return summed


class TimeLayer(AttentionLayer):
    """Long-term intra-speaker modelling (LIM): every speaker attends to itself over the whole track."""

    def __init__(self) -> None:
        super().__init__(_FUSED)

    def forward(self, own: Tensor, query: Tensor | None = None) -> Tensor:
        """Map ``[B, S, T, 256]`` to the same shape."""
        one = own.flatten(0, 1)
        return super().forward(one, one).view(own.shape)


class _Network(nn.Module):
    """Everything but the heads; keys under ``model.``."""

    def __init__(self) -> None:
        super().__init__()
        self.visualFrontend = VisualFrontend()
        self.visualTCN = VisualTCN()
        self.visualConv1D = VisualConv1D()
        self.audioEncoder = VGGishEncoder()
        self.crossA2V = AttentionLayer(EMBEDDING)
        self.crossV2A = AttentionLayer(EMBEDDING)
        self.convAV = nn.ModuleList(layer() for _ in range(_LAYERS) for layer in (SpeakerLayer, TimeLayer))


class LoCoNet(nn.Module):
    """LoCoNet with the state-dict layout of the official checkpoints (272 entries).

    The heads over one stream alone (``lossA``, ``lossV``) belong to the checkpoint and to training; scores never use
    them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.model = _Network()
        self.lossAV = LinearHead(_FUSED)
        self.lossA = LinearHead(EMBEDDING)
        self.lossV = LinearHead(EMBEDDING)

    def embed_audio(self, log_mel: Tensor) -> Tensor:
        """Embed audio.

        Args:
            log_mel: ``[B, 4T, 64]``, as `asdbench.features.vggish_log_mel_for_frames` computes it.

        Returns:
            ``[B, T, 128]``.
        """
        embedding: Tensor = self.model.audioEncoder(log_mel)
        return embedding

    def embed_faces(self, faces: Tensor, *, wanted: slice = EVERY_FRAME) -> Tensor:
        """Return what the residual trunk makes of each frame, given two frames to either side.

        Args:
            faces: ``[B, N, height, width]`` gray values 0..255, each row one sequence. The official code lays the
                speakers of a track end to end in one (N = S T), so that neighbours leak into one another's borders.
            wanted: Which frames of each row; the others are only seen beside them.

        Returns:
            ``[B, N, 512]``, of the wanted frames.
        """
        features: Tensor = self.model.visualFrontend(faces, wanted)
        return features

    def embed_visual(self, features: Tensor) -> Tensor:
        """Map trunk features ``[B, S, T, 512]`` to embeddings ``[B, S, T, 128]``, each over the whole track."""
        x = self.model.visualTCN(features.flatten(0, 1).transpose(1, 2))
        embedding: Tensor = self.model.visualConv1D(x).transpose(1, 2)
        return embedding.reshape(*features.shape[:3], EMBEDDING)

    def cross(self, audio: Tensor, visual: Tensor) -> tuple[Tensor, Tensor]:
        """Let each stream be read by the other.

        Args:
            audio: ``[B, T, 128]``; every speaker of a track gets the same.
            visual: ``[B, S, T, 128]``.

        Returns:
            Audio stream and visual stream, ``[B, S, T, 128]`` each.
        """
        heard = audio.unsqueeze(1).expand_as(visual).flatten(0, 1)
        seen = visual.flatten(0, 1)
        return self.model.crossA2V(heard, seen).view(visual.shape), self.model.crossV2A(seen, heard).view(visual.shape)

    def fuse(self, audio_stream: Tensor, visual_stream: Tensor) -> Tensor:
        """Fuse two streams ``[B, S, T, 128]`` over speakers and time into ``[B, S, T, 256]``."""
        fused = torch.cat((audio_stream, visual_stream), dim=3)
        for layer in self.model.convAV:
            fused = layer(fused)
        return fused

    def all_logits(self, audio_embedding: Tensor, features: Tensor) -> Logits:
        """Return what training needs: the logits of every head for every speaker; arguments as for `head`."""
        audio, visual = self.cross(audio_embedding, self.embed_visual(features))
        return Logits(self.lossAV(self.fuse(audio, visual)), self.lossA(audio), self.lossV(visual))

    def head(self, audio_embedding: Tensor, features: Tensor) -> Tensor:
        """Score the target.

        Args:
            audio_embedding: ``[B, T, 128]``.
            features: ``[B, S, T, 512]`` of the three speakers, the target first.

        Returns:
            ``[B, T, 2]``; column 1 is *speaking*.
        """
        fused = self.fuse(*self.cross(audio_embedding, self.embed_visual(features)))
        logits: Tensor = self.lossAV(fused[:, 0])
        return logits

    def forward(self, log_mel: Tensor, faces: Tensor) -> Tensor:
        """Return the logits ``[B, T, 2]`` of log-mel ``[B, 4T, 64]`` and faces ``[B, S, T, height, width]``."""
        features = self.embed_faces(faces.flatten(1, 2))
        return self.head(self.embed_audio(log_mel), features.view(*faces.shape[:3], -1))
