"""The audit: measures on a sample of tracks what a plan did to sound and faces, and fails where it is not what it says.

What is measured knows nothing of how it was made (`audit_measures`); what is expected comes from the suite's condition
and the plan's spans, not from the functions that edit (`audit_checks`). See docs/method.md, section 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from asdbench.errors import AuditError, DataError
from asdbench.perturb.audit_applied import Applied, Measure
from asdbench.perturb.audit_checks import FIRST, checks_of
from asdbench.perturb.audit_faces import DIFFERENCE as OF_FACES
from asdbench.perturb.audit_sound import DIFFERENCE as OF_SOUND
from asdbench.perturb.catalogue import find_perturbation, read_options
from asdbench.perturb.choose import Chooser
from asdbench.perturb.dubbed import DUBBED
from asdbench.perturb.edits import Lender, digest, edit_audio, edit_faces, split_media
from asdbench.perturb.plan import ConditionPlan, Plan
from asdbench.types import Int16Array, Track, UInt8Array

CHOICE = "audit@1"
"""Under this name the sample is chosen."""

_SIGMAS = 4.0
_MILDER = 0.85
_DIFFERENCES = (OF_FACES, OF_SOUND)


@dataclass(frozen=True)
class AuditRow:
    """One check of one condition over all sampled tracks.

    Attributes:
        condition: Name of the condition.
        check: What was measured, such as ``shift error``.
        unit: Unit of the numbers.
        count: How many measurements.
        lowest: The lowest of them; ``None`` without any.
        highest: The highest.
        wanted: What they must be, in words.
        ok: Whether all are, but for as many exceptions as the check allows.
        where: The first track where one is not, as ``video_id/entity_id``.
    """

    condition: str
    check: str
    unit: str
    count: int
    lowest: float | None
    highest: float | None
    wanted: str
    ok: bool
    where: str = ""


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        rows: One per condition and check, in the order of the suite.
        tracks: How many different tracks were looked at.
        unreadable: How many others could not be, because their media or a donor's are broken.
    """

    rows: tuple[AuditRow, ...]
    tracks: int
    unreadable: int

    @property
    def failed(self) -> tuple[AuditRow, ...]:
        """The checks that found something else than the suite says."""
        return tuple(row for row in self.rows if not row.ok)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``audit.json`` holds."""
        return {
            "tracks": self.tracks,
            "unreadable": self.unreadable,
            "ok": not self.failed,
            "checks": [asdict(row) for row in self.rows],
        }

    def require(self) -> None:
        """Refuse to go on with a perturbation that is not what the suite says.

        Raises:
            AuditError: A check failed; the message names condition, track, what was found and what was wanted.
        """
        if not self.failed:
            return
        first, more = self.failed[0], len(self.failed) - 1
        found = f"{_number(first.lowest)} to {_number(first.highest)}"
        raise AuditError(
            f"the condition {first.condition!r} is not what the suite says: {first.check} {found} {first.unit}, wanted "
            f"{first.wanted} (first at {first.where or 'the plan'}"
            f"{f'; {more} more checks failed' if more else ''}); report it, look at it with asdbench perturb show, or "
            "score without the audit by --audit off."
        )


def audit(plan: Plan, tracks: Sequence[Track], lender: Lender, sample: int, seed: int) -> Audit:
    """Measure what a plan does to a sample of tracks.

    Args:
        plan: The resolved suite.
        tracks: The tracks to choose from.
        lender: Gives donors' media.
        sample: How many tracks to look at per condition: the first ones, by hash, that it changes.
        seed: The suite's seed.
    """
    chooser = Chooser(seed, CHOICE)
    order = sorted(tracks, key=lambda track: (chooser.fraction("|".join(track.key)), track.key))
    conditions = [each for each in plan.conditions if each.condition.perturbation not in (None, DUBBED.perturbation)]
    wanted = {each.condition.name: _changed_by(each, order, sample) for each in conditions}
    found: dict[str, list[tuple[Measure, str]]] = {each.condition.name: [] for each in conditions}
    looked = unreadable = 0
    for track in order:
        here = [each for each in conditions if track.key in wanted[each.condition.name]]
        if not here:
            continue
        try:
            measured = list(_measure(track, here, lender))
        except DataError:
            # Scoring will stop there, or skip it, as the user said.
            unreadable += 1
            continue
        looked += 1
        for name, measure in measured:
            found[name].append((measure, "/".join(track.key)))
    harder = _by_severity(conditions, found)
    rows = [
        row
        for each in conditions
        for row in (*_of_the_plan(each), *_rows(each, found[each.condition.name]), *harder.get(each.condition.name, ()))
    ]
    return Audit(tuple(rows), looked, unreadable)


def _changed_by(condition: ConditionPlan, order: Sequence[Track], sample: int) -> set[Any]:
    changed = (track.key for track in order if condition.edits(track.key))
    return {key for _, key in zip(range(sample), changed, strict=False)}


def _measure(track: Track, conditions: Sequence[ConditionPlan], lender: Lender) -> Iterator[tuple[str, Measure]]:
    """Yield what every check finds on one track, each edited medium made once."""
    audio, faces = track.media.audio(), track.media.faces()
    kept_audio, kept_faces = audio.copy(), [face.copy() for face in faces]
    sounds: dict[str, Int16Array] = {"": audio}
    sights: dict[str, Sequence[UInt8Array]] = {"": faces}
    for each in conditions:
        sound_edits, face_edits = split_media(each.edits(track.key))
        heard, seen = digest(sound_edits), digest(face_edits)
        if heard not in sounds:
            sounds[heard] = edit_audio(audio, sound_edits, track.media, lender)
        if seen not in sights:
            sights[seen] = edit_faces(faces, face_edits, lender, track.face_in_crop)
        decisions = tuple(d for d in each.decisions[track.key] if d.changed)
        applied = Applied(track, decisions, kept_audio, kept_faces, sounds[heard], sights[seen])
        yield each.condition.name, _untouched(audio, kept_audio, faces, kept_faces)
        options = read_options(find_perturbation(each.condition.perturbation or ""), each.condition.options)
        for check, chosen in checks_of(each.condition.perturbation or "", options):
            measured = list(check(applied, chosen))
            yield from ((each.condition.name, measure) for measure in measured)
            # The first checks are of lengths and sizes; where those are wrong, nothing else can be measured.
            if check in FIRST and not all(measure.ok for measure in measured):
                break


def _untouched(
    audio: Int16Array, kept_audio: Int16Array, faces: Sequence[UInt8Array], kept_faces: Sequence[UInt8Array]
) -> Measure:
    """An edit that works in place would spoil every later condition."""
    spoilt = int(not np.array_equal(audio, kept_audio))
    spoilt += sum(not np.array_equal(a, b) for a, b in zip(faces, kept_faces, strict=True))
    return Measure("own media spoilt", "arrays", spoilt, 0, 0)


def _of_the_plan(condition: ConditionPlan) -> Iterator[AuditRow]:
    """Yield what the plan alone shows: how many targets are changed."""
    share, proportion = condition.summary()["share_of_targets"], condition.condition.proportion
    if not isinstance(share, float):
        return
    count = int(str(condition.summary()["eligible"]))
    slack = _SIGMAS * float(np.sqrt(proportion * (1 - proportion) / count)) + (1 / count if 0 < proportion < 1 else 0)
    measure = Measure("targets changed", "of eligible", share, proportion - slack, proportion + slack)
    yield _row(condition.condition.name, [(measure, "")])


def _rows(condition: ConditionPlan, found: Sequence[tuple[Measure, str]]) -> Iterator[AuditRow]:
    groups: dict[str, list[tuple[Measure, str]]] = {}
    for measure, where in found:
        groups.setdefault(measure.check, []).append((measure, where))
    yield from (_row(condition.condition.name, group) for group in groups.values())


def _by_severity(
    conditions: Sequence[ConditionPlan], found: Mapping[str, Sequence[tuple[Measure, str]]]
) -> dict[str, list[AuditRow]]:
    """Return a row for each severity that must differ from the clean media no less than the one before it does."""
    families: dict[str, list[tuple[int, str, float]]] = {}
    for each in conditions:
        options = dict(each.condition.options)
        severity = options.pop("severity", None)
        sizes = [measure.value for measure, _ in found[each.condition.name] if measure.check in _DIFFERENCES]
        if isinstance(severity, int) and sizes:
            family = repr((each.condition.perturbation, sorted(options.items(), key=str)))
            families.setdefault(family, []).append((severity, each.condition.name, float(np.mean(sizes))))
    rows = {}
    for members in families.values():
        for (_, _, before), (_, name, size) in pairwise(sorted(members)):
            measure = Measure("difference against the milder one", "ratio", size / max(before, 1e-9), _MILDER, np.inf)
            rows[name] = [_row(name, [(measure, "")])]
    return rows


def _row(condition: str, group: Sequence[tuple[Measure, str]]) -> AuditRow:
    measure = group[0][0]
    values = [each.value for each, _ in group]
    low, high = min(each.low for each, _ in group), max(each.high for each, _ in group)
    bad = [where for each, where in group if not each.ok]
    return AuditRow(
        condition, measure.check, measure.unit, len(group), min(values), max(values), _wanted(low, high),
        len(bad) <= measure.exceptions * len(group), bad[0] if bad else "",
    )  # fmt: skip


def _wanted(low: float, high: float) -> str:
    if low == high:
        return _number(low)
    if high == np.inf:
        return f"at least {_number(low)}"
    return f"at most {_number(high)}" if low == -np.inf else f"{_number(low)} to {_number(high)}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
