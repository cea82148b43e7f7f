"""The plan: for every condition and every target, what is changed, decided before any medium is opened.

Planning sees the whole data set, so ``--limit``, skipped tracks and the order of work change nothing for the rest.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from asdbench.errors import UsageError
from asdbench.perturb.catalogue import find_perturbation, read_condition, scope_of
from asdbench.perturb.dubbed import DUBBED, dubbed_runs, split_dubbed
from asdbench.perturb.edits import Edit, digest
from asdbench.perturb.targets import (
    BEHIND_GAP,
    TOO_SHORT,
    Outcome,
    Perturbation,
    PlanContext,
    Planner,
    Target,
    run_targets,
    unfit,
)
from asdbench.types import IGNORE, BoolArray, Condition, LabelPolicy, Suite, Track, TrackKey

__all__ = ["BEHIND_GAP", "TOO_SHORT", "ConditionPlan", "Decision", "Plan", "Rows", "plan"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a condition does to one target; without a dict, since a plan of a large data set has millions."""

    target: Target
    outcome: Outcome
    changed: bool

    @property
    def eligible(self) -> bool:
        """Whether the target can be changed at all, selected or not."""
        return self.outcome.reason is None


class Rows(NamedTuple):
    """The labels of one track under one condition, each ``[T]``.

    ``label`` and ``label_after`` are in {0, 1}, the latter also ``IGNORE``; ``run`` is the index of the speaking run
    (in a dubbed track of the stretch in which its lips articulate) or -1; ``shift_ms`` is NaN where nothing is shifted.
    """

    label: NDArray[np.int8]
    label_after: NDArray[np.int8]
    changed: BoolArray
    eligible: BoolArray
    run: NDArray[np.int32]
    shift_ms: NDArray[np.float32]


@dataclass(frozen=True)
class ConditionPlan:
    """All decisions of one condition."""

    condition: Condition
    decisions: Mapping[TrackKey, tuple[Decision, ...]]

    def edits(self, key: TrackKey) -> tuple[Edit, ...]:
        """Return the edits of one track, none where the condition leaves it as it is."""
        chosen = self.decisions.get(key, ())
        return tuple(edit for d in chosen if d.changed for edit in d.outcome.edits)

    def rows(self, track: Track) -> Rows:
        """Return the labels of one track under this condition."""
        count = len(track)
        run = np.full(count, -1, dtype=np.int32)
        for stretch in (*track.speaking_runs, *dubbed_runs(track)):
            run[stretch.first : stretch.stop] = stretch.index
        rows = Rows(
            track.labels,
            track.labels.copy(),
            np.zeros(count, dtype=np.bool_),
            np.ones(count, dtype=np.bool_),
            run,
            np.full(count, np.nan, dtype=np.float32),
        )
        if track.dubbed is not None and self.condition.perturbation != DUBBED.perturbation:
            rows.label_after[:] = IGNORE
        for decision in self.decisions.get(track.key, ()):
            _write_rows(rows, decision, self.condition.labels)
        if track.scored is not None:
            rows.label_after[~track.scored] = IGNORE
        return rows

    def summary(self) -> dict[str, object]:
        """Return the realised shares, the ineligible targets by reason, and how often donors serve."""
        decisions = [decision for group in self.decisions.values() for decision in group]
        eligible = [d for d in decisions if d.eligible]
        changed = [d for d in decisions if d.changed]
        uses = Counter(
            (donor.video_id, donor.entity_id, donor.start)
            for d in changed
            for edit in d.outcome.edits
            for donor in getattr(edit, "donors", ())
        )
        frames, eligible_frames = (sum(d.target.stop - d.target.first for d in group) for group in (changed, eligible))
        return {
            "targets": len(decisions),
            "eligible": len(eligible),
            "changed": len(changed),
            "share_of_targets": len(changed) / len(eligible) if eligible else None,
            "share_of_frames": frames / eligible_frames if eligible_frames else None,
            "ineligible": dict(sorted(Counter(d.outcome.reason for d in decisions if not d.eligible).items())),
            "donors": len(uses),
            "most_uses_of_a_donor": max(uses.values(), default=0),
        }


def _write_rows(rows: Rows, decision: Decision, policy: LabelPolicy) -> None:
    span = slice(decision.target.first, decision.target.stop)
    if not decision.eligible:
        rows.eligible[span] = False
        # Where changed rows become negatives, a run that cannot be changed would stay as a lone positive.
        if policy != "keep":
            rows.label_after[span] = IGNORE
    if decision.changed:
        rows.changed[span] = True
        if policy != "keep":
            rows.label_after[span] = 0 if policy == "negative" else IGNORE
        rows.label_after[slice(*decision.outcome.ignored)] = IGNORE
        if decision.outcome.shift_ms is not None:
            rows.shift_ms[span] = decision.outcome.shift_ms


@dataclass(frozen=True)
class Plan:
    """A suite resolved on a data set.

    Attributes:
        conditions: Those of the suite, and ``dubbed``.
        sha256: Over the resolved edits of the conditions.
        repeats: Conditions under further plans (`asdbench.perturb.repeats`); they have no part in the hash.
    """

    conditions: tuple[ConditionPlan, ...]
    sha256: str
    repeats: tuple[ConditionPlan, ...] = ()

    @property
    def scored(self) -> tuple[ConditionPlan, ...]:
        """Everything that a model is scored under."""
        return (*self.conditions, *self.repeats)

    def __getitem__(self, name: str) -> ConditionPlan:
        return next(plan for plan in self.conditions if plan.condition.name == name)

    def records(self) -> Iterator[dict[str, object]]:
        """Yield one flat record per condition and target, in a fixed order: the content of the plan file."""
        for plan in self.scored:
            for key in sorted(plan.decisions):
                for decision in plan.decisions[key]:
                    yield _record(plan.condition, decision)


