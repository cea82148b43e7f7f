"""Corruptions by blur: of motion, and of a lens out of focus."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated

import msgspec
import numpy as np

from asdbench.perturb.edits import FaceEdit, Lender
from asdbench.perturb.image import (
    IMAGENET_C,
    WHOLE_CROP,
    Box,
    CorruptionOptions,
    as_face,
    coarsely,
    direction,
    face_size,
    framed,
    made_with_cv2,
)
from asdbench.perturb.targets import Outcome, Perturbation, PlanContext, Planner, Target
from asdbench.types import Float32Array, UInt8Array

LENGTH = (0.04, 0.08, 0.13, 0.20, 0.30)
"""How far the face moves while a picture is taken, as a share of its size, by severity."""

RADIUS = (0.015, 0.03, 0.05, 0.075, 0.10)
"""Radius of the disc that a point becomes, as a share of the face's size, by severity."""

_MOST_STEPS = 24


def motion_blur(
    face: UInt8Array, length: float, way: tuple[float, float] = (1.0, 0.0), box: Box = WHOLE_CROP
) -> UInt8Array:
    """Average copies of the crop along a straight way; its border is continued outwards.

    Args:
        face: ``[height, width]`` crop.
        length: Of the way, as a share of the face's size.
        way: Direction (right, down) of length 1.
        box: The face within the crop.
    """
    pixels = length * face_size(face, box)
    steps = min(math.ceil(pixels) + 1, _MOST_STEPS)
    if steps < 2:
        return face.copy()
    reach = math.ceil(pixels / 2)
    height, width = face.shape
    rows, columns = (np.clip(np.arange(-reach, size + reach), 0, size - 1) for size in (height, width))
    wide = face[rows][:, columns].astype(np.uint16)
    total = np.zeros((height, width), dtype=np.uint16)
    for step in range(steps):
        away = pixels * (step / (steps - 1) - 0.5)
        x, y = (math.floor(away * part + 0.5) + reach for part in way)
        total += wide[y : y + height, x : x + width]
    result: UInt8Array = ((total + steps // 2) // steps).astype(np.uint8)
    return result


def defocus(face: UInt8Array, radius: float, box: Box = WHOLE_CROP) -> UInt8Array:
    """Average over a disc around each pixel.

    Args:
        face: ``[height, width]`` crop.
        radius: Of the disc, as a share of the face's size.
        box: The face within the crop.
    """
    return coarsely(face, radius * face_size(face, box), _disc_filter)


def _disc_filter(face: UInt8Array, radius: float) -> UInt8Array:
    import cv2

    return as_face(cv2.filter2D(face, -1, _disc(round(radius, 2)), borderType=cv2.BORDER_REPLICATE))


@lru_cache(64)
def _disc(radius: float) -> Float32Array:
    """Return a disc of sum 1 whose rim is as soft as a pixel, so that its size changes without steps."""
    reach = math.ceil(radius)
    square = np.arange(-reach, reach + 1.0) ** 2
    disc = np.clip(radius + 0.5 - np.sqrt(square[:, None] + square), 0, 1)
    result: Float32Array = (disc / disc.sum()).astype(np.float32)
    return result


class MotionBlurEdit(FaceEdit, frozen=True, kw_only=True, tag="motion_blur"):
    """Blur of one direction throughout the track."""

    length: float
    way: tuple[float, float]

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """See `motion_blur`."""
        return [motion_blur(face, self.length, self.way, box) for face, box in framed(faces, boxes)]


class DefocusEdit(FaceEdit, frozen=True, kw_only=True, tag="defocus"):
    """Blur by a disc."""

    radius: float
    made_with: str

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """See `defocus`."""
        return [defocus(face, self.radius, box) for face, box in framed(faces, boxes)]


class MotionBlurOptions(CorruptionOptions, frozen=True, forbid_unknown_fields=True):
    """``length`` of the way as a share of the face's size."""

    length: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None


class DefocusOptions(CorruptionOptions, frozen=True, forbid_unknown_fields=True):
    """``radius`` of the disc as a share of the face's size."""

    radius: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None


def plan_motion_blur(context: PlanContext, options: MotionBlurOptions, me: Perturbation) -> Planner:
    """Blur in a direction that the hash says."""
    chooser, length = context.chooser(me), options.amount(options.length, LENGTH)

    def planner(target: Target) -> Outcome:
        way = direction(chooser.fraction(target.target_id, "direction"))
        return Outcome((MotionBlurEdit(version=me.version, scene=options.scope == "scene", length=length, way=way),))

    return planner


def plan_defocus(context: PlanContext, options: DefocusOptions, me: Perturbation) -> Planner:
    """Out of focus."""
    edit = DefocusEdit(
        version=me.version,
        scene=options.scope == "scene",
        radius=options.amount(options.radius, RADIUS),
        made_with=made_with_cv2(),
    )
    return lambda target: Outcome((edit,))


BLUR = (
    Perturbation(
        "motion_blur",
        1,
        "blur in one direction, as of a moving camera",
        "track",
        MotionBlurOptions,
        plan_motion_blur,
        source=IMAGENET_C,
    ),
    Perturbation(
        "defocus",
        1,
        "blur of a lens out of focus",
        "track",
        DefocusOptions,
        plan_defocus,
        source=IMAGENET_C,
        exact=False,
    ),
)
"""What this module adds to the catalogue."""
