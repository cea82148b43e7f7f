"""Which conditions curves and distributions are kept of: tests of synchrony, controls, dubbed tracks."""

from __future__ import annotations

from collections.abc import Iterable

from asdbench.perturb.dubbed import DUBBED
from asdbench.types import Condition

MOST_FAMILIES = 6
"""More of them than these nobody tells apart in a figure; nothing else reads them."""

_FIRST = ("mismatch", "misalign", "resplice", "dubbed")


def graded_families(conditions: Iterable[Condition]) -> dict[str, list[Condition]]:
    """Return perturbation to its conditions by proportion: those that everyone knows first, then as in the suite.

    Args:
        conditions: Of the suite.
    """
    found: dict[str, list[Condition]] = {}
    for condition in conditions:
        name = (condition.perturbation or "").partition("@")[0]
        graded = condition.role == "control" or (condition.role == "test" and condition.labels == "negative")
        if name and (graded or name == DUBBED.perturbation):
            found.setdefault(name, []).append(condition)
    names = [*(name for name in _FIRST if name in found), *(name for name in found if name not in _FIRST)]
    return {name: sorted(found[name], key=lambda each: each.proportion) for name in names[:MOST_FAMILIES]}
