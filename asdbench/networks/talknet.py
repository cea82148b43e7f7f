"""TalkNet: Tao et al., "Is Someone Speaking?", ACM Multimedia 2021 (arXiv 2107.06592).

Official code: https://github.com/TaoRuijie/TalkNet-ASD (MIT). 15,744,481 parameters.

What one frame's embedding needs of its neighbours decides where the network is cut. The face embedding is what comes
out of the residual trunk, which sees two frames to either side; the temporal blocks normalise over the whole clip, and
attention mixes all of it, so they belong to the fusion.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from asdbench.errors import UsageError
from asdbench.networks.cross_attention import AttentionLayer, LinearHead, PositionsFactory
from asdbench.networks.squeeze_excitation import DEPTH, SqueezeExcitationEncoder
from asdbench.networks.visual_resnet import EMBEDDING, STEM, VisualConv1D, VisualFrontend, VisualTCN

if TYPE_CHECKING:
    from typing_extensions import Self  # typing.Self from Python 3.11 on

Shapes = Mapping[str, tuple[int, ...]]
"""Key of a state dict to shape."""

STEMS = range(1, 513)
"""Sizes of a stem that are built; a checkpoint may claim any."""

DEPTHS = range(1, 65)
"""Blocks of a stage, likewise."""

TALKNET = "model."
"""What stands before the keys of both encoders in TalkNet's files."""

_STEM_WEIGHT = "visualFrontend.frontend3D.0.weight"
_LAYER = re.compile(r"audioEncoder\.layer([1-4])\.([0-9]{1,3})\.")


@dataclass(frozen=True)
class TalkNetSizes:
    """What a smaller TalkNet has less of; all other sizes follow, and the defaults are the published ones.

    Attributes:
        stem: Channels of the visual front end's first convolution, 1 to 512; its trunk ends with eight times as many.
        depth: Blocks of each of the audio encoder's four stages, 1 to 64.

    Raises:
        UsageError: A size is outside of these bounds.
    """

    stem: int = STEM
    depth: tuple[int, ...] = DEPTH

    def __post_init__(self) -> None:
        if self.stem not in STEMS or len(self.depth) != len(DEPTH) or any(each not in DEPTHS for each in self.depth):
            raise UsageError(
                f"a TalkNet with stem = {self.stem} and depth = {list(self.depth)} cannot be built; expected a stem of "
                f"{STEMS[0]} to {STEMS[-1]} channels and four stages of {DEPTHS[0]} to {DEPTHS[-1]} blocks."
            )

    @classmethod
    def of(cls, shapes: Shapes, audio: str = TALKNET, visual: str = TALKNET) -> TalkNetSizes:
        """Read the sizes from keys and shapes, which need not be those of a TalkNet.

        Args:
            shapes: Of a checkpoint, trusted in nothing.
            audio: What stands before ``audioEncoder.`` in its keys.
            visual: What stands before ``visualFrontend.``.

        Returns:
            What it tells; the published size in place of one that it does not tell or that is out of bounds.
        """
        stem = (shapes.get(visual + _STEM_WEIGHT) or (STEM,))[0]
        found = [_LAYER.match(key, len(audio)) for key in shapes if key.startswith(audio)]
        last = [max((int(m[2]) for m in found if m and m[1] == str(stage)), default=-1) for stage in (1, 2, 3, 4)]
        depth = tuple(index + 1 for index in last)
        return cls(stem if stem in STEMS else STEM, depth if all(each in DEPTHS for each in depth) else DEPTH)


@lru_cache(maxsize=16)  # a checkpoint may have any sizes
def _layout(network: Callable[[TalkNetSizes], nn.Module], sizes: TalkNetSizes) -> Shapes:
    """Return key to shape of a network in these sizes; built on the "meta" device, so no memory is taken."""
    with torch.device("meta"):
        module = network(sizes)
    return {key: tuple(tensor.shape) for key, tensor in module.state_dict().items()}


class Sized(nn.Module):
    """Base of what takes `TalkNetSizes`, and can be told by a checkpoint which it has.

    Attributes:
        AUDIO: What stands before ``audioEncoder.`` in the keys.
        VISUAL: What stands before ``visualFrontend.``.
    """

    AUDIO: ClassVar[str] = ""
    VISUAL: ClassVar[str] = ""

    def __init__(self, sizes: TalkNetSizes | None) -> None:
        super().__init__()
        self.sizes = TalkNetSizes() if sizes is None else sizes

    @classmethod
    def sizes_of(cls, shapes: Shapes) -> TalkNetSizes:
        """Return the sizes that keys and shapes tell; see `TalkNetSizes.of`."""
        return TalkNetSizes.of(shapes, cls.AUDIO, cls.VISUAL)

    @classmethod
    def recognises(cls, shapes: Shapes) -> bool:
        """Say whether keys and shapes are exactly those of this network in whatever sizes they tell."""
        build: Callable[[TalkNetSizes], nn.Module] = cls
        return _layout(build, cls.sizes_of(shapes)) == shapes

    @classmethod
    def built_for(cls, shapes: Shapes) -> Self:
        """Return a network in the sizes that keys and shapes tell.

        For those of another network it is on "meta", where a few bytes that claim to be a large one cost no memory; it
        then serves for nothing but to say what differs.
        """
        with torch.device("cpu" if cls.recognises(shapes) else "meta"):
            return cls(cls.sizes_of(shapes))


