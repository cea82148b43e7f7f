"""Corruptions of detail: a face far from the camera, and one made of squares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from asdbench.perturb.edits import FaceEdit, Lender
from asdbench.perturb.image import (
    IMAGENET_C,
    OURS,
    WHOLE_CROP,
    Box,
    CorruptionOptions,
    as_face,
    box_size,
    framed,
    made_with_cv2,
)
from asdbench.perturb.targets import Outcome, Perturbation, PlanContext, Planner
from asdbench.types import Float32Array, UInt8Array

PIXELS = (48.0, 32.0, 20.0, 14.0, 10.0)
"""Pixels that are left of the face's width, by severity."""

BLOCKS = (32.0, 24.0, 18.0, 13.0, 10.0)
"""Squares across the face, by severity."""


def low_resolution(face: UInt8Array, pixels: float, box: Box = WHOLE_CROP) -> UInt8Array:
    """Shrink a crop until its face is so many pixels wide (areas averaged) and enlarge it again (bilinear).

    A face that is no wider than that stays as it is.

    Args:
        face: ``[height, width]`` crop.
        pixels: Of the face's width that are left.
        box: The face within the crop.
    """
    import cv2

    height, width = _shrunk(face, pixels, box)
    if (height, width) == face.shape:
        return face.copy()
    small = cv2.resize(face, (width, height), interpolation=cv2.INTER_AREA)
    return as_face(cv2.resize(small, face.shape[::-1], interpolation=cv2.INTER_LINEAR))


def pixelate(face: UInt8Array, blocks: float, box: Box = WHOLE_CROP) -> UInt8Array:
    """Give all pixels of a block the block's mean.

    A face that is no wider than its number of blocks stays as it is.

    Args:
        face: ``[height, width]`` crop.
        blocks: Across the width of the face.
        box: The face within the crop.
    """
    rows, columns = (_starts(*sizes) for sizes in zip(face.shape, _shrunk(face, blocks, box), strict=True))
    sums = np.add.reduceat(np.add.reduceat(face, rows, axis=0, dtype=np.int64), columns, axis=1)
    high, wide = np.diff(rows, append=face.shape[0]), np.diff(columns, append=face.shape[1])
    areas = high[:, None] * wide
    means = ((2 * sums + areas) // (2 * areas)).astype(np.uint8)
    return np.repeat(np.repeat(means, high, axis=0), wide, axis=1)


def _shrunk(face: UInt8Array, pixels: float, box: Box) -> tuple[int, int]:
    """Return height and width of a crop whose face is at most so many pixels wide."""
    scale = min(pixels / box_size(face, box)[0], 1.0)
    height, width = (max(int(size * scale + 0.5), 1) for size in face.shape)
    return height, width


def _starts(size: int, blocks: int) -> NDArray[np.int64]:
    return np.arange(blocks, dtype=np.int64) * size // blocks


class LowResolutionEdit(FaceEdit, frozen=True, kw_only=True, tag="low_resolution"):
    """Every face as wide as ``pixels``, and enlarged again."""

    pixels: float
    made_with: str

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """See `low_resolution`."""
        return [low_resolution(face, self.pixels, box) for face, box in framed(faces, boxes)]


class PixelateEdit(FaceEdit, frozen=True, kw_only=True, tag="pixelate"):
    """Every face as wide as ``blocks``."""

    blocks: float

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """See `pixelate`."""
        return [pixelate(face, self.blocks, box) for face, box in framed(faces, boxes)]


class LowResolutionOptions(CorruptionOptions, frozen=True, forbid_unknown_fields=True):
    """``pixels`` that are left of the face's width."""

    pixels: Annotated[float, msgspec.Meta(ge=1, le=10_000)] | None = None


class PixelateOptions(CorruptionOptions, frozen=True, forbid_unknown_fields=True):
    """``blocks`` across the width of the face."""

    blocks: Annotated[float, msgspec.Meta(ge=1, le=10_000)] | None = None


def plan_low_resolution(context: PlanContext, options: LowResolutionOptions, me: Perturbation) -> Planner:
    """Few pixels per face."""
    edit = LowResolutionEdit(
        version=me.version,
        scene=options.scope == "scene",
        pixels=options.amount(options.pixels, PIXELS),
        made_with=made_with_cv2(),
    )
    return lambda target: Outcome((edit,))


def plan_pixelate(context: PlanContext, options: PixelateOptions, me: Perturbation) -> Planner:
    """Few blocks per face."""
    blocks = options.amount(options.blocks, BLOCKS)
    edit = PixelateEdit(version=me.version, scene=options.scope == "scene", blocks=blocks)
    return lambda target: Outcome((edit,))


RESOLUTION = (
    Perturbation(
        "low_resolution",
        1,
        "a face of 48 to 10 pixels",
        "track",
        LowResolutionOptions,
        plan_low_resolution,
        source=OURS,
        exact=False,
    ),
    Perturbation(
        "pixelate", 1, "a face of 32 to 10 squares", "track", PixelateOptions, plan_pixelate, source=IMAGENET_C
    ),
)
"""What this module adds to the catalogue."""
