"""Perturbations that take a modality, or a part of it, away (docs/method.md, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from asdbench.perturb import audio as sound
from asdbench.perturb.edits import AudioEdit, FaceEdit, Lender
from asdbench.perturb.targets import NoOptions, Outcome, Perturbation, PlanContext, Planner
from asdbench.perturb.visual import LIP_FRACTION, lip_mask
from asdbench.types import Float32Array, Int16Array, Media, UInt8Array

FaceScope = Literal["track", "scene"]
"""Whether the target's faces alone are changed, or also those that are seen beside it."""


class SilenceEdit(AudioEdit, frozen=True, kw_only=True, tag="silence"):
    """Zeros."""

    def apply(self, original: Int16Array, media: Media, lender: Lender) -> Int16Array:
        """See ``asdbench.perturb.silence``."""
        return sound.silence(original)


class LipMaskEdit(FaceEdit, frozen=True, kw_only=True, tag="lip_mask"):
    """The bottom ``fraction`` of every face black."""

    fraction: float

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """See ``asdbench.perturb.lip_mask``."""
        within = [tuple(box) for box in boxes.tolist()]
        return [lip_mask(face, self.fraction, box) for face, box in zip(faces, within, strict=True)]


def plan_silence(context: PlanContext, options: NoOptions, me: Perturbation) -> Planner:
    """Zeros over the whole track."""
    return lambda target: Outcome((SilenceEdit(version=me.version),))


class LipMaskOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Share of the face box that is masked, from the bottom, and whose faces are."""

    fraction: Annotated[float, msgspec.Meta(gt=0, le=1)] = LIP_FRACTION
    scope: FaceScope = "track"


def plan_lip_mask(context: PlanContext, options: LipMaskOptions, me: Perturbation) -> Planner:
    """The bottom of every face black."""
    edit = LipMaskEdit(version=me.version, fraction=options.fraction, scene=options.scope == "scene")
    return lambda target: Outcome((edit,))


ABSENCE = (
    Perturbation("silence", 1, "digital silence over the whole track", "track", NoOptions, plan_silence),
    Perturbation("lip_mask", 1, "the bottom 30 % of the face black", "track", LipMaskOptions, plan_lip_mask),
)
"""What this module adds to the catalogue."""
