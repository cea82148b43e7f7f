"""What the demo's training asks of a whole network and a whole track."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from asdbench.networks.light_asd import LightASD
from asdbench.training.objectives.light_asd_forward import embed_faces
from asdbench.types import UInt8Array

_CHUNK, _HALO = 64, 6  # frames


def norms(network: nn.Module) -> Iterator[nn.BatchNorm2d | nn.BatchNorm3d]:
    """Yield every batch normalisation of a network."""
    return (module for module in network.modules() if isinstance(module, (nn.BatchNorm2d, nn.BatchNorm3d)))


def embed_whole(network: LightASD, faces: UInt8Array) -> Tensor:
    """Embed the faces of a track ``[T, side, side]`` to ``[T, 128]``, a chunk at a time, with its neighbours."""
    parts = []
    for start in range(0, len(faces), _CHUNK):
        before = min(_HALO, start)
        seen = torch.from_numpy(faces[start - before : start + _CHUNK + _HALO])[None].float()
        parts.append(embed_faces(network, seen)[0, before : before + _CHUNK])
    return torch.cat(parts)
