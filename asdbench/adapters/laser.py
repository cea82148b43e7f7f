"""LASER on LoCoNet: LoCoNet that is also shown where the lips are.

The landmarks are MediaPipe's, 82 points around the lips. They come from a file (`asdbench.data.landmarks`), named by
the option ``landmarks``; ``landmarks = "none"`` is the published mode without them, which LASER's consistency loss
trains for. Where an edit hides lips, no landmarks are found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from asdbench.adapters.base import AdapterOptions
from asdbench.adapters.loconet import LoCoNetAdapter, LoCoNetOptions
from asdbench.checkpoints.files import sha256_of
from asdbench.errors import DataError, UsageError
from asdbench.networks.laser_loconet import LaserLoCoNet as LaserNetwork
from asdbench.types import LIP_POINTS, ContextFaces, Float32Array, Int16Array, UInt8Array

NO_LANDMARKS = "none"
"""Value of the option for the mode without landmarks."""


class LaserOptions(LoCoNetOptions, frozen=True):
    """What may be chosen about LASER, beside what LoCoNet offers.

    Attributes:
        landmarks: File of lip landmarks, or ``none``.
    """

    landmarks: str = ""


def _hash_of(landmarks: str) -> str:
    if not Path(landmarks).is_file():
        raise DataError(f"{landmarks}: no such file; expected a Parquet table of lip landmarks.")
    return sha256_of(landmarks)


class LaserLoCoNet(LoCoNetAdapter):
    """LASER on LoCoNet, in the published configuration (one landmark channel after the 3-D stem)."""

    name = "laser-loconet"
    version = 1
    architecture = "laser-loconet"
    Options = LaserOptions
    options: LaserOptions
    network: LaserNetwork

    def __init__(self, network: LaserNetwork, device: str = "cpu", options: AdapterOptions | None = None) -> None:
        super().__init__(network, device, options)
        named = self.options.landmarks
        if named not in ("", NO_LANDMARKS):
            self.needs = replace(self.needs, landmarks=named)
            self.fingerprint = _hash_of(named)

    def embed_faces(
        self, faces: Sequence[UInt8Array], context: ContextFaces = (), landmarks: Float32Array | None = None
    ) -> Tensor:
        """Return the features of all three faces; see `LoCoNetAdapter.embed_faces`.

        Args:
            faces: ``T`` crops of the target.
            context: Of at most two neighbours one crop per frame of the target.
            landmarks: ``[1 + neighbours, T, 82, 2]``, x and y as shares of the crop, -1 where no point was found; what
                a frame without a crop says does not matter.

        Raises:
            UsageError: Landmarks without the option for them, or the reverse.
            DataError: As for LoCoNet, or landmarks of another shape.
        """
        pictures = self.pictures(faces, context)
        points = self._points(landmarks, len(faces), len(context))
        return self.features(faces, context, [pictures] if points is None else [pictures, points])

    def score_track(
        self,
        audio: Int16Array,
        faces: Sequence[UInt8Array],
        fps: float,
        context: ContextFaces = (),
        landmarks: Float32Array | None = None,
    ) -> Float32Array:
        """Return ``[num_frames]`` float32 log-odds; arguments as for `embed_faces` and `embed_audio`."""
        return self.score(self.embed_audio(audio, len(faces), fps), self.embed_faces(faces, context, landmarks))

    def _points(self, landmarks: Float32Array | None, frames: int, neighbours: int) -> Tensor | None:
        """Return landmarks ``[1 + speakers T, 82, 2]`` in the order of the pictures, none found in the black one."""
        if (landmarks is None) != (self.options.landmarks == NO_LANDMARKS):
            raise UsageError(
                "LASER reads lip landmarks; name their file with --option landmarks=FILE (docs/models.md), or choose "
                "--option landmarks=none, which takes none."
            )
        if landmarks is None:
            return None
        wanted = (1 + neighbours, frames, LIP_POINTS, 2)
        if landmarks.shape != wanted:
            raise DataError(f"the lip landmarks have the shape {landmarks.shape}; expected {wanted} for this track.")
        points = landmarks.reshape(-1, LIP_POINTS, 2).astype(np.float32)
        return torch.from_numpy(np.concatenate([np.full_like(points[:1], -1), points]))
