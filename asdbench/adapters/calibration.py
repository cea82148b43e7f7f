"""Models without weights whose results are known beforehand: they test the benchmark, not the other way round.

Known values (docs/method.md, section 6), on any data:

==========  ==========================================================================================================
constant    AP is the base rate where ties are handled safely; ``sync_auroc`` and ``sync_winrate`` 0.5.
deaf        Under every condition that changes only audio: scores unchanged, retention 1, ``sync_auroc`` exactly 0.5.
blind       Under every condition that changes only faces: scores unchanged, no drop of any metric.
additive    The sum of deaf and blind: it hears whether somebody speaks and sees whether these lips move, never whether
            the two belong together. A changed voice moves its score exactly as far as it moves blind's.
==========  ==========================================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from asdbench.adapters.base import Adapter, Needs
from asdbench.errors import DataError
from asdbench.types import SAMPLE_RATE, Float32Array, Int16Array, UInt8Array

_SIDE = 32
_MOTION_AT_ZERO = 1.5  # gray levels of mean change at which deaf is undecided
_LEAST_MOTION = 1 / (_SIDE * _SIDE // 2)  # smallest change that the lower half of a 32 x 32 uint8 picture can show
_ENERGY_AT_ZERO = 1000.0**2  # mean square (int16 amplitudes, about -30 dBFS) at which blind is undecided
_LEAST_ENERGY = 1.0


class Constant(Adapter):
    """Scores every frame 0: knows nothing."""

    name = "constant"

    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> Float32Array:
        """Return ``[num_frames]`` zeros."""
        return np.zeros(num_frames, np.float32)

    def embed_faces(self, faces: Sequence[UInt8Array]) -> Float32Array:
        """Return one zero per crop."""
        return np.zeros(len(faces), np.float32)

    def score(self, audio_embedding: Float32Array, face_embedding: Float32Array) -> Float32Array:
        """Return ``[num_frames]`` zeros."""
        return audio_embedding + face_embedding


class Deaf(Adapter):
    """Scores how much the lower half of the face changes from frame to frame; ignores the audio completely.

    ``log(motion / 1.5)``, where motion is the mean absolute change in gray levels since the frame before, after a
    resize to 32 x 32. The first frame has none before it and takes the change to the second.
    """

    name = "deaf"
    needs = Needs(crop_size=_SIDE, halo=1)

    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> Float32Array:
        """Return ``[num_frames]`` zeros."""
        return np.zeros(num_frames, np.float32)

    def embed_faces(self, faces: Sequence[UInt8Array]) -> Float32Array:
        """Return ``[num_frames]`` log-odds."""
        return _lip_motion(faces)

    def score(self, audio_embedding: Float32Array, face_embedding: Float32Array) -> Float32Array:
        """Return the face embedding."""
        return face_embedding


class Blind(Adapter):
    """Scores how loud a frame's own audio is; ignores the face completely.

    ``log(mean square / 1000 ** 2)`` over the samples between a frame's time and the next one's. Frames without a
    sample of their own (usually the last) repeat the last frame that has one.
    """

    name = "blind"

    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> Float32Array:
        """Return ``[num_frames]`` log-odds."""
        return _loudness(audio, num_frames, fps)

    def embed_faces(self, faces: Sequence[UInt8Array]) -> Float32Array:
        """Return one zero per crop."""
        return np.zeros(len(faces), np.float32)

    def score(self, audio_embedding: Float32Array, face_embedding: Float32Array) -> Float32Array:
        """Return the audio embedding."""
        return audio_embedding


class Additive(Adapter):
    """Adds up *deaf* and *blind*: somebody speaks, and these lips move."""

    name = "additive"
    needs = Deaf.needs

    def embed_audio(self, audio: Int16Array, num_frames: int, fps: float) -> Float32Array:
        """Return ``[num_frames]`` log-odds of *blind*."""
        return _loudness(audio, num_frames, fps)

    def embed_faces(self, faces: Sequence[UInt8Array]) -> Float32Array:
        """Return ``[num_frames]`` log-odds of *deaf*."""
        return _lip_motion(faces)

    def score(self, audio_embedding: Float32Array, face_embedding: Float32Array) -> Float32Array:
        """Return the sum of both."""
        return audio_embedding + face_embedding


def _lip_motion(faces: Sequence[UInt8Array]) -> Float32Array:
    lower = [cv2.resize(face, (_SIDE, _SIDE))[_SIDE // 2 :].astype(np.int16) for face in faces]
    changes = [float(np.abs(now - before).mean()) for before, now in pairwise(lower)]
    motion = np.array([*changes[:1], *changes] or [0.0] * len(faces))
    return _log_ratio(motion, _LEAST_MOTION, _MOTION_AT_ZERO)


def _loudness(audio: Int16Array, num_frames: int, fps: float) -> Float32Array:
    if not len(audio):
        raise DataError("a track without a single audio sample cannot be scored; check its wav.")
    edges = np.rint(np.arange(num_frames + 1) * SAMPLE_RATE / fps).astype(np.int64)
    heard = min(int(np.searchsorted(edges, len(audio))), num_frames)  # frames that start before the audio ends
    squares = audio[: edges[heard]].astype(np.float64) ** 2
    energy = np.array([squares[start:stop].mean() for start, stop in pairwise(edges[: heard + 1])])
    return _log_ratio(np.pad(energy, (0, num_frames - heard), mode="edge"), _LEAST_ENERGY, _ENERGY_AT_ZERO)


def _log_ratio(values: NDArray[np.float64], least: float, undecided: float) -> Float32Array:
    return np.log(np.maximum(values, least) / undecided).astype(np.float32)
