"""How much the mouth of a face moves from frame to frame, beyond what the whole face does.

Each crop is resized to 64 x 64, and its gray values are made independent of brightness and contrast. Two neighbouring
crops are laid over each other by the shift of the upper face (phase correlation), so that a box which jitters or a head
which moves does not pass for speech; what still differs in the mouth, less half of what differs around nose and cheeks
(turning, blur, noise of the codec), is the motion.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from asdbench.adapters.torch_adapter import resized_crops
from asdbench.types import Float32Array, UInt8Array

SIDE = 64
"""Side in pixels at which motion is measured."""

HALO = 1
"""Frames on each side that the motion of a frame depends on."""

_LEAST_CONTRAST = 4.0  # gray levels; what varies less is noise, and is not blown up to look like a face
_FARTHEST = 4.0  # pixels; a larger shift between two frames is a failed match, or a cut
_NOSE_WEIGHT = 0.5

_Region = tuple[slice, slice]


def _region(top: float, bottom: float, left: float, right: float) -> _Region:
    return slice(round(top * SIDE), round(bottom * SIDE)), slice(round(left * SIDE), round(right * SIDE))


# Of a face box as detectors give it, forehead to chin.
_FACE = _region(0.10, 0.95, 0.15, 0.85)
_UPPER = _region(0.10, 0.60, 0.125, 0.875)  # 32 x 48: where OpenCV pads to another size, still pictures seem to move
_NOSE = _region(0.35, 0.60, 0.20, 0.80)
_MOUTH = _region(0.60, 0.95, 0.25, 0.75)


def lip_motion(faces: Sequence[UInt8Array]) -> Float32Array:
    """Return the lip motion of each frame: the mean of the change since the frame before and of that to the next one.

    Args:
        faces: ``T`` gray crops ``[height, width]``, uint8, of any size.

    Returns:
        ``[T]`` float32, in units of the face's own contrast: about 0.03 at rest and 0.09 in speech, below 0 where the
        mouth moves less than the nose; 0 for a track of one frame.

    Raises:
        DataError: A crop is no gray uint8 picture.
    """
    # Averaged, not sampled, so that a large crop does not flicker where a small one is smooth.
    pictures = [_normalised(crop) for crop in resized_crops(faces, SIDE, cv2.INTER_AREA)]
    changes = [_change(before, now) for before, now in pairwise(pictures)]
    if not changes:
        return np.zeros(len(faces), np.float32)
    since, until = np.array([changes[0], *changes]), np.array([*changes, changes[-1]])
    motion: Float32Array = ((since + until) / 2).astype(np.float32)
    return motion


def _normalised(crop: UInt8Array) -> Float32Array:
    picture = crop.astype(np.float32)
    face = picture[_FACE]
    normalised: Float32Array = (picture - face.mean()) / max(float(face.std()), _LEAST_CONTRAST)
    return normalised


def _change(before: Float32Array, now: Float32Array) -> float:
    x, y = _shift(before[_UPPER], now[_UPPER])
    back = np.array([[1, 0, -x], [0, 1, -y]], np.float32)
    aligned = cv2.warpAffine(now, back, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    difference: NDArray[np.float32] = np.abs(before - aligned)
    return float(difference[_MOUTH].mean()) - _NOSE_WEIGHT * float(difference[_NOSE].mean())


def _shift(before: Float32Array, now: Float32Array) -> tuple[float, float]:
    """Return by how many pixels (x, y) the second picture is shifted; (0, 0) where that cannot be told."""
    height, width = before.shape
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(np.ascontiguousarray(before), np.ascontiguousarray(now), window)
    # Pictures without any structure are told to be half a picture apart.
    return (x, y) if max(abs(x), abs(y)) <= _FARTHEST else (0.0, 0.0)
