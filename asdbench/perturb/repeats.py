"""The same suite under other plans, so that what a figure owes to one choice of runs and donors can be seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b

from asdbench.perturb.edits import digest
from asdbench.perturb.plan import ConditionPlan, Plan, plan
from asdbench.types import Condition, Suite, Track

MARK = "~"
"""Stands between the name of a condition and the number of its plan; no suite's names hold it."""


def repeat_name(condition: str, number: int) -> str:
    """Return the name of a condition under another plan: ``mismatch@1.00~2``.

    Args:
        condition: Its name under the first plan.
        number: Of the plan, from 2.
    """
    return f"{condition}{MARK}{number}"


def seed_of(seed: int, number: int) -> int:
    """Return the seed of a further plan.

    Args:
        seed: Of the first plan.
        number: Of the plan, from 2.
    """
    return int.from_bytes(blake2b(f"{seed} plan {number}".encode(), digest_size=8).digest(), "big")


def with_repeats(first: Plan, tracks: Sequence[Track], suite: Suite, seed: int | None, count: int) -> Plan:
    """Return a plan with its tests and controls repeated under further plans.

    A condition that no choice enters, so that every plan changes the same rows in the same way, is not repeated.

    Args:
        first: The plan of the suite; its hash stays what it is.
        tracks: All tracks of the data set.
        suite: The suite.
        seed: Another seed than the suite's, as ``plan`` was given it.
        count: How many plans there are, the first one among them.
    """
    chosen = [c for c in suite.conditions if c.perturbation is not None and c.role in ("test", "control")]
    if count < 2 or not chosen:
        return first
    reduced = replace(suite, conditions=(suite.conditions[0], *chosen))
    used = suite.seed if seed is None else seed
    again = [plan(tracks, reduced, seed_of(used, number)) for number in range(2, count + 1)]
    return replace(first, repeats=tuple(_repeats(first, again, chosen)))


def _repeats(first: Plan, again: Sequence[Plan], chosen: Sequence[Condition]) -> Iterator[ConditionPlan]:
    for condition in chosen:
        others = [each[condition.name] for each in again]
        if all(_content(other) == _content(first[condition.name]) for other in others):
            continue
        for number, other in enumerate(others, start=2):
            named = replace(condition, name=repeat_name(condition.name, number))
            yield replace(other, condition=named)


def _content(plan_: ConditionPlan) -> list[tuple[object, ...]]:
    return [
        (key, d.target.target_id, d.changed, d.outcome.ignored, digest(d.outcome.edits) if d.changed else "")
        for key in sorted(plan_.decisions)
        for d in plan_.decisions[key]
    ]
