"""The plan: what is chosen, from annotation alone."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from asdbench.data import open_dataset
from asdbench.errors import UnknownNameError, UsageError
from asdbench.perturb import Plan, plan
from asdbench.perturb.absence import LipMaskEdit, SilenceEdit
from asdbench.perturb.catalogue import PERTURBATIONS
from asdbench.perturb.edits import Edit, digest
from asdbench.perturb.plan import TOO_SHORT, ConditionPlan, Decision
from asdbench.perturb.synchrony import MisalignEdit, MismatchEdit, RespliceEdit
from asdbench.suites import load_suite
from asdbench.types import IGNORE, Condition, Dataset, Suite, Track

SEED = 20261120
CLEAN = Condition("clean", role="reference")


class Unreadable:
    """Media that must not be opened."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"the plan opened media: {name}")


def make_track(
    name: str,
    runs: Iterable[tuple[int, int]],
    frames: int = 75,
    *,
    source: str | None = None,
    margin: tuple[int, int] = (0, 0),
    person: str | None = None,
    sentence: str | None = None,
    fps: float = 25.0,
) -> Track:
    labels = np.zeros(frames, dtype=np.int8)
    for first, stop in runs:
        labels[first:stop] = 1
    return Track(
        video_id=name,
        entity_id=f"{name}:1",
        source_id=source or name,
        timestamps_ms=np.rint(np.arange(frames) * 1000 / fps).astype(np.int64),
        labels=labels,
        fps=fps,
        num_samples=round((frames - 1) * 16_000 / fps),
        media=Unreadable(),  # type: ignore[arg-type]
        audio_margin=margin,
        person_id=person,
        sentence_id=sentence,
    )


def make_suite(*conditions: Condition, seed: int = SEED) -> Suite:
    return Suite("test", 1, seed, "", (CLEAN, *conditions), "")


def one(tracks: Sequence[Track], perturbation: str, seed: int = SEED, **condition: Any) -> ConditionPlan:
    """Plan one condition and return it."""
    return plan(tracks, make_suite(Condition("it", perturbation, **condition), seed=seed))["it"]


def decisions(condition: ConditionPlan) -> list[Decision]:
    return [decision for group in condition.decisions.values() for decision in group]


def crowd(count: int, margin: tuple[int, int] = (0, 0)) -> list[Track]:
    """Tracks of one person each, with one to three runs of different lengths."""
    rng = np.random.default_rng(3)
    tracks = []
    for i in range(count):
        bounds = np.sort(rng.choice(np.arange(0, 76, 3), 2 * int(rng.integers(1, 4)), replace=False))
        tracks.append(make_track(f"v{i:03d}", bounds.reshape(-1, 2).tolist(), margin=margin))
    return tracks


def changed_ids(condition: ConditionPlan) -> set[str]:
    return {d.target.target_id for d in decisions(condition) if d.changed}


def raw_fraction(*names: str, seed: int = SEED) -> float:
    """The documented hash, written out again."""
    value = blake2b("\x1f".join([str(seed), *names]).encode(), digest_size=8).digest()
    return (int.from_bytes(value, "big") >> 11) / 2**53


# --- the whole plan ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suite", ["unsync", "modality"])
def test_order_of_tracks_means_nothing(fixture_dataset: Dataset, suite: str) -> None:
    tracks = list(fixture_dataset.tracks)
    whole = plan(tracks, load_suite(suite))
    order = np.random.default_rng(1).permutation(len(tracks))
    shuffled = plan([tracks[i] for i in order], load_suite(suite))
    assert shuffled.sha256 == whole.sha256
    assert list(shuffled.records()) == list(whole.records())


def test_plan_does_not_look_at_media(fixture_copy: Path, fixture_dataset: Dataset) -> None:
    (fixture_copy / "clips_audios/val/aa/aa_0000_0002:1.wav").unlink()
    shutil.rmtree(fixture_copy / "clips_videos")
    again = plan(open_dataset(fixture_copy).tracks, load_suite("unsync"))
    assert again.sha256 == plan(fixture_dataset.tracks, load_suite("unsync")).sha256


def test_seed_changes_the_plan(fixture_dataset: Dataset) -> None:
    suite = load_suite("unsync")
    own, other = plan(fixture_dataset.tracks, suite), plan(fixture_dataset.tracks, suite, seed=1)
    assert own.sha256 == plan(fixture_dataset.tracks, suite, seed=suite.seed).sha256
    assert own.sha256 != other.sha256
    assert changed_ids(own["mismatch@0.50"]) != changed_ids(other["mismatch@0.50"])