class TalkNetLogits(NamedTuple):
    """Logits ``[B, T, 2]`` of the three heads; column 1 is *speaking*.

    Attributes:
        fused: The model's own.
        audio: Of the audio stream after cross attention.
        visual: Of the visual stream after cross attention.
    """

    fused: Tensor
    audio: Tensor
    visual: Tensor


class _Network(nn.Module):
    """Both encoders and the three attention layers. Keys under ``model.``."""

    def __init__(self, sizes: TalkNetSizes, positions: PositionsFactory | None) -> None:
        super().__init__()
        self.visualFrontend = VisualFrontend(True, sizes.stem)
        self.visualTCN = VisualTCN(8 * sizes.stem)
        self.visualConv1D = VisualConv1D(8 * sizes.stem)
        self.audioEncoder = SqueezeExcitationEncoder(sizes.depth)
        # The names mislead: each layer gives the stream named first, asked by the stream named last.
        self.crossA2V = AttentionLayer(EMBEDDING, positions=positions)
        self.crossV2A = AttentionLayer(EMBEDDING, positions=positions)
        self.selfAV = AttentionLayer(2 * EMBEDDING, positions=positions)


class TalkNet(Sized):
    """TalkNet with the state-dict layout of the official checkpoints (487 entries).

    The clips of a batch never see each other, and a clip must not be padded: the temporal blocks and the attention
    know no mask.

    Args:
        sizes: As the checkpoint has them; the published ones without it.
        positions: What adds positions in the attention layers, see `asdbench.networks.sync_talknet`; TalkNet has none.
    """

    AUDIO = VISUAL = TALKNET

    def __init__(self, sizes: TalkNetSizes | None = None, positions: PositionsFactory | None = None) -> None:
        super().__init__(sizes)
        self.model = _Network(self.sizes, positions)
        self.lossAV = LinearHead(2 * EMBEDDING)
        self.lossA = LinearHead(EMBEDDING)
        self.lossV = LinearHead(EMBEDDING)

    def embed_audio(self, mfcc: Tensor) -> Tensor:
        """Embed audio.

        Args:
            mfcc: ``[B, 4T, 13]`` float32, as `asdbench.features.mfcc_for_frames` computes them.

        Returns:
            ``[B, T, 128]``; every frame depends on the whole clip.
        """
        embedding: Tensor = self.model.audioEncoder(mfcc)
        return embedding

    def embed_faces(self, faces: Tensor, gaps: Tensor | None = None) -> Tensor:
        """Embed face crops.

        Args:
            faces: ``[B, T, 112, 112]`` float32 gray values, 0..255.
            gaps: Which frames lie between clips that are laid end to end (`asdbench.networks.apart`).

        Returns:
            ``[B, T, 512]``; every frame depends on two neighbours to either side.
        """
        embedding: Tensor = self.model.visualFrontend(faces, gaps=gaps)
        return embedding

    def refine_faces(self, face_embedding: Tensor) -> Tensor:
        """Run the temporal blocks over the face embeddings ``[B, T, 512]`` of whole clips; return ``[B, T, 128]``."""
        refined: Tensor = self.model.visualConv1D(self.model.visualTCN(face_embedding.transpose(1, 2)))
        return refined.transpose(1, 2)

    def cross_attend(self, audio_embedding: Tensor, refined_faces: Tensor) -> tuple[Tensor, Tensor]:
        """Return the audio and the visual stream, each ``[B, T, 128]``, after each asked the other."""
        audio = self.model.crossA2V(audio_embedding, refined_faces)
        visual = self.model.crossV2A(refined_faces, audio_embedding)
        return audio, visual

    def join(self, audio: Tensor, visual: Tensor) -> Tensor:
        """Return self attention, ``[B, T, 256]``, over two streams ``[B, T, 128]`` side by side."""
        both = torch.cat((audio, visual), dim=2)
        joined: Tensor = self.model.selfAV(both, both)
        return joined

    def fuse(self, audio_embedding: Tensor, face_embedding: Tensor) -> Tensor:
        """Return what the head reads, ``[B, T, 256]``, of embeddings ``[B, T, 128]`` and ``[B, T, 512]``."""
        return self.join(*self.cross_attend(audio_embedding, self.refine_faces(face_embedding)))

    def head(self, audio_embedding: Tensor, face_embedding: Tensor) -> Tensor:
        """Return the logits ``[B, T, 2]`` of embeddings ``[B, T, 128]`` and ``[B, T, 512]``; column 1 is *speaking*."""
        logits: Tensor = self.lossAV(self.fuse(audio_embedding, face_embedding))
        return logits

    def heads(self, audio_embedding: Tensor, face_embedding: Tensor) -> TalkNetLogits:
        """Return the logits of all three heads, as training needs them; see `head`."""
        audio, visual = self.cross_attend(audio_embedding, self.refine_faces(face_embedding))
        return TalkNetLogits(self.lossAV(self.join(audio, visual)), self.lossA(audio), self.lossV(visual))

    def forward(self, mfcc: Tensor, faces: Tensor) -> Tensor:
        """Return the logits ``[B, T, 2]`` of MFCC ``[B, 4T, 13]`` and faces ``[B, T, 112, 112]``."""
        return self.head(self.embed_audio(mfcc), self.embed_faces(faces))
