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

HEARD_PER_TRACK = 10
"""How many tracks the cue check hears for each that the audit measures; it needs many to learn from few sources."""
MOST_HEARD = 500


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
    plan: Plan, tracks: Sequence[Track], everything: Sequence[Track], sample: int, seed: int, hear: int | None = None
) -> Audited:
    """Measure what a plan does, and what of it sound alone gives away.

    Args:
        plan: The resolved suite.
        tracks: The tracks to measure, a sample of which is taken.
        everything: All tracks of the data set, among them the donors.
        sample: How many tracks to measure per condition.
        seed: The suite's seed.
        hear: How many tracks per set the cue check hears.
    """
    lender = TrackLender(everything)
    heard = min(HEARD_PER_TRACK * sample, MOST_HEARD) if hear is None else hear
    return Audited(sample, audit(plan, tracks, lender, sample, seed), cue_check(plan, tracks, lender, heard, seed))
