"""Several perturbations at once, such as noise on the sound and blur on the faces."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from asdbench.errors import UsageError
from asdbench.perturb.edits import split_media
from asdbench.perturb.targets import Outcome, Perturbation, PlanContext, Planner, Target


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One perturbation of a joint one, with its options."""

    perturbation: str
    options: dict[str, Any] = {}


class JointOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The parts, those of faces applied in this order; at most one may change the sound.

    What holds or replaces whole crops (``freeze``, ``frame_drop``, ``frame_rate``, ``replace_faces``) comes after parts
    that look for the face in the crop where the data set says that it is.
    """

    parts: Annotated[tuple[Part, ...], msgspec.Meta(min_length=2)]


def plan_joint(context: PlanContext, options: JointOptions, me: Perturbation) -> Planner:
    """Every part on the whole track; ineligible where one of them is."""
    # Here, since the catalogue lists this module's perturbation too.
    from asdbench.perturb.catalogue import find_perturbation, read_options, scope_of

    planners = []
    for part in options.parts:
        found = find_perturbation(part.perturbation)
        chosen = read_options(found, part.options)
        if found.name == me.name or found.targets is not None or scope_of(found, chosen) != "track":
            raise UsageError(f"{part.perturbation!r} cannot be a part of {me.name!r}: it does not change whole tracks.")
        planners.append(found.plan(context, chosen, found))

    def planner(target: Target) -> Outcome:
        outcomes = [each(target) for each in planners]
        reason = next((outcome.reason for outcome in outcomes if outcome.reason is not None), None)
        if reason is not None:
            return Outcome(reason=reason)
        heard = [outcome for outcome in outcomes if split_media(outcome.edits)[0]]
        if len(heard) > 1:
            names = [part.perturbation for part, each in zip(options.parts, outcomes, strict=True) if each in heard]
            raise UsageError(f"the parts {names} of {me.name!r} all change the sound, and each would undo the others.")
        edits = tuple(edit for outcome in outcomes for edit in outcome.edits)
        return Outcome(edits, None, heard[0].ignored, heard[0].shift_ms) if heard else Outcome(edits)

    return planner


JOINT = (Perturbation("joint", 1, "several perturbations of whole tracks at once", "track", JointOptions, plan_joint),)
"""What this module adds to the catalogue."""
