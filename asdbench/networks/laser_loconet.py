"""LASER on LoCoNet: Nguyen et al., "LASER: Lip Landmark Assisted Speaker Detection for Robustness", 2025.

Official code: https://github.com/plnguyen2908/LASER_ASD (MIT). 34,337,264 parameters: LoCoNet and two 1x1 convolutions
that bring a map of lip landmarks into the visual front end.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from asdbench.networks.loconet import LoCoNet
from asdbench.networks.visual_resnet import EVERY_FRAME
from asdbench.types import LIP_POINTS

_COORDINATES = 2
_CLOSE_TO_ZERO = 1e-8


def landmark_maps(landmarks: Tensor, side: int) -> Tensor:
    """Write lip landmarks into maps, one pair of channels per point.

    The published code has two habits that count: x chooses the *row*, so that the map is the transpose of the face; and
    only a negative coordinate makes a point invalid, one beyond 1 lands on the last cell with its true value.

    Args:
        landmarks: ``[N, 82, 2]``, x and y as shares of the face crop; negative where no point was found.
        side: Of the maps, in cells.

    Returns:
        ``[N, 164, side, side]``: x in channel ``2 p`` and y in ``2 p + 1`` of point p, at its cell; 0 elsewhere.
    """
    maps = landmarks.new_zeros(len(landmarks), LIP_POINTS, _COORDINATES, side, side)
    found = (landmarks >= -_CLOSE_TO_ZERO).all(dim=2)
    cells = (landmarks * side).floor().long().clamp(0, side - 1)
    frame, point = found.nonzero(as_tuple=True)
    maps[frame, point, :, cells[frame, point, 0], cells[frame, point, 1]] = landmarks[frame, point]
    return maps.flatten(1, 2)


class LaserLoCoNet(LoCoNet):
    """LASER on LoCoNet with the state-dict layout of the official checkpoints (276 entries).

    The published configuration: landmarks enter after the 3-D stem, at a quarter of the size of the crop, in one
    channel.
    """

    def __init__(self) -> None:
        super().__init__()
        self.landmark_bottleneck = nn.Conv2d(_COORDINATES * LIP_POINTS, 1, 1)
        self.bottle_neck = nn.Conv2d(64 + 1, 64, 1)

    def embed_landmarks(self, landmarks: Tensor, side: int) -> Tensor:
        """Map landmarks ``[N, 82, 2]`` to one channel ``[N, 1, side, side]``; none found gives the bias, not zero."""
        embedded: Tensor = self.landmark_bottleneck(landmark_maps(landmarks, side))
        return embedded

    def embed_faces(self, faces: Tensor, landmarks: Tensor | None = None, *, wanted: slice = EVERY_FRAME) -> Tensor:
        """Return what the residual trunk makes of each frame and its landmarks.

        Args:
            faces: As for `LoCoNet.embed_faces`.
            landmarks: ``[B, N, 82, 2]``; ``None`` is the published mode without landmarks, in which their channel is
                zero.
            wanted: As for `LoCoNet.embed_faces`.

        Returns:
            ``[B, N, 512]``, of the wanted frames.
        """
        maps = self.model.visualFrontend.stem(faces, wanted)
        channel = torch.zeros_like(maps[:, :, :1])
        if landmarks is not None:
            channel = self.embed_landmarks(landmarks[:, wanted].flatten(0, 1), maps.shape[-1]).view(channel.shape)
        joined = self.bottle_neck(torch.cat((maps, channel), dim=2).flatten(0, 1)).view(maps.shape)
        features: Tensor = self.model.visualFrontend.trunk(joined)
        return features

    def forward(self, log_mel: Tensor, faces: Tensor, landmarks: Tensor | None = None) -> Tensor:
        """Return the logits ``[B, T, 2]``; landmarks ``[B, S, T, 82, 2]``, the rest as for `LoCoNet.forward`."""
        points = None if landmarks is None else landmarks.flatten(1, 2)
        features = self.embed_faces(faces.flatten(1, 2), points)
        return self.head(self.embed_audio(log_mel), features.view(*faces.shape[:3], -1))
