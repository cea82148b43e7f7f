"""Perturbations of when pictures are seen: pictures are held, each as the crop that it was, of its own size.

Nothing is resampled: a held picture that was stretched to the next crop's size would move. Later parts of ``joint``
take the face to be where it is in the crop that was replaced, so masks come first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from asdbench.perturb.edits import FaceEdit, Lender
from asdbench.perturb.image import OURS, CorruptionOptions, FaceOptions
from asdbench.perturb.stream import uniform
from asdbench.perturb.targets import Outcome, Perturbation, PlanContext, Planner, Target
from asdbench.types import Float32Array, UInt8Array

DROPPED = (0.1, 0.2, 0.35, 0.5, 0.7)
"""Share of the frames that are lost, by severity."""

HELD = (2, 3, 5, 8, 12)
"""For how many frames a picture is shown, by severity; at 25 frames per second 12.5 to 2.1 pictures per second."""


class FreezeEdit(FaceEdit, frozen=True, kw_only=True, tag="freeze"):
    """Every crop is the middle one, of frame ``floor(T / 2)``.

    The ends of a track are where faces enter, leave and are cut off, so they say least about a face.
    """

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """Return the middle crop ``T`` times."""
        return [faces[len(faces) // 2]] * len(faces)


class FrameDropEdit(FaceEdit, frozen=True, kw_only=True, tag="frame_drop"):
    """A ``share`` of the frames, never the first, shows the picture before; the same ones of all faces of a scene."""

    share: float
    seed: str

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """Return the crops with lost ones replaced."""
        lost = uniform(self.seed, len(faces)) < self.share
        kept = list(faces[:1])
        for face, gone in zip(faces[1:], lost[1:].tolist(), strict=True):
            kept.append(kept[-1] if gone else face)
        return kept


class FrameRateEdit(FaceEdit, frozen=True, kw_only=True, tag="frame_rate"):
    """Only every ``every``-th picture is shown, until the next one."""

    every: int

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """Return the crops with those between replaced."""
        return [faces[index - index % self.every] for index in range(len(faces))]


class FrameDropOptions(CorruptionOptions, frozen=True, forbid_unknown_fields=True):
    """``share`` of the frames that are lost."""

    share: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None


class FrameRateOptions(CorruptionOptions, frozen=True, forbid_unknown_fields=True):
    """``every`` so many frames the picture changes."""

    every: Annotated[int, msgspec.Meta(ge=2, le=1000)] | None = None


def plan_freeze(context: PlanContext, options: FaceOptions, me: Perturbation) -> Planner:
    """The middle picture throughout."""
    edit = FreezeEdit(version=me.version, scene=options.scope == "scene")
    return lambda target: Outcome((edit,))


def plan_frame_drop(context: PlanContext, options: FrameDropOptions, me: Perturbation) -> Planner:
    """Lost frames."""
    chooser, share = context.chooser(me), options.amount(options.share, DROPPED)

    def planner(target: Target) -> Outcome:
        seed = chooser.seed(target.target_id)
        return Outcome((FrameDropEdit(version=me.version, scene=options.scope == "scene", share=share, seed=seed),))

    return planner


def plan_frame_rate(context: PlanContext, options: FrameRateOptions, me: Perturbation) -> Planner:
    """Fewer pictures per second."""
    every = options.amount(options.every, HELD)
    edit = FrameRateEdit(version=me.version, scene=options.scope == "scene", every=every)
    return lambda target: Outcome((edit,))


FRAMES = (
    Perturbation("freeze", 1, "the track's middle picture throughout", "track", FaceOptions, plan_freeze),
    Perturbation(
        "frame_drop",
        1,
        "random frames show the picture before",
        "track",
        FrameDropOptions,
        plan_frame_drop,
        source=OURS,
    ),
    Perturbation(
        "frame_rate",
        1,
        "every second to twelfth picture, held",
        "track",
        FrameRateOptions,
        plan_frame_rate,
        source=OURS,
    ),
)
"""What this module adds to the catalogue."""
