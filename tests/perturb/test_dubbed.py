"""Dubbed tracks: one condition of their own, and no trace of them in any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from asdbench.errors import DataError, UsageError
from asdbench.perturb import plan
from asdbench.perturb.dubbed import DUBBED, dubbed_runs
from asdbench.perturb.plan import BEHIND_GAP, TOO_SHORT, ConditionPlan
from asdbench.perturb.synchrony import MismatchEdit
from asdbench.suites import load_suite
from asdbench.types import IGNORE, Condition, Suite, Track

CLEAN = Condition("clean", role="reference")


def make_track(name: str, runs: Sequence[tuple[int, int]], *, dubs: Sequence[tuple[int, int]] | None = None) -> Track:
    labels, mask = np.zeros(75, dtype=np.int8), np.zeros(75, dtype=np.bool_)
    for first, stop in runs:
        labels[first:stop] = 1
    for first, stop in dubs or ():
        mask[first:stop] = True
    times = np.arange(75, dtype=np.int64) * 40
    media: Any = None  # a plan opens none
    return Track(name, f"{name}:1", name, times, labels, 25.0, 74 * 640, media, dubbed=None if dubs is None else mask)


ORDINARY = [make_track(f"v{i}", [(5, 30), (40, 60 + i)]) for i in range(6)]
DUBS = [make_track("v3x", [], dubs=[(5, 15), (30, 60)]), make_track("a", [], dubs=[(0, 20)])]
TRACKS = [*ORDINARY, *DUBS]


def suite(*conditions: Condition) -> Suite:
    return Suite("test", 1, 5, "", (CLEAN, *conditions), "")


def targets(condition: ConditionPlan) -> list[tuple[str, int, int]]:
    return [(k.video_id, d.target.first, d.target.stop) for k, group in condition.decisions.items() for d in group]


@pytest.mark.parametrize("name", ["clean", "unsync", "modality"])
def test_the_condition_is_added_at_the_end_of_every_suite(name: str) -> None:
    wanted = load_suite(name).conditions
    assert tuple(c.condition for c in plan(ORDINARY, load_suite(name)).conditions) == wanted
    assert tuple(c.condition for c in plan(TRACKS, load_suite(name)).conditions) == (*wanted, DUBBED)
    assert (DUBBED.name, DUBBED.labels, DUBBED.role) == ("dubbed", "negative", "test")


@pytest.mark.parametrize("name", ["clean", "unsync", "modality"])
def test_dubbed_tracks_leave_no_trace_in_other_conditions(name: str) -> None:
    alone, beside = plan(ORDINARY, load_suite(name)), plan(TRACKS, load_suite(name))
    for before, after in zip(alone.conditions, beside.conditions, strict=False):
        assert after.decisions == before.decisions, "neither targets nor donors"
        for track in DUBS:
            rows = after.rows(track)
            assert after.edits(track.key) == ()
            assert (rows.label_after == IGNORE).all()
            assert (rows.label == 0).all()
            assert rows.eligible.all()
            assert not rows.changed.any()


def test_a_dubbed_track_lends_no_window_even_where_it_is_the_only_one() -> None:
    whole = Condition("it", "mismatch", options={"scope": "track"})
    (decision,) = plan([ORDINARY[0], *DUBS], suite(whole))["it"].decisions[ORDINARY[0].key]
    assert not decision.eligible
    (decision,) = plan([*ORDINARY[:3], *DUBS], suite(whole))["it"].decisions[ORDINARY[0].key]
    assert isinstance(decision.outcome.edits[0], MismatchEdit)
    assert {donor.video_id for donor in decision.outcome.edits[0].donors} == {"v1", "v2"}


def test_under_dubbed_clean_rows_stay_and_dubbed_ones_are_negatives() -> None:
    resolved = plan(TRACKS, load_suite("unsync"))
    dubbed, clean = resolved["dubbed"], resolved["clean"]
    for track in ORDINARY:
        for after, before in zip(dubbed.rows(track), clean.rows(track), strict=True):
            np.testing.assert_array_equal(after, before)
    for track in DUBS:
        rows = dubbed.rows(track)
        assert (rows.label_after == 0).all()
        np.testing.assert_array_equal(rows.changed, track.dubbed)
    assert all(dubbed.edits(track.key) == () for track in TRACKS), "nothing is edited, so clean scores are copied"


def test_stretches_of_articulation_are_numbered_and_split_at_gaps() -> None:
    track = DUBS[0]
    assert [(run.first, run.stop) for run in dubbed_runs(track)] == [(5, 15), (30, 60)]
    rows = plan(TRACKS, load_suite("clean"))["dubbed"].rows(track)
    assert rows.run.tolist() == [0 if 5 <= i < 15 else 1 if 30 <= i < 60 else -1 for i in range(75)]
    times = track.timestamps_ms.copy()
    times[45:] += 1000
    gapped = replace(track, timestamps_ms=times)
    assert [(run.first, run.stop) for run in dubbed_runs(gapped)] == [(5, 15), (30, 45), (45, 60)]


@pytest.mark.parametrize(
    ("frames", "gap", "reasons"),
    [
        ([(5, 15), (30, 60)], None, [None, None]),
        ([(5, 14), (30, 60)], None, [TOO_SHORT, None]),
        ([(5, 15), (30, 60)], 45, [None, None, BEHIND_GAP]),
        ([(5, 15), (30, 60)], 20, [None, BEHIND_GAP]),
    ],
)
def test_a_stretch_that_is_too_short_or_behind_a_gap_counts_nowhere(
    frames: list[tuple[int, int]], gap: int | None, reasons: list[str | None]
) -> None:
    track = make_track("d", [], dubs=frames)
    track.timestamps_ms[gap or len(track) :] += 1000
    resolved = plan([*ORDINARY, track], load_suite("clean"))["dubbed"]
    decisions, rows = resolved.decisions[track.key], resolved.rows(track)
    assert [decision.outcome.reason for decision in decisions] == reasons
    fit, unfit = (
        [i for d in decisions if d.eligible is eligible for i in range(d.target.first, d.target.stop)]
        for eligible in (True, False)
    )
    assert np.flatnonzero(rows.changed).tolist() == fit
    assert np.flatnonzero(~rows.eligible).tolist() == unfit
    assert np.flatnonzero(rows.label_after == IGNORE).tolist() == unfit
    assert (np.delete(rows.label_after, unfit) == 0).all()


def test_the_plan_lists_them() -> None:
    resolved = plan(TRACKS, load_suite("clean"))
    assert targets(resolved["dubbed"]) == [("a", 0, 20), ("v3x", 5, 15), ("v3x", 30, 60)]
    records = list(resolved.records())
    assert [(r["video_id"], r["run"], r["first_ms"], r["last_ms"]) for r in records] == [
        ("a", 0, 0, 760), ("v3x", 0, 200, 560), ("v3x", 1, 1200, 2360),
    ]  # fmt: skip
    assert all((r["changed"], r["ineligible"], r["edits"]) == (True, None, None) for r in records)
    assert resolved["dubbed"].summary()["changed"] == 3


def test_the_hash_covers_which_rows_are_dubbed() -> None:
    def sha256(*dubs: Track) -> str:
        return plan([*ORDINARY, *dubs], load_suite("unsync")).sha256

    changed = replace(DUBS[0], dubbed=~DUBS[0].dubbed)  # type: ignore[operator]
    longer = make_track("v3x", [], dubs=[(5, 15), (30, 61)])
    silent = make_track("v3x", [], dubs=[])
    ordinary = make_track("v3x", [])
    found = [sha256(), sha256(DUBS[0]), sha256(*DUBS), sha256(changed), sha256(longer), sha256(silent)]
    assert len(set(found)) == len(found)
    assert sha256(*DUBS) == sha256(*DUBS[::-1])
    assert sha256(ordinary) == sha256()


def test_the_hash_of_data_without_dubbed_tracks_is_that_of_earlier_releases() -> None:
    assert plan(ORDINARY, load_suite("unsync")).sha256 == HASH_OF_ORDINARY


HASH_OF_ORDINARY = "dc0db40227b361594dbf5a3066b9e5fb92b1971af7e980eebba7d59cb379c8db"


def test_a_dubbed_track_never_speaks() -> None:
    speaking = replace(make_track("v9", [(3, 20)]), dubbed=np.zeros(75, dtype=np.bool_))
    short = replace(DUBS[0], dubbed=np.zeros(74, dtype=np.bool_))
    for track in (speaking, short):
        with pytest.raises(DataError, match=f"dubbed track '{track.entity_id}' of video '{track.video_id}' needs"):
            plan([*ORDINARY, track], load_suite("clean"))


def test_a_suite_must_not_take_the_name() -> None:
    own = suite(Condition("Dubbed", "silence"))
    with pytest.raises(UsageError, match="test@1: the data set has dubbed tracks"):
        plan(TRACKS, own)
    assert len(plan(ORDINARY, own).conditions) == 2