def _record(condition: Condition, decision: Decision) -> dict[str, object]:
    target, outcome = decision.target, decision.outcome
    times = target.track.timestamps_ms
    return {
        "condition": condition.name,
        "video_id": target.track.video_id,
        "entity_id": target.track.entity_id,
        "run": target.run,
        "first_ms": int(times[target.first]),
        "last_ms": int(times[target.stop - 1]),
        "changed": decision.changed,
        "ineligible": outcome.reason,
        "ignored_frames": outcome.ignored[1] - outcome.ignored[0] if decision.changed else 0,
        "shift_ms": outcome.shift_ms if decision.changed else None,
        "edits": msgspec.json.encode(outcome.edits).decode() if decision.changed and outcome.edits else None,
    }


def plan(tracks: Sequence[Track], suite: Suite, seed: int | None = None) -> Plan:
    """Resolve every condition of a suite on a whole data set, and ``dubbed`` where it has dubbed tracks.

    Args:
        tracks: All tracks of the data set, whatever part of it will be scored.
        suite: The suite.
        seed: Another seed than the suite's; makes the run *custom*.

    Raises:
        UnknownNameError: A condition names no known perturbation.
        UsageError: An option of a condition is unknown or out of range.
        DataError: A dubbed track is labelled as speaking.
    """
    ordinary, dubbed = split_dubbed(tracks, suite)
    context = PlanContext(ordinary, suite.seed if seed is None else seed)
    resolved: dict[str, dict[TrackKey, tuple[tuple[Target, Outcome], ...]]] = {}
    conditions = []
    for condition in suite.conditions:
        if condition.perturbation is None:
            conditions.append(ConditionPlan(condition, {}))
            continue
        # Conditions that differ in proportion only share their edits, and the search for donors.
        shared = msgspec.json.encode((condition.perturbation, condition.options), order="sorted").decode()
        if shared not in resolved:
            resolved[shared] = _resolve(context, suite, condition)
        conditions.append(_select(context, condition, resolved[shared]))
    if dubbed:
        conditions.append(_plan_dubbed(dubbed))
    return Plan(tuple(conditions), _hash(conditions, dubbed))


def _plan_dubbed(tracks: Sequence[Track]) -> ConditionPlan:
    """Return the condition that edits nothing: its targets are the stretches in which dubbed lips articulate."""
    decisions = {}
    for track in tracks:
        targets = run_targets(track, dubbed_runs(track))
        reasons = [unfit(target) for target in targets]
        decisions[track.key] = tuple(
            Decision(target, Outcome(reason=reason), reason is None)
            for target, reason in zip(targets, reasons, strict=True)
        )
    return ConditionPlan(DUBBED, decisions)


def _resolve(
    context: PlanContext, suite: Suite, condition: Condition
) -> dict[TrackKey, tuple[tuple[Target, Outcome], ...]]:
    perturbation, options = read_condition(suite, condition)
    try:
        return _outcomes(context, perturbation, options)
    except UsageError as error:
        raise type(error)(f"suite {suite.file or suite.label}, condition {condition.name!r}: {error}") from error


def _outcomes(
    context: PlanContext, perturbation: Perturbation, options: Any
) -> dict[TrackKey, tuple[tuple[Target, Outcome], ...]]:
    planner = perturbation.plan(context, options, perturbation)
    if perturbation.targets is not None:
        own = perturbation.targets
        return {track.key: tuple((each, planner(each)) for each in own(track, options)) for track in context.tracks}
    targets = context.targets(scope_of(perturbation, options))
    return {key: tuple((target, _outcome(planner, target)) for target in found) for key, found in targets.items()}


def _outcome(planner: Planner, target: Target) -> Outcome:
    reason = None if target.run < 0 else unfit(target)
    return planner(target) if reason is None else Outcome(reason=reason)


def _select(
    context: PlanContext,
    condition: Condition,
    outcomes: Mapping[TrackKey, tuple[tuple[Target, Outcome], ...]],
) -> ConditionPlan:
    chooser = context.chooser(find_perturbation(condition.perturbation or ""))

    def decide(target: Target, outcome: Outcome) -> Decision:
        # The fraction does not depend on the proportion, so what is changed at 0.25 is changed at 0.50 too.
        selected = chooser.fraction(target.target_id) < condition.proportion
        return Decision(target, outcome, selected and outcome.reason is None)

    return ConditionPlan(
        condition, {key: tuple(decide(*pair) for pair in pairs) for key, pairs in outcomes.items() if pairs}
    )


def _hash(conditions: Sequence[ConditionPlan], dubbed: Sequence[Track]) -> str:
    sha256 = hashlib.sha256()
    for plan_ in conditions:
        sha256.update(repr((plan_.condition.name, plan_.condition.labels)).encode())
        for key in sorted(plan_.decisions):
            for d in plan_.decisions[key]:
                edits = digest(d.outcome.edits) if d.changed and d.outcome.edits else None
                sha256.update(repr((d.target.target_id, d.outcome.reason, edits, d.outcome.ignored)).encode())
    # Nothing is hashed for data without dubbed tracks, whose plans are older than they.
    for track in dubbed:
        sha256.update(repr((*track.key, [(run.first, run.stop) for run in dubbed_runs(track)])).encode())
    return sha256.hexdigest()
