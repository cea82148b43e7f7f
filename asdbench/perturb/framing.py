"""Corruptions of where a crop was cut: a restless detector, and one that misses the middle.

What the shifted crop would show beyond its border is not there any more, so the border is continued.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import msgspec
import numpy as np

from asdbench.perturb.edits import FaceEdit, Lender
from asdbench.perturb.image import (
    OURS,
    WHOLE_CROP,
    Box,
    CorruptionOptions,
    SeededEdit,
    box_size,
    direction,
    framed,
)
from asdbench.perturb.stream import uniform
from asdbench.perturb.targets import Outcome, Perturbation, PlanContext, Planner, Target
from asdbench.types import Float32Array, UInt8Array

JITTER = (0.03, 0.06, 0.10, 0.15, 0.20)
"""Largest shift of a frame to each side, as a share of the face's width and height, by severity."""

SHIFT = (0.08, 0.15, 0.22, 0.30, 0.40)
"""Constant shift, as a share of the face's width and height, by severity."""


def shift_crop(face: UInt8Array, right: float, down: float, box: Box = WHOLE_CROP) -> UInt8Array:
    """Move the face within its crop, by whole pixels; the crop's border is continued.

    Args:
        face: ``[height, width]`` crop.
        right: As a share of the face's width.
        down: As a share of the face's height.
        box: The face within the crop.
    """
    wide, high = box_size(face, box)
    rows, columns = (
        np.clip(np.arange(size) - math.floor(away + 0.5), 0, size - 1)
        for size, away in zip(face.shape, (down * high, right * wide), strict=True)
    )
    shifted: UInt8Array = face[rows][:, columns]
    return shifted


class CropJitterEdit(SeededEdit, frozen=True, kw_only=True, tag="crop_jitter"):
    """Another shift in every frame, uniform in ``-shift`` to ``shift`` in both directions."""

    shift: float

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """See `shift_crop`."""
        ways = (2 * uniform(self.seed, 2 * len(faces)).reshape(-1, 2) - 1) * self.shift
        return [
            shift_crop(face, right, down, box)
            for (right, down), (face, box) in zip(ways.tolist(), framed(faces, boxes), strict=True)
        ]


class OffCentreEdit(FaceEdit, frozen=True, kw_only=True, tag="off_centre"):
    """The same shift in every frame."""

    shift: float
    way: tuple[float, float]

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """See `shift_crop`."""
        right, down = (self.shift * part for part in self.way)
        return [shift_crop(face, right, down, box) for face, box in framed(faces, boxes)]


class ShiftOptions(CorruptionOptions, frozen=True, forbid_unknown_fields=True):
    """``shift`` as a share of the face's width and height; of ``crop_jitter`` the largest."""

    shift: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None


def plan_crop_jitter(context: PlanContext, options: ShiftOptions, me: Perturbation) -> Planner:
    """A restless crop."""
    chooser, shift = context.chooser(me), options.amount(options.shift, JITTER)

    def planner(target: Target) -> Outcome:
        seed = chooser.seed(target.target_id)
        return Outcome((CropJitterEdit(version=me.version, scene=options.scope == "scene", shift=shift, seed=seed),))

    return planner


def plan_off_centre(context: PlanContext, options: ShiftOptions, me: Perturbation) -> Planner:
    """A crop beside the face, in a direction that the hash says."""
    chooser, shift = context.chooser(me), options.amount(options.shift, SHIFT)

    def planner(target: Target) -> Outcome:
        way = direction(chooser.fraction(target.target_id, "direction"))
        return Outcome((OffCentreEdit(version=me.version, scene=options.scope == "scene", shift=shift, way=way),))

    return planner


FRAMING = (
    Perturbation(
        "crop_jitter",
        1,
        "another shift of the crop in every frame",
        "track",
        ShiftOptions,
        plan_crop_jitter,
        source=OURS,
    ),
    Perturbation("off_centre", 1, "a crop beside the face", "track", ShiftOptions, plan_off_centre, source=OURS),
)
"""What this module adds to the catalogue."""
