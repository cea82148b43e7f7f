"""Pairs that do not belong together: which, how many, from where."""

from __future__ import annotations

import pytest
import torch

from asdbench.errors import UsageError
from asdbench.training.objectives import objective_for
from asdbench.training.objectives.appended import _start, with_pairs
from asdbench.training.objectives.base import own_sound
from asdbench.training.recipe import Loss
from tests.training.objectives.given import AROUND, FRAMES, batch, moment, objective, recipe

SPEAKING = [0, 2, 3]  # clips of LABELS


def named_frames(around):
    """Embeddings that say whose and when they are: 100 clip + frame of the sound."""
    span = FRAMES + 2 * around
    sound = (100 * torch.arange(4)[:, None] + torch.arange(span))[..., None].float()
    clips = batch(around)
    return clips, sound, own_sound(sound, clips), 100 * torch.arange(4.0)[:, None, None].expand(4, FRAMES, 1)


def test_the_sound_of_a_clip_is_cut_out_where_its_offset_says():
    clips, _, audio, _ = named_frames(AROUND)
    wanted = 100 * torch.arange(4)[:, None] + clips.offsets[:, None] + torch.arange(FRAMES)
    assert len(set(clips.offsets.tolist())) == 4
    assert torch.equal(audio[..., 0], wanted.float())


def test_without_pairs_nothing_is_appended():
    clips, sound, audio, faces = named_frames(AROUND)
    found = with_pairs(sound, audio, faces, clips, Loss(), moment())
    assert torch.equal(found[0], audio)
    assert torch.equal(found[1], faces)


def test_other_voices_come_from_other_speaking_clips():
    clips, sound, audio, faces = named_frames(0)
    heard, seen = with_pairs(sound, audio, faces, clips, Loss(other_voices=3), moment())
    assert torch.equal(heard[:4], audio)
    assert torch.equal(seen[:4], faces)
    voices, people = ((each[4:, 0, 0] // 100).int().tolist() for each in (heard, seen))
    assert voices == 3 * SPEAKING
    assert all(sorted(people[i : i + 3]) == SPEAKING for i in (0, 3, 6))
    assert all(voice != person for voice, person in zip(voices, people, strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_other_times_come_from_the_own_clip_and_are_far_enough_away(seed):
    clips, sound, audio, faces = named_frames(AROUND)
    loss = Loss(other_times=4, least_shift=7)
    heard, seen = with_pairs(sound, audio, faces, clips, loss, moment(seed=seed))
    voices, starts = heard[4:, 0, 0].int() // 100, heard[4:, 0, 0].int() % 100
    assert voices.tolist() == (seen[4:, 0, 0].int() // 100).tolist() == 4 * SPEAKING
    assert ((starts - clips.offsets[voices]).abs() >= 7).all()
    assert torch.equal(heard[4:, :, 0] - heard[4:, :1, 0], torch.arange(FRAMES).float().expand(12, FRAMES))


def test_every_place_that_is_far_enough_away_is_equally_likely():
    generator = torch.Generator().manual_seed(0)
    for offset, places in ((0, range(7, 21)), (10, [*range(4), *range(17, 21)]), (20, range(14)), (3, range(10, 21))):
        drawn = [_start(offset, 20, Loss(least_shift=7), generator) for _ in range(1400)]
        assert set(drawn) == set(places)
        counts = [drawn.count(place) for place in places]
        assert min(counts) > 0.6 * 1400 / len(counts)


def test_sound_that_is_too_short_for_the_shift_is_refused():
    clips, sound, audio, faces = named_frames(2)
    with pytest.raises(UsageError, match=r"lower loss\.least_shift"):
        with_pairs(sound, audio, faces, clips, Loss(other_times=1), moment())


@pytest.mark.parametrize("name", ["talknet", "light-asd"])
def test_whole_tracks_have_no_other_times(name):
    with pytest.raises(UsageError, match=r"recipe test: loss\.other_times needs sound around each clip"):
        objective_for(recipe(name, {"other_times": 1}, clip_frames=0))


def test_pairs_follow_from_the_moment_alone():
    clips, sound, audio, faces = named_frames(AROUND)
    loss = Loss(other_voices=2, other_times=2)
    torch.manual_seed(1)
    first = with_pairs(sound, audio, faces, clips, loss, moment(seed=1))
    torch.manual_seed(2)
    again = with_pairs(sound, audio, faces, clips, loss, moment(seed=1))
    others = [with_pairs(sound, audio, faces, clips, loss, moment(seed=seed)) for seed in range(2, 8)]
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    assert any(not torch.equal(first[0], other[0]) for other in others)
    assert any(not torch.equal(first[1], other[1]) for other in others)


def test_a_single_speaking_clip_has_nobody_to_exchange_voices_with():
    clips, sound, audio, faces = named_frames(0)
    alone = clips._replace(labels=torch.eye(4, FRAMES, dtype=torch.int64) * torch.tensor([1, 0, 0, 0])[:, None])
    assert len(with_pairs(sound, audio, faces, alone, Loss(other_voices=2), moment())[0]) == 4


@pytest.mark.parametrize("name", ["talknet", "sync-talknet", "light-asd", "lr-asd"])
@pytest.mark.parametrize("beta", [1.0, 0.25])
def test_pairs_count_beta_times_in_the_fused_head_and_not_at_all_in_the_others(name, beta):
    loss = {"other_voices": 2, "other_times": 1, "beta": beta, "visual": 0.4}
    clips = batch(AROUND)
    plain = objective(name, {"visual": 0.4})(clips, moment())
    found = objective(name, loss)(clips, moment())
    count = len(SPEAKING) * 3
    wanted = (4 * plain["fused"] + beta * count * found["pairs"]) / (4 + beta * count)
    torch.testing.assert_close(found["fused"], wanted)
    assert abs(float(found["pairs"] - plain["fused"])) > 1e-3
    for term in set(plain) - {"loss", "fused"}:
        torch.testing.assert_close(found[term], plain[term])
