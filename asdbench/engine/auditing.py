"""Audit and cue check of a plan on the media of a data set: first in a run, alone in ``asdbench perturb audit``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asdbench.engine.lender import TrackLender
from asdbench.perturb.audit import Audit, audit
from asdbench.perturb.cue import FLAG, Cue, cue_check
from asdbench.perturb.plan import Plan
from asdbench.types import Track

MOST_HEARD = 500
"""How many tracks per set the cue check hears where time does not matter."""

_HEARD_IN_A_RUN = 40
_HEARD_IN_ALL = 300


@dataclass(frozen=True)
class Audited:
    """What was measured of a plan.

    Attributes:
        sample: How many tracks per condition were asked for.
        audit: The checks.
        cues: What sound alone gives away, per set of conditions with the same sound.
    """

    sample: int
    audit: Audit
    cues: tuple[Cue, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return what ``audit.json`` holds."""
        cues = [cue.to_dict() for cue in self.cues]
        return {"sample": self.sample, **self.audit.to_dict(), "cue_limit": FLAG, "cues": cues}

    def summary(self) -> dict[str, Any]:
        """Return what ``run.json`` holds."""
        flagged = [name for cue in self.cues if cue.flagged for name in cue.conditions]
        return {
            "sample": self.sample,
            "tracks": self.audit.tracks,
            "checks": len(self.audit.rows),
            "failed": len(self.audit.failed),
            "cue_flagged": flagged,
        }


def audit_plan(
    plan: Plan, tracks: Sequence[Track], everything: Sequence[Track], sample: int, seed: int, *, thorough: bool = False
) -> Audited:
    """Measure what a plan does, and what of it sound alone gives away.

    Args:
        plan: The resolved suite.
        tracks: The tracks to measure, a sample of which is taken.
        everything: All tracks of the data set, among them the donors.
        sample: How many tracks to measure per condition.
        seed: The suite's seed.
        thorough: Whether the cue check hears `MOST_HEARD` tracks per set, or only as many as a run has time for.
    """
    lender = TrackLender(everything)
    measured = audit(plan, tracks, lender, sample, seed)
    heard = (MOST_HEARD, None) if thorough else (_HEARD_IN_A_RUN, _HEARD_IN_ALL)
    return Audited(sample, measured, cue_check(plan, tracks, lender, heard[0], seed, heard[1], everything))
