"""Masks of faces: pure functions from gray uint8 crops to crops of the same size (docs/method.md, section 4)."""

from __future__ import annotations

import math

from asdbench.errors import UsageError
from asdbench.perturb.image import WHOLE_CROP, Box, as_face, box_size, coarsely
from asdbench.types import UInt8Array

LIP_FRACTION = 0.3
"""Share of the annotated face box, from the bottom, that hides the lips."""

LIP_BLUR = 0.1
"""Standard deviation of the blur over the lips, as a share of the face's width."""


def lip_mask(face: UInt8Array, fraction: float = LIP_FRACTION, box: Box = WHOLE_CROP) -> UInt8Array:
    """Black out the bottom of the face, lips and chin.

    Args:
        face: ``[height, width]`` crop, masked before the adapter's normalisation.
        fraction: Share of the face box that is masked, in (0, 1].
        box: The annotated face box within the crop as (left, top, right, bottom), each relative to the crop; the
            whole crop in AVA-style extraction. It may be larger than the crop, which then shows a part of the face.

    Raises:
        UsageError: ``fraction`` or ``box`` is out of range.
    """
    _check(fraction, box)
    masked = face.copy()
    masked[_bottom(face, fraction, box)] = 0
    return masked


def upper_mask(face: UInt8Array, fraction: float = LIP_FRACTION, box: Box = WHOLE_CROP) -> UInt8Array:
    """Black out the top of the face, brow and hair: as much as `lip_mask` hides, but no lips (a placebo).

    Args:
        face: As for `lip_mask`.
        fraction: As for `lip_mask`.
        box: As for `lip_mask`.

    Raises:
        UsageError: ``fraction`` or ``box`` is out of range.
    """
    _check(fraction, box)
    height, width = face.shape
    left, top, right, bottom = box
    masked = face.copy()
    masked[_touched(height, top, top + fraction * (bottom - top)), _touched(width, left, right)] = 0
    return masked


def face_mask(face: UInt8Array, box: Box = WHOLE_CROP) -> UInt8Array:
    """Black out the whole face box.

    Raises:
        UsageError: ``box`` is out of range.
    """
    return lip_mask(face, 1.0, box)


def lip_blur(
    face: UInt8Array, fraction: float = LIP_FRACTION, strength: float = LIP_BLUR, box: Box = WHOLE_CROP
) -> UInt8Array:
    """Blur the bottom of the face, lips and chin, so that a mouth remains whose shape cannot be read.

    Args:
        face: ``[height, width]`` crop.
        fraction: Share of the face box that is blurred, in (0, 1].
        strength: Standard deviation of the Gaussian as a share of the width of the face box.
        box: As for `lip_mask`.

    Raises:
        UsageError: ``fraction`` or ``box`` is out of range.
    """
    _check(fraction, box)
    rows, columns = _bottom(face, fraction, box)
    blurred = face.copy()
    blurred[rows, columns] = coarsely(face, strength * box_size(face, box)[0], _gaussian)[rows, columns]
    return blurred


def _gaussian(face: UInt8Array, sigma: float) -> UInt8Array:
    import cv2

    return as_face(cv2.GaussianBlur(face, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE))


def _check(fraction: float, box: Box) -> None:
    left, top, right, bottom = box
    if not (0 < fraction <= 1 and left < right and top < bottom and all(map(math.isfinite, box))):
        raise UsageError(f"a fraction of {fraction} of the box {box}: expected (0, 1] of left, top, right, bottom.")


def _bottom(face: UInt8Array, fraction: float, box: Box) -> tuple[slice, slice]:
    height, width = face.shape
    left, top, right, bottom = box
    return _touched(height, bottom - fraction * (bottom - top), bottom), _touched(width, left, right)


def _touched(size: int, start: float, stop: float) -> slice:
    """Return the pixels that a relative range touches, so that no sliver of a lip stays."""
    # What lies outside the crop is not there to be touched; a negative bound would count from the other end.
    return slice(max(math.floor(size * start + 1e-6), 0), max(math.ceil(size * stop - 1e-6), 0))
