"""Plans of epochs: each track once, budgets kept, clips inside, the same for the same seed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from asdbench.errors import DataError
from asdbench.training.plan import Cut, Outline, epoch_plan
from asdbench.training.recipe import Clips


def outline(lengths: list[int], around: int = 0, margin: int = 0) -> Outline:
    """Spans that begin and end ``margin`` frames inside their tracks, whose middle third speaks."""
    spans = tuple(Cut(track, margin, length) for track, length in enumerate(lengths))
    labels = []
    for length in lengths:
        label = np.zeros(length + 2 * margin, np.int8)
        label[margin + length // 3 : margin + 2 * length // 3] = 1
        label[:margin] = label[margin + length :] = 7  # never to be asked
        labels.append(label)
    return Outline(spans, tuple(labels), around)


LENGTHS = st.lists(st.integers(5, 90), min_size=1, max_size=30)
SEEDS = st.integers(0, 2**40)


@given(LENGTHS, SEEDS, st.integers(1, 300), st.sampled_from([0, 20, 50]))
def test_every_track_comes_once_per_epoch_within_the_budget(
    lengths: list[int], seed: int, budget: int, longest: int
) -> None:
    batches = epoch_plan(outline(lengths, margin=2), Clips(batch_frames=budget, longest=longest), seed, 3)
    assert Counter(cut.track for batch in batches for cut in batch) == Counter(range(len(lengths)))
    usable = [min(length, longest or length) for length in lengths]
    for batch in batches:
        own = [usable[cut.track] for cut in batch]
        assert {(cut.first, cut.frames) for cut in batch} == {(2, min(own))}
        assert len(batch) == 1 or len(batch) * max(own) <= budget


@given(LENGTHS, SEEDS)
def test_batches_hold_neighbours_in_length_and_no_batch_has_room_for_the_next(lengths: list[int], seed: int) -> None:
    batches = epoch_plan(outline(lengths), Clips(batch_frames=200), seed, 0)
    found = [sorted((lengths[cut.track] for cut in batch), reverse=True) for batch in batches]
    found.sort(key=lambda own: (-own[0], -len(own), -own[-1]))
    assert [length for own in found for length in own] == sorted(lengths, reverse=True)
    assert all((len(own) + 1) * own[0] > 200 for own in found[:-1])


def test_whole_tracks_come_in_another_order_each_epoch_and_equally_long_ones_fall_together_differently() -> None:
    clips, given = Clips(batch_frames=100), outline([40] * 8 + [30] * 6 + [20] * 10)
    epochs = [epoch_plan(given, clips, 1, epoch) for epoch in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]
    assert {frozenset(batch) for batch in epochs[0]} != {frozenset(batch) for batch in epochs[1]}
    firsts = {plan[0][0].frames for epoch in range(20) for plan in [epoch_plan(given, clips, 1, epoch)]}
    assert firsts == {20, 30, 40}, "the order of the batches must be random"


@given(LENGTHS, SEEDS, st.integers(1, 12), st.integers(0, 4), st.integers(1, 100), st.integers(0, 5))
def test_drawn_clips_and_their_sound_lie_within_their_spans(
    lengths: list[int], seed: int, frames: int, around: int, budget: int, count: int
) -> None:
    lengths = [length for length in lengths if length >= frames + 2 * around]
    assume(lengths)
    clips = Clips(batch_frames=budget, clip_frames=frames, epoch_batches=count)
    batches = epoch_plan(outline(lengths, around, margin=3), clips, seed, 0)
    per_batch = max(1, budget // frames)
    assert len(batches) == (count or -(-sum(lengths) // (per_batch * frames)))
    for cut in (cut for batch in batches for cut in batch):
        assert cut.frames == frames and cut.before + cut.after == 2 * around and min(cut.before, cut.after) >= 0
        assert cut.first - cut.before >= 3
        assert cut.first + cut.frames + cut.after <= 3 + lengths[cut.track]
    assert {len(batch) for batch in batches} == {per_batch}


@given(st.integers(0, 2**40), st.integers(0, 9), st.integers(0, 2**20))
def test_a_plan_follows_from_seed_and_epoch(seed: int, frames: int, epoch: int) -> None:
    clips, given = Clips(batch_frames=40, clip_frames=frames), outline([20, 31, 20, 20, 25, 31, 44, 20])
    plan = epoch_plan(given, clips, seed, epoch)
    assert plan == epoch_plan(given, clips, seed, epoch)
    assert any(plan != epoch_plan(given, clips, seed, other) for other in (epoch + 1, epoch + 2, epoch + 3))
    assert any(plan != epoch_plan(given, clips, other, epoch) for other in (seed + 1, seed + 2, seed + 3))


def test_clips_are_drawn_around_speaking_and_other_frames_as_often_as_the_recipe_says() -> None:
    labels = np.zeros(4000, np.int8)
    labels[1000:1100] = 1
    given = Outline((Cut(0, 0, 4000),), (labels,))
    for chance in (0.0, 0.25, 1.0):
        clips = Clips(batch_frames=10, clip_frames=1, epoch_batches=400, speaking=chance)
        cuts = [cut for batch in epoch_plan(given, clips, 1, 0) for cut in batch]
        share = np.mean([labels[cut.first] for cut in cuts])
        assert share == pytest.approx(chance, abs=0.03)
        where = np.array([cut.first for cut in cuts if labels[cut.first] == 1])
        if len(where):  # each speaking frame is as likely as another
            assert where.mean() == pytest.approx(1049.5, abs=6) and where.min() < 1005 and where.max() > 1094


def test_a_drawn_frame_is_at_every_place_of_its_clip() -> None:
    labels = np.zeros(500, np.int8)
    labels[250] = 1
    clips = Clips(batch_frames=100, clip_frames=10, epoch_batches=100, speaking=1.0)
    batches = epoch_plan(Outline((Cut(0, 0, 500),), (labels,)), clips, 1, 0)
    places = Counter(250 - cut.first for batch in batches for cut in batch)
    assert set(places) == set(range(10)) and min(places.values()) > 60


@pytest.mark.parametrize(("label", "kind"), [(0, "none is speaking"), (1, "none is not speaking")])
def test_data_of_one_class_are_refused_unless_the_recipe_wants_only_that(label: int, kind: str) -> None:
    given = Outline((Cut(0, 0, 50),), (np.full(50, label, np.int8),))
    with pytest.raises(DataError, match=kind):
        epoch_plan(given, Clips(batch_frames=20, clip_frames=5), 1, 0)
    assert epoch_plan(given, Clips(batch_frames=20, clip_frames=5, speaking=float(label)), 1, 0)