@pytest.mark.parametrize("change", ["label policy", "name", "proportion", "labels of a track", "no track"])
def test_hash_covers_what_counts(change: str) -> None:
    tracks = crowd(12)
    condition = Condition("it", "mismatch", 0.5, "negative")
    before = plan(tracks, make_suite(condition)).sha256
    if change == "label policy":
        condition = Condition("it", "mismatch", 0.5, "keep")
    elif change == "name":
        condition = Condition("that", "mismatch", 0.5, "negative")
    elif change == "proportion":
        condition = Condition("it", "mismatch", 1.0, "negative")
    elif change == "labels of a track":
        tracks[0] = make_track("v000", [(1, 70)])
    else:
        tracks = tracks[1:]
    assert plan(tracks, make_suite(condition)).sha256 != before


def test_hash_covers_ignored_frames() -> None:
    plans = []
    for margin in ((0, 0), (16_000, 0)):
        tracks = [make_track(f"v{i}", [(0, 70)], margin=margin) for i in range(20)]
        late = [t for t in tracks if 3000 < first_draw(t.speaking_runs[0].run_id) < 9000]
        plans.append(plan(late, make_suite(Condition("it", "misalign"))))
    shifts, ignored = ([[r[field] for r in p.records()] for p in plans] for field in ("shift_ms", "ignored_frames"))
    assert shifts[0] == shifts[1] != []
    assert ignored[0] != ignored[1]
    assert plans[0].sha256 != plans[1].sha256


