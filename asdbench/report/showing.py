"""What ``asdbench perturb show`` shows: one track of a data set under one condition."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from asdbench.engine.lender import TrackLender
from asdbench.errors import UnknownNameError, UsageError
from asdbench.perturb.catalogue import find_perturbation, read_condition, read_options
from asdbench.perturb.edits import edit_audio, edit_faces, split_media
from asdbench.perturb.plan import ConditionPlan, plan
from asdbench.registry import unknown_name
from asdbench.report.preview import Preview
from asdbench.suites import load_suite
from asdbench.types import Condition, Dataset, Suite, Track

SEED = 20261120
"""Seed of the shipped suites, so that what is shown is what they do."""

_MAX_NAME = 200


def named_suite(suite: str | Path, condition: str | None) -> tuple[Suite, str]:
    """Return a suite and the condition of it that is meant.

    Raises:
        UsageError: No such suite or condition, or the suite has several and none is named.
    """
    found = load_suite(suite)
    changed = [each.name for each in found.conditions[1:]]
    if condition is None and len(changed) != 1:
        raise UsageError(f"the suite {found.label} has {len(changed)} conditions; add --condition NAME.")
    name = condition or changed[0]
    if name not in changed:
        raise unknown_name(f"condition of {found.label}", name, changed)
    read_condition(found, next(each for each in found.conditions if each.name == name))
    return found, name


def single_suite(perturbation: str, options: Mapping[str, Any]) -> tuple[Suite, str]:
    """Return a suite of one perturbation of everything that can be changed.

    Raises:
        UsageError: No such perturbation, or not with these options.
    """
    read_options(find_perturbation(perturbation), options)
    conditions = (Condition("clean", role="reference"), Condition(perturbation, perturbation, options=dict(options)))
    return Suite("show", 1, SEED, "One perturbation.", conditions, "", "--with"), perturbation


def show(dataset: Dataset, suite: Suite, condition: str, track: str | None, seed: int | None = None) -> Preview:
    """Return one track unchanged and under a condition.

    Args:
        dataset: Where the track and its donors are.
        suite: The suite.
        condition: Its condition.
        track: ``video_id/entity_id``, or an ``entity_id`` that only one video has; ``None`` for the first track that is
            changed.
        seed: Another seed than the suite's.

    Raises:
        UnknownNameError: No such track.
        UsageError: The condition leaves the track, or every track, as it is; the message says why.
        DataError: Media are broken.
    """
    only = Suite(
        suite.name, suite.version, suite.seed, suite.summary,
        (suite.conditions[0], *(each for each in suite.conditions if each.name == condition)), suite.sha256, suite.file,
    )  # fmt: skip
    found = plan(dataset.tracks, only, seed)[condition]
    chosen = _chosen(dataset.tracks, found, track)
    sound_edits, face_edits = split_media(found.edits(chosen.key))
    lender = TrackLender(dataset.tracks)
    audio, faces = chosen.media.audio(), chosen.media.faces()
    changed = [decision for decision in found.decisions[chosen.key] if decision.changed]
    spans = [(d.target.start_sample, min(d.target.end_sample, len(audio))) for d in changed] if sound_edits else []
    frames = [(decision.target.first, decision.target.stop) for decision in changed]
    return Preview(
        name=quote("-".join((*chosen.key, condition)), safe=" ()+,;=@#")[:_MAX_NAME],
        title=f"{'/'.join(chosen.key)}: {condition}",
        notes=_notes(found, chosen),
        fps=chosen.fps,
        audio=audio,
        faces=faces,
        new_audio=edit_audio(audio, sound_edits, chosen.media, lender),
        new_faces=edit_faces(faces, face_edits, lender, chosen.face_in_crop),
        spans=tuple(spans),
        frames=tuple(frames),
    )


def _chosen(tracks: Sequence[Track], condition: ConditionPlan, name: str | None) -> Track:
    changed = [track for track in tracks if condition.edits(track.key)]
    if name is None:
        if not changed:
            raise UsageError(
                f"the condition {condition.condition.name!r} changes no track: {_reasons(condition, tracks)}."
            )
        return changed[0]
    found = [track for track in tracks if name in ("/".join(track.key), track.entity_id)]
    if not found:
        names = ["/".join(track.key) for track in tracks]
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5) or names[:2]
        raise UnknownNameError(f"there is no track {name!r} among {len(names):,}; there is {', '.join(near)}.")
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} videos have a track {name!r}; give VIDEO/TRACK, such as {'/'.join(found[0].key)}."
        )
    if not condition.edits(found[0].key):
        raise UsageError(
            f"the condition {condition.condition.name!r} leaves the track {name!r} as it is: "
            f"{_reasons(condition, found)}; leave TRACK out for one that it changes."
        )
    return found[0]


def _reasons(condition: ConditionPlan, tracks: Sequence[Track]) -> str:
    decisions = [each for track in tracks for each in condition.decisions.get(track.key, ())]
    reasons = sorted({each.outcome.reason for each in decisions if each.outcome.reason is not None})
    return "; ".join(reasons) or ("none of its runs is among those chosen" if decisions else "it has no speaking run")


def _notes(condition: ConditionPlan, track: Track) -> str:
    """Return what the plan says of the track: shifts, ignored frames, donors."""
    changed = [decision for decision in condition.decisions[track.key] if decision.changed]
    shifts = [decision.outcome.shift_ms for decision in changed if decision.outcome.shift_ms is not None]
    ignored = sum(stop - first for first, stop in (decision.outcome.ignored for decision in changed))
    edits = [edit for decision in changed for edit in decision.outcome.edits]
    donors = {f"{d.video_id}/{d.entity_id}" for edit in edits for d in getattr(edit, "donors", ())}
    total = len(condition.decisions[track.key])
    parts = [
        "whole track" if changed[0].target.run < 0 else f"{len(changed)} of {total} run{'s' * (total > 1)} changed",
        "sound " + ", ".join(f"{abs(ms):.0f} ms {'late' if ms > 0 else 'early'}" for ms in shifts) if shifts else "",
        f"{ignored} frames filled and ignored" if ignored else "",
        f"from {', '.join(sorted(donors)[:3])}{' and others' if len(donors) > 3 else ''}" if donors else "",
    ]
    return "; ".join(part for part in parts if part)
