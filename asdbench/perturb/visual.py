"""Perturbations of faces: pure functions from gray uint8 crops to crops of the same size (docs/method.md, 4)."""

from __future__ import annotations

import math

from asdbench.errors import UsageError
from asdbench.types import UInt8Array

LIP_FRACTION = 0.3
"""Share of the annotated face box, from the bottom, that hides the lips."""

WHOLE_CROP = (0.0, 0.0, 1.0, 1.0)


def lip_mask(
    face: UInt8Array, fraction: float = LIP_FRACTION, box: tuple[float, float, float, float] = WHOLE_CROP
) -> UInt8Array:
    """Black out the bottom of the face, lips and chin.

    Args:
        face: ``[height, width]`` crop, masked before the adapter's normalisation.
        fraction: Share of the face box that is masked, in (0, 1].
        box: The annotated face box within the crop as (left, top, right, bottom), each relative to the crop in
            [0, 1]; the whole crop in AVA-style extraction.

    Raises:
        UsageError: ``fraction`` or ``box`` is out of range.
    """
    left, top, right, bottom = box
    if not (0 < fraction <= 1 and 0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise UsageError(f"a fraction of {fraction} of the box {box}: expected (0, 1] of a box within (0, 0, 1, 1).")
    height, width = face.shape
    masked = face.copy()
    rows = _touched(height, bottom - fraction * (bottom - top), bottom)
    masked[rows, _touched(width, left, right)] = 0
    return masked


def _touched(size: int, start: float, stop: float) -> slice:
    """Return the pixels that a relative range touches, so that no sliver of a lip stays."""
    return slice(math.floor(size * start + 1e-6), math.ceil(size * stop - 1e-6))
