"""Perturbations: what is changed (``plan``) and how (small pure functions, each usable alone)."""

from __future__ import annotations

from asdbench.perturb.audio import misalign, mismatch, resplice, silence
from asdbench.perturb.catalogue import PERTURBATIONS
from asdbench.perturb.plan import Plan, plan
from asdbench.perturb.visual import lip_mask

__all__ = ["PERTURBATIONS", "Plan", "lip_mask", "misalign", "mismatch", "plan", "resplice", "silence"]
