"""Another track's faces in place of the own: what a model does with sound alone (docs/method.md, section 7)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import msgspec

from asdbench.perturb.donors import Candidate, DonorDraws
from asdbench.perturb.edits import FaceEdit, Lender
from asdbench.perturb.targets import NO_DONOR, Outcome, Perturbation, PlanContext, Planner, Target
from asdbench.types import Float32Array, Track, TrackKey, UInt8Array


class FaceDonor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Frames of another track, from ``first`` on, for ``frames`` frames of the changed track.

    ``step`` is the donor's frame rate over that of the changed track, so that its faces move at their own pace.
    """

    video_id: str
    entity_id: str
    first: int
    frames: int
    step: float = 1.0

    @property
    def start(self) -> int:
        """Where the donor is used, for the count of uses."""
        return self.first

    def crops(self, lender: Lender) -> list[UInt8Array]:
        """Return the crops, ``frames`` of them."""
        faces = lender.faces(TrackKey(self.video_id, self.entity_id))
        # The last crop again, should rounding of the rates lead beyond it.
        return [faces[min(self.first + int(index * self.step), len(faces) - 1)] for index in range(self.frames)]


class ReplaceFacesEdit(FaceEdit, frozen=True, kw_only=True, tag="replace_faces"):
    """The donors' crops one after the other, each of its own size."""

    donors: tuple[FaceDonor, ...]

    def apply(self, faces: Sequence[UInt8Array], boxes: Float32Array, lender: Lender) -> Sequence[UInt8Array]:
        """Return the donors' crops."""
        return [face for donor in self.donors for face in donor.crops(lender)][: len(faces)]


class ReplaceFacesOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Each ``draw`` chooses other donors; averages over draws are less a matter of chance."""

    draw: Annotated[int, msgspec.Meta(ge=1)] = 1


def plan_replace_faces(context: PlanContext, options: ReplaceFacesOptions, me: Perturbation) -> Planner:
    """Faces of a random track of another source (and, where known, of another person), from a random frame on."""
    candidates = [Candidate(track, "|".join(track.key), 0, len(track)) for track in context.tracks]
    chooser = context.chooser(me)
    draws = DonorDraws(candidates, chooser)

    def planner(target: Target) -> Outcome:
        purpose = f"draw {options.draw}"
        donors: list[FaceDonor] = []
        missing = len(target.track)
        for candidate in draws.drawn(target.target_id, target.track, purpose):
            fraction = 0.0 if donors else chooser.fraction(target.target_id, f"{purpose} window")
            donors.append(_donor(candidate.track, target.track, missing, fraction))
            missing -= donors[-1].frames
            if not missing:
                return Outcome((ReplaceFacesEdit(version=me.version, donors=tuple(donors)),))
        return Outcome(reason=NO_DONOR)

    return planner


def _donor(lends: Track, track: Track, wanted: int, fraction: float) -> FaceDonor:
    """Return as many of the wanted frames as a track can lend, from a frame that the fraction says."""
    step = round(lends.fps / track.fps, 6)
    frames = min(wanted, math.ceil(len(lends) / step - 1e-6))
    room = len(lends) - 1 - int((frames - 1) * step)
    return FaceDonor(lends.video_id, lends.entity_id, int(fraction * (room + 1)), frames, step)


REPLACEMENT_FACES = (
    Perturbation(
        "replace_faces", 1, "the faces of a track of another source", "track", ReplaceFacesOptions, plan_replace_faces
    ),
)
"""What this module adds to the catalogue."""
