"""Perturbations that take a modality, or a part of it, away (docs/method.md, section 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from asdbench.perturb import audio as sound
from asdbench.perturb.edits import AudioEdit, FaceEdit, Lender
from asdbench.perturb.image import FaceOptions, FaceScope, framed, made_with_cv2
from asdbench.perturb.targets import NoOptions, Outcome, Perturbation, PlanContext, Planner
from asdbench.perturb.visual import LIP_BLUR, LIP_FRACTION, face_mask, lip_blur, lip_mask, upper_mask
from asdbench.types import Float32Array, Int16Array, Media, UInt8Array

Share = Annotated[float, msgspec.Meta(gt=0, le=1)]


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
        return [lip_mask(face, self.fraction, box) for face, box in framed(faces, boxes)]


class UpperMaskEdit(FaceEdit, frozen=True, kw_only=True, tag="upper_mask"):
    """The top ``fraction`` of every face black."""

    fraction: float

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """See ``asdbench.perturb.visual.upper_mask``."""
        return [upper_mask(face, self.fraction, box) for face, box in framed(faces, boxes)]


class FaceMaskEdit(FaceEdit, frozen=True, kw_only=True, tag="face_mask"):
    """Every face black."""

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """See ``asdbench.perturb.visual.face_mask``."""
        return [face_mask(face, box) for face, box in framed(faces, boxes)]


class LipBlurEdit(FaceEdit, frozen=True, kw_only=True, tag="lip_blur"):
    """The bottom ``fraction`` of every face blurred."""

    fraction: float
    strength: float
    made_with: str

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """See ``asdbench.perturb.visual.lip_blur``."""
        return [lip_blur(face, self.fraction, self.strength, box) for face, box in framed(faces, boxes)]


def plan_silence(context: PlanContext, options: NoOptions, me: Perturbation) -> Planner:
    """Zeros over the whole track."""
    return lambda target: Outcome((SilenceEdit(version=me.version),))


class MaskOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Share of the face box that is masked, from its bottom or its top, and whose faces are."""

    fraction: Share = LIP_FRACTION
    scope: FaceScope = "track"


class LipBlurOptions(MaskOptions, frozen=True, forbid_unknown_fields=True):
    """Also the standard deviation of the blur, as a share of the width of the face box."""

    strength: Annotated[float, msgspec.Meta(gt=0, le=1)] = LIP_BLUR


def plan_lip_mask(context: PlanContext, options: MaskOptions, me: Perturbation) -> Planner:
    """The bottom of every face black."""
    edit = LipMaskEdit(version=me.version, fraction=options.fraction, scene=options.scope == "scene")
    return lambda target: Outcome((edit,))


def plan_upper_mask(context: PlanContext, options: MaskOptions, me: Perturbation) -> Planner:
    """The top of every face black."""
    edit = UpperMaskEdit(version=me.version, fraction=options.fraction, scene=options.scope == "scene")
    return lambda target: Outcome((edit,))


def plan_face_mask(context: PlanContext, options: FaceOptions, me: Perturbation) -> Planner:
    """Every face black."""
    edit = FaceMaskEdit(version=me.version, scene=options.scope == "scene")
    return lambda target: Outcome((edit,))


def plan_lip_blur(context: PlanContext, options: LipBlurOptions, me: Perturbation) -> Planner:
    """The bottom of every face blurred."""
    edit = LipBlurEdit(
        version=me.version,
        scene=options.scope == "scene",
        fraction=options.fraction,
        strength=options.strength,
        made_with=made_with_cv2(),
    )
    return lambda target: Outcome((edit,))


ABSENCE = (
    Perturbation("silence", 1, "digital silence over the whole track", "track", NoOptions, plan_silence),
    Perturbation("lip_mask", 1, "the bottom 30 % of the face black", "track", MaskOptions, plan_lip_mask),
    Perturbation("upper_mask", 1, "the top 30 % of the face black (placebo)", "track", MaskOptions, plan_upper_mask),
    Perturbation("face_mask", 1, "the whole face black", "track", FaceOptions, plan_face_mask),
    Perturbation(
        "lip_blur", 1, "the bottom 30 % of the face blurred", "track", LipBlurOptions, plan_lip_blur, exact=False
    ),
)
"""What this module adds to the catalogue."""