def test_conditions_that_differ_in_options_do_not_share_edits(fixture_dataset: Dataset) -> None:
    near, far = (Condition(str(low), "misalign", options={"min_ms": low, "max_ms": low + 5}) for low in (170.0, 300.0))
    whole = plan(fixture_dataset.tracks, make_suite(near, far))
    sizes = [
        {abs(d.outcome.shift_ms or 0) // 100 for d in decisions(whole[n]) if d.changed} for n in ("170.0", "300.0")
    ]
    assert sizes == [{1}, {3}]


def test_clean_changes_nothing(fixture_dataset: Dataset) -> None:
    clean = plan(fixture_dataset.tracks, load_suite("clean"))["clean"]
    for track in fixture_dataset.tracks:
        rows = clean.rows(track)
        assert clean.edits(track.key) == ()
        assert rows.label_after.tolist() == track.labels.tolist()
        assert not rows.changed.any()
        assert rows.eligible.all()
        assert np.isnan(rows.shift_ms).all()


def test_records_name_every_run_of_every_condition(fixture_dataset: Dataset) -> None:
    suite = load_suite("unsync")
    records = list(plan(fixture_dataset.tracks, suite).records())
    runs = [run for track in fixture_dataset.tracks for run in track.speaking_runs]
    assert len(records) == len(runs) * (len(suite.conditions) - 1)
    first = next(r for r in records if r["condition"] == "mismatch@1.00" and r["video_id"] == "aa")
    assert (first["run"], first["first_ms"], first["last_ms"], first["changed"]) == (0, 0, 760, True)
    assert all((r["edits"] is None) == (not r["changed"]) for r in records)
    assert all(r["changed"] is False for r in records if r["ineligible"])


# --- selection ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("perturbation", ["mismatch", "misalign", "resplice"])
def test_proportions_nest_and_share_their_edits(perturbation: str) -> None:
    shares = (0.0, 0.25, 0.5, 0.75, 1.0)
    tracks = crowd(40)
    whole = plan(tracks, make_suite(*(Condition(str(p), perturbation, p) for p in shares)))
    selected = [changed_ids(whole[str(p)]) for p in shares]
    assert selected[0] == set()
    assert all(less < more for less, more in pairwise(selected))
    assert selected[-1] == {d.target.target_id for d in decisions(whole["1.0"]) if d.eligible}
    edits = {d.target.target_id: d.outcome.edits for d in decisions(whole["1.0"])}
    assert all(edits[d.target.target_id] == d.outcome.edits for d in decisions(whole["0.25"]))


def test_selection_is_the_hash_below_the_proportion() -> None:
    for decision in decisions(one(crowd(30), "mismatch", proportion=0.3)):
        if decision.eligible:
            assert decision.changed == (raw_fraction("mismatch@1", decision.target.target_id) < 0.3)


@pytest.mark.parametrize("proportion", [0.25, 0.5, 0.75])
def test_realised_share_is_near_the_proportion_and_reported(proportion: float) -> None:
    condition = one(crowd(300), "mismatch", proportion=proportion)
    summary = condition.summary()
    chosen, possible = ([d for d in decisions(condition) if getattr(d, what)] for what in ("changed", "eligible"))
    frames = [sum(d.target.stop - d.target.first for d in group) for group in (chosen, possible)]
    assert summary["share_of_targets"] == len(chosen) / len(possible) == pytest.approx(proportion, abs=0.06)
    assert summary["share_of_frames"] == frames[0] / frames[1]
    assert (summary["changed"], summary["eligible"]) == (len(chosen), len(possible))
    uses = Counter(donor for d in chosen for donor in d.outcome.edits[0].donors)  # type: ignore[union-attr]
    assert (summary["donors"], summary["most_uses_of_a_donor"]) == (len(uses), max(uses.values()))


@pytest.mark.parametrize("perturbation", ["mismatch", "misalign", "resplice"])
def test_short_runs_are_ineligible_but_their_track_is_not(perturbation: str) -> None:
    tracks = [make_track("a", [(10, 19), (30, 40)]), make_track("b", [(20, 50)]), make_track("c", [(20, 50)])]
    condition = one(tracks, perturbation)
    short, long = condition.decisions[tracks[0].key]
    assert (short.outcome.reason, short.changed) == (TOO_SHORT, False)
    assert (long.outcome.reason, long.changed) == (None, True)
    assert condition.summary()["ineligible"] == {TOO_SHORT: 1}


def test_short_runs_of_the_fixture(fixture_dataset: Dataset) -> None:
    whole = plan(fixture_dataset.tracks, load_suite("unsync"))
    assert whole["mismatch@1.00"].summary()["ineligible"] == {TOO_SHORT: 1}


# --- donors ------------------------------------------------------------------------------------------------------


def mismatch_edits(tracks: Sequence[Track], seed: int = SEED) -> list[tuple[Decision, MismatchEdit]]:
    pairs = [(d, next(iter(d.outcome.edits), None)) for d in decisions(one(tracks, "mismatch", seed=seed))]
    return [(d, edit) for d, edit in pairs if isinstance(edit, MismatchEdit)]


def test_donors_are_the_lowest_hashes_of_other_sources(fixture_dataset: Dataset) -> None:
    assert_donors_by_brute_force(fixture_dataset.tracks)


def test_donors_respect_sources_persons_and_sentences() -> None:
    tracks = []
    for i in range(36):
        person, sentence = (None, f"p{i % 5}")[i % 3 > 0], (None, f"s{i % 4}")[i % 2]
        tracks.append(
            make_track(f"v{i:02d}", [(2, 30), (40, 55)], source=f"film{i % 7}", person=person, sentence=sentence)
        )
    assert_donors_by_brute_force(tracks)


def assert_donors_by_brute_force(tracks: Sequence[Track]) -> None:
    """Rank every allowed run by the documented hash, and expect the shortest prefix that covers the span."""
    edits = mismatch_edits(tracks)
    assert edits
    for decision, edit in edits:
        own, length = decision.target.track, edit.stop - edit.start  # type: ignore[operator]
        ranked = sorted(
            (
                blake2b(
                    "\x1f".join([str(SEED), "mismatch@1", decision.target.target_id, run.run_id]).encode(),
                    digest_size=8,
                ).digest(),
                run.run_id,
                track,
                run,
            )
            for track in tracks
            if track.source_id != own.source_id
            and not (own.person_id is not None and track.person_id == own.person_id)
            and not (own.sentence_id is not None and track.sentence_id == own.sentence_id)
            for run in track.speaking_runs
            if run.long_enough
        )
        chosen = [(donor.video_id, donor.entity_id, donor.start) for donor in edit.donors]
        expected = [(*track.key, run.start_sample) for _, _, track, run in ranked[: len(chosen)]]
        assert chosen == expected
        covered = np.cumsum([donor.stop - donor.start - (320 if i else 0) for i, donor in enumerate(edit.donors)])
        assert covered[-1] >= length
        assert len(covered) == 1 or covered[-2] < length


def test_no_donor_serves_twice_in_a_run() -> None:
    tracks = [make_track("long", [(0, 200)], 200), *(make_track(f"v{i}", [(10, 22), (40, 60)]) for i in range(30))]
    edit = next(edit for d, edit in mismatch_edits(tracks) if d.target.track.video_id == "long")
    assert len(edit.donors) > 5
    assert len(set(edit.donors)) == len(edit.donors)


def test_donor_spans_stay_within_a_wav_that_is_80_ms_short() -> None:
    tracks = crowd(30)
    samples = {track.key: track.num_samples for track in tracks}
    for _, edit in mismatch_edits(tracks):
        for donor in edit.donors:
            assert 0 <= donor.start < donor.stop <= samples[(donor.video_id, donor.entity_id)] - 1280  # type: ignore[index]


def test_what_a_crossfade_costs_is_made_up_by_one_more_donor() -> None:
    # Two donors are as long as the run, but lose 20 ms where they meet.
    tracks = [make_track("long", [(5, 65)]), *(make_track(f"v{i}", [(10, 40)]) for i in range(8))]
    edit = next(edit for d, edit in mismatch_edits(tracks) if d.target.track.video_id == "long")
    assert len(edit.donors) == 3


@pytest.mark.parametrize("perturbation", ["mismatch", "resplice"])
def test_no_donor_of_another_source_means_ineligible(perturbation: str) -> None:
    tracks = [make_track("a", [(10, 40)], source="film"), make_track("b", [(20, 50)], source="film")]
    condition = one(tracks, perturbation)
    assert condition.summary()["ineligible"] == {"no donors of another source that are long enough": 2}
    assert not changed_ids(condition)


def test_donors_too_short_together_mean_ineligible() -> None:
    tracks = [make_track("a", [(0, 75)]), make_track("b", [(20, 50)])]
    condition = one(tracks, "mismatch")
    assert [d.eligible for d in decisions(condition)] == [False, True]
    assert condition.decisions[tracks[0].key][0].outcome.reason


def test_resplice_takes_mismatchs_donors(fixture_dataset: Dataset) -> None:
    first = {d.target.target_id: edit.donors for d, edit in mismatch_edits(fixture_dataset.tracks)}
    chosen = [d for d in decisions(one(fixture_dataset.tracks, "resplice")) if d.eligible]
    assert len(chosen) == len(first) > 5
    for decision in chosen:
        edit = next(iter(decision.outcome.edits), None)
        assert isinstance(edit, RespliceEdit)
        assert edit.donors == first[decision.target.target_id]
        assert (edit.start, edit.stop) == (decision.target.start_sample, decision.target.end_sample)


def test_mismatch_of_a_track_takes_windows_of_other_sources(fixture_dataset: Dataset) -> None:
    condition = one(fixture_dataset.tracks, "mismatch", options={"scope": "track"})
    sources = {track.key: track.source_id for track in fixture_dataset.tracks}
    assert set(condition.decisions) == set(sources), "silent faces too"
    for key, (decision,) in condition.decisions.items():
        edit = next(iter(decision.outcome.edits), None)
        assert isinstance(edit, MismatchEdit)
        assert not edit.match_level
        assert edit.start == 0
        assert edit.stop is not None
        assert edit.stop >= decision.target.track.num_samples + 640, "a wav may be longer than its annotation"
        assert (decision.target.run, decision.target.first, decision.target.stop) == (-1, 0, len(decision.target.track))
        assert all(sources[(d.video_id, d.entity_id)] != sources[key] for d in edit.donors)  # type: ignore[index]


def test_mismatch_of_a_track_takes_windows_from_all_over_the_donor() -> None:
    tracks = [make_track(f"v{i}", [], 50) for i in range(40)]
    tracks += [make_track(f"long{i}", [], 500) for i in range(40)]
    starts = []
    for decision in decisions(one(tracks, "mismatch", options={"scope": "track"})):
        edit = next(iter(decision.outcome.edits), None)
        if isinstance(edit, MismatchEdit) and len(decision.target.track) == 50 and len(edit.donors) == 1:
            starts.append(edit.donors[0].start)
            assert edit.donors[0].stop - edit.donors[0].start >= edit.stop  # type: ignore[operator]
    assert len(set(starts)) == len(starts) > 10
    assert min(starts) < 80_000 < 160_000 < max(starts)


# --- misalign ----------------------------------------------------------------------------------------------------


def misaligned(tracks: Sequence[Track], **options: float) -> list[tuple[Decision, MisalignEdit]]:
    pairs = [(d, next(iter(d.outcome.edits), None)) for d in decisions(one(tracks, "misalign", options=options))]
    return [(d, edit) for d, edit in pairs if isinstance(edit, MisalignEdit)]


def test_shifts_are_165_to_1000_ms_of_fair_sign() -> None:
    shifts = np.array([edit.shift / 16 for _, edit in misaligned(crowd(400, margin=(16_000, 16_000)))])
    assert len(shifts) > 400
    assert np.abs(shifts).min() >= 165
    assert np.abs(shifts).max() <= 1000
    assert 0.44 < (shifts > 0).mean() < 0.56
    counts, _ = np.histogram(np.abs(shifts), bins=5, range=(165, 1000))
    assert counts.min() > 0.7 * len(shifts) / 5


def test_shift_is_reported_in_ms_with_its_sign() -> None:
    for decision, edit in misaligned(crowd(20)):
        assert decision.outcome.shift_ms == edit.shift / 16


def test_shift_with_film_is_the_first_draw_and_loses_nothing() -> None:
    for decision, edit in misaligned(crowd(60, margin=(16_000, 16_640))):
        assert edit.shift == first_draw(decision.target.target_id)
        assert decision.outcome.ignored[0] == decision.outcome.ignored[1]


def first_draw(run_id: str) -> int:
    sign = 1 if raw_fraction("misalign@1", run_id, "sign") < 0.5 else -1
    return sign * round((165 + 835 * raw_fraction("misalign@1", run_id, "size")) * 16)


@pytest.mark.parametrize("margin", [(0, 0), (3_000, 5_000), (0, 8_000)])
def test_ignored_frames_are_exactly_those_without_audio(margin: tuple[int, int]) -> None:
    tracks = crowd(150, margin)
    lost = 0
    for decision, edit in misaligned(tracks):
        target, (first, stop) = decision.target, decision.outcome.ignored
        assert target.first <= first <= stop <= target.stop
        assert not edit.shift > 0 or first in (target.first, stop), "late audio is missing at the start"
        assert not edit.shift < 0 or stop in (target.stop, first), "early audio is missing at the end"
        for frame in range(target.first, target.stop):
            begin, end = 640 * frame - edit.shift, 640 * (frame + 1) - edit.shift
            outside = max(-margin[0] - begin, 0) + max(end - target.track.num_samples - margin[1], 0)
            assert (first <= frame < stop) == (outside > (320 if edit.shift < 0 else 0))
        lost += stop - first
        kept = target.stop - target.first - (stop - first)
        assert kept >= 10
        assert 2 * kept >= target.stop - target.first
    assert lost > 50, "the tracks must make some frames lose their audio"


def test_the_other_sign_comes_before_a_smaller_shift() -> None:
    # Runs of 1 s at the very start of a track of 3 s: audio can always come early, hardly ever late.
    tracks = [make_track(f"v{i:02d}", [(0, 25)]) for i in range(60)]
    turned = 0
    for decision, edit in misaligned(tracks):
        wanted = first_draw(decision.target.target_id)
        if wanted > 16 * 500:
            assert edit.shift == -wanted
            turned += 1
        else:
            assert edit.shift == wanted
    assert turned > 5


def test_a_smaller_shift_comes_when_neither_sign_fits() -> None:
    # Runs that fill their track of 1 s: at most half may be lost, on either side.
    tracks = [make_track(f"v{i:02d}", [(0, 25)], 25) for i in range(60)]
    reduced = 0
    for decision, edit in misaligned(tracks):
        wanted = first_draw(decision.target.target_id)
        if abs(wanted) > 16 * 520:
            assert 16 * 460 <= abs(edit.shift) <= 16 * 520
            reduced += 1
    assert reduced > 10


def test_misalign_is_ineligible_when_nothing_fits() -> None:
    tracks = [make_track("a", [(0, 12)], 12), make_track("b", [(20, 32)])]
    filled, free = decisions(one(tracks, "misalign"))
    assert not filled.eligible
    assert "165 ms" in str(filled.outcome.reason)
    assert free.changed


def test_the_smallest_shift_allowed_is_tried() -> None:
    # At 30 fps, 17 frames that fill their track: 165 ms late loses 5 and keeps 0.4 s, 167 ms would lose 6.
    tracks = [make_track(f"v{i:02d}", [(0, 17)], 17, fps=30.0) for i in range(20)]
    found = misaligned(tracks)
    assert len(found) == len(tracks)
    assert {decision.outcome.ignored for decision, _ in found} == {(0, 5)}
    assert all(165 <= edit.shift / 16 < 166.7 for _, edit in found)


def test_misalign_options() -> None:
    shifts = [abs(edit.shift) / 16 for _, edit in misaligned(crowd(50, (16_000, 16_640)), min_ms=200, max_ms=250)]
    assert 200 <= min(shifts) <= max(shifts) <= 250
    assert len(set(shifts)) > 10


# --- labels ------------------------------------------------------------------------------------------------------


def labels_after(policy: str) -> tuple[list[int], Track, ConditionPlan]:
    tracks = [make_track("a", [(5, 10), (20, 40)], 60), make_track("b", [(20, 50)])]
    condition = one(tracks, "mismatch", labels=policy)
    return condition.rows(tracks[0]).label_after.tolist(), tracks[0], condition


@pytest.mark.parametrize(("policy", "changed", "short"), [("keep", 1, 1), ("negative", 0, IGNORE), ("ignore", -1, -1)])
def test_label_policies(policy: str, changed: int, short: int) -> None:
    after, track, condition = labels_after(policy)
    assert after == [0] * 5 + [short] * 5 + [0] * 10 + [changed] * 20 + [0] * 20
    rows = condition.rows(track)
    assert rows.changed.tolist() == [20 <= i < 40 for i in range(60)]
    assert rows.eligible.tolist() == [not 5 <= i < 10 for i in range(60)]
    assert rows.run.tolist() == [0 if 5 <= i < 10 else 1 if 20 <= i < 40 else -1 for i in range(60)]
    assert rows.label.tolist() == track.labels.tolist()
    assert np.isnan(rows.shift_ms).all()


def test_runs_not_selected_keep_their_labels() -> None:
    tracks = crowd(30)
    condition = one(tracks, "mismatch", proportion=0.5, labels="negative")
    untouched = [d for d in decisions(condition) if d.eligible and not d.changed]
    assert untouched
    for decision in untouched:
        span = slice(decision.target.first, decision.target.stop)
        rows = condition.rows(decision.target.track)
        assert (rows.label_after[span] == 1).all()
        assert rows.eligible[span].all()
        assert not rows.changed[span].any()
        assert condition.edits(decision.target.track.key) == tuple(
            edit for d in condition.decisions[decision.target.track.key] if d.changed for edit in d.outcome.edits
        )


@pytest.mark.parametrize("policy", ["keep", "negative"])
def test_frames_whose_audio_is_invented_are_ignored(policy: str) -> None:
    condition = one(crowd(40), "misalign", labels=policy)
    some = 0
    for decision in decisions(condition):
        if decision.changed:
            rows, (first, stop) = condition.rows(decision.target.track), decision.outcome.ignored
            rest = [i for i in range(decision.target.first, decision.target.stop) if not first <= i < stop]
            assert (rows.label_after[first:stop] == IGNORE).all()
            assert (rows.label_after[rest] == (1 if policy == "keep" else 0)).all()
            shift = np.float32(decision.outcome.shift_ms)
            assert (rows.shift_ms[decision.target.first : decision.target.stop] == shift).all()
            some += stop - first
    assert some


def test_whole_track_conditions_change_every_row(fixture_dataset: Dataset) -> None:
    condition = plan(fixture_dataset.tracks, load_suite("modality"))["silence"]
    for track in fixture_dataset.tracks:
        rows = condition.rows(track)
        assert rows.changed.all()
        assert rows.eligible.all()
        assert rows.label_after.tolist() == track.labels.tolist()
        assert condition.edits(track.key) == (SilenceEdit(version=1),)


# --- names and options -------------------------------------------------------------------------------------------


def test_unknown_perturbation() -> None:
    with pytest.raises(UnknownNameError, match="no perturbation 'mismach'; did you mean mismatch"):
        one(crowd(2), "mismach")


@pytest.mark.parametrize(
    ("perturbation", "options"),
    [
        ("mismatch", {"scpe": "track"}),
        ("mismatch", {"scope": "scene"}),
        ("misalign", {"min_ms": 0}),
        ("misalign", {"min_ms": "far"}),
        ("misalign", {"min_ms": 500.0, "max_ms": 200.0}),
        ("lip_mask", {"fraction": 1.5}),
        ("silence", {"fraction": 0.5}),
    ],
)
def test_bad_options(perturbation: str, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"suite test@1, condition 'it': options of ") as caught:
        one(crowd(2), perturbation, options=options)
    assert "\n" not in str(caught.value)


def test_registered_under_their_own_names() -> None:
    assert all(name == perturbation.name for name, perturbation in PERTURBATIONS.items())


# --- edits as data -----------------------------------------------------------------------------------------------


def all_edits(whole: Plan) -> list[Edit]:
    return [edit for c in whole.conditions for d in decisions(c) for edit in d.outcome.edits]


def test_digest_is_equal_exactly_for_equal_edits(fixture_dataset: Dataset) -> None:
    edits = {*all_edits(plan(fixture_dataset.tracks, load_suite("unsync"))), LipMaskEdit(version=1, fraction=0.3)}
    again = all_edits(plan(fixture_dataset.tracks, load_suite("unsync")))
    digests = {edit: digest([edit]) for edit in edits}
    assert len(set(digests.values())) == len(edits) > 20
    assert all(digests[edit] == digest([edit]) for edit in again)
    assert digest([]) == ""
    assert digest(again[:2]) != digest(again[1::-1])


def test_digest_tells_versions_and_kinds_apart() -> None:
    edits = [SilenceEdit(version=1), SilenceEdit(version=2), MisalignEdit(version=1, shift=9)]
    assert len({digest([edit]) for edit in edits}) == 3


@pytest.mark.parametrize("suite", ["unsync", "modality"])
def test_edits_survive_json(fixture_dataset: Dataset, suite: str) -> None:
    edits = all_edits(plan(fixture_dataset.tracks, load_suite(suite)))
    kinds = {type(edit) for edit in edits}
    named = {"mismatch", "misalign", "resplice"}
    if suite == "modality":
        named = {"mismatch", "silence", "lip_mask", "upper_mask", "face_mask", "freeze", "replace_faces"}
    assert {str(kind.__struct_config__.tag) for kind in kinds} - {"replace_audio"} == named
    again = [msgspec.json.decode(msgspec.json.encode(edit), type=type(edit)) for edit in edits]
    assert again == edits


def test_runs_behind_a_gap_in_time_are_ineligible() -> None:
    track = make_track("a", [(2, 20), (40, 60)])
    times = track.timestamps_ms.copy()
    times[30:] += 3000
    gapped = replace(track, timestamps_ms=times)
    condition = one([gapped, make_track("b", [(5, 70)])], "mismatch", labels="negative")
    before, behind = condition.decisions[gapped.key]
    assert before.eligible
    assert behind.outcome.reason == "behind a gap in time"
    assert (condition.rows(gapped).label_after[40:60] == -1).all()


def test_a_run_at_the_end_reaches_the_last_frame_of_a_longer_wav() -> None:
    track = make_track("a", [(50, 75)], frames=75)
    (decision,) = one([track, make_track("b", [(0, 60)])], "mismatch").decisions[track.key]
    assert isinstance(decision.outcome.edits[0], MismatchEdit)
    assert decision.outcome.edits[0].stop == 75 * 640 > track.num_samples
    assert sum(donor.stop - donor.start for donor in decision.outcome.edits[0].donors) >= 25 * 640


def test_conditions_share_targets_and_decisions_are_lean(fixture_dataset: Dataset) -> None:
    made = plan(
        fixture_dataset.tracks,
        make_suite(Condition("a", "silence"), Condition("b", "freeze"), Condition("c", "mismatch")),
    )
    first, second = made["a"].decisions, made["b"].decisions
    assert all(first[key][0].target is second[key][0].target for key in first)
    for each in decisions(made["c"]):
        assert not any(hasattr(part, "__dict__") for part in (each, each.target, each.outcome))


@pytest.mark.parametrize(
    ("perturbation", "options"), [("laser_shift", {"seconds": 1e-6}), ("misalign", {"min_ms": 0.01})]
)
def test_no_label_changes_where_no_sound_would(perturbation: str, options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=rf"condition 'it': options of '{perturbation}'"):
        one([make_track("a", [(10, 40)])], perturbation, options=options, labels="negative")
