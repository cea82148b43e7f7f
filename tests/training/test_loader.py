"""Batches: faces, sound and labels of one moment, from anywhere on, by anybody."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from asdbench.data import open_dataset
from asdbench.errors import DataError, ResourceError, UsageError
from asdbench.features import mfcc_for_frames, samples_for_frames
from asdbench.features.whisper import whisper_log_mel
from asdbench.training.batch import Batch
from asdbench.training.examples import ClipSource
from asdbench.training.loader import BatchLoader
from asdbench.training.plan import Cut, epoch_plan
from asdbench.training.recipe import Augment, Clips, Loss, Recipe
from asdbench.types import Dataset, Track
from tests.training.made_tracks import made_recipe, made_track

LENGTHS = (40, 33, 40, 25, 57, 33)
TRACKS = tuple(made_track(number, frames, (8, 8 + frames // 3)) for number, frames in enumerate(LENGTHS))
WHOLE = Clips(batch_frames=100)
CHANGED = Augment(voice=0.5, noise=0.5, level=6.0, colour=0.5, flip=0.5, rotate=5.0, brightness=10.0)


def loader_of(recipe: Recipe, tracks: Sequence[Track] = TRACKS, **more: Any) -> BatchLoader:
    return BatchLoader(ClipSource(tracks, recipe, **more), recipe, 1)


def all_of(loader: BatchLoader, epoch: int = 0, **more: int) -> list[Batch]:
    return [batch for _, batch in loader.batches(epoch, **more)]


def same(one: Sequence[Batch], other: Sequence[Batch]) -> bool:
    pairs = [pair for batches in zip(one, other, strict=True) for pair in zip(*batches, strict=True)]
    return all(a.dtype == b.dtype and torch.equal(a, b) for a, b in pairs)


def with_cuts(recipe: Recipe, tracks: Sequence[Track] = TRACKS, **more: Any) -> list[tuple[Cut, Batch, int]]:
    """Each clip of an epoch: its cut, its batch, its place in it."""
    source = ClipSource(tracks, recipe, **more)
    plan = epoch_plan(source.outline, recipe.clips, 1, 0)
    batches = all_of(BatchLoader(source, recipe, 1))
    return [(cut, b, k) for cuts, b in zip(plan, batches, strict=True) for k, cut in enumerate(cuts)]


@pytest.mark.parametrize("fps", [25.0, 24.0, 29.97, 30.0, 50.0])
def test_a_whole_track_has_the_rows_that_evaluation_would_see(fps: float) -> None:
    """The official training computes the MFCC of a whole track and cuts it to the shortest of the batch."""
    tracks = [made_track(number, frames, fps=fps) for number, frames in enumerate(LENGTHS)]
    for keep in (False, True):
        for cut, batch, place in with_cuts(made_recipe(clips=WHOLE, keep=keep), tracks):
            track = tracks[cut.track]
            rows = mfcc_for_frames(track.media.audio(), len(track), fps)[: 4 * cut.frames]
            assert np.array_equal(batch.sound[place].numpy(), rows)
            assert np.array_equal(batch.faces[place].numpy(), np.stack(track.media.faces())[: cut.frames])
            assert np.array_equal(batch.labels[place].numpy(), track.labels[: cut.frames])


def test_batches_have_the_types_that_a_step_expects() -> None:
    batch = all_of(loader_of(made_recipe()))[0]
    assert [tensor.dtype for tensor in batch] == [torch.float32, torch.uint8, torch.int64, torch.int64, torch.int64]
    assert batch.sound.shape == (4, 64, 13) and batch.faces.shape == (4, 16, 24, 24) and batch.labels.shape == (4, 16)
    assert batch.offsets.tolist() == [0] * 4 == batch.vectors.tolist()


@pytest.mark.parametrize("fps", [25.0, 30.0])
def test_faces_sound_and_labels_of_a_drawn_clip_are_of_the_same_time(fps: float) -> None:
    tracks = [made_track(number, 60, (20, 40), fps) for number in range(4)]
    recipe = made_recipe(loss=Loss(other_times=1, least_shift=4))
    offsets = set()
    for cut, batch, place in with_cuts(recipe, tracks):
        track, heard = tracks[cut.track], cut.first - cut.before
        span = slice(cut.first, cut.first + 16)
        assert np.array_equal(batch.faces[place].numpy(), np.stack(track.media.faces())[span])
        assert np.array_equal(batch.labels[place].numpy(), track.labels[span])
        start = round(int(track.timestamps_ms[heard]) * 16)
        sound = track.media.audio()[start : start + samples_for_frames(40, fps)]
        assert np.array_equal(batch.sound[place].numpy(), mfcc_for_frames(sound, 40, fps))
        assert batch.offsets[place] == cut.before
        offsets.add(cut.before)
    assert len(offsets) > 3 and min(offsets) >= 0 and max(offsets) <= 24


def test_rows_in_the_middle_of_a_track_are_those_of_the_track() -> None:
    """All but the first (pre-emphasis has nothing before it) and those of the end, where a track's sound is short."""
    for cut, batch, place in with_cuts(made_recipe()):
        track = TRACKS[cut.track]
        rows = mfcc_for_frames(track.media.audio(), len(track), 25.0)[4 * cut.first : 4 * (cut.first + 16)]
        np.testing.assert_allclose(batch.sound[place].numpy()[1:-8], rows[1:-8], rtol=0, atol=1e-4)


def test_after_a_gap_in_time_sound_goes_on_with_the_pictures() -> None:
    times = np.arange(60, dtype=np.int64) * 40
    times[30:] += 1000
    track = made_track(0, 85)
    gap = made_track(0, 60, timestamps_ms=times, media=track.media)
    gap.media.pictures = gap.media.pictures[:60]  # type: ignore[attr-defined]
    found = {cut.first: batch.sound[place] for cut, batch, place in with_cuts(made_recipe(clips=WHOLE), [gap])}
    sound = track.media.audio()[(30 * 40 + 1000) * 16 :]
    assert np.array_equal(found[30].numpy(), mfcc_for_frames(sound, 30, 25.0))


@pytest.mark.parametrize("clips", [WHOLE, Clips(batch_frames=64, clip_frames=16, epoch_batches=5)], ids=str)
@pytest.mark.parametrize("augment", [Augment(), Augment(colour=1.0), CHANGED], ids=["plain", "colour", "changed"])
def test_what_is_kept_changes_nothing(clips: Clips, augment: Augment) -> None:
    kept, read = (loader_of(made_recipe(clips=clips, augment=augment, keep=keep)) for keep in (True, False))
    for epoch in (0, 1, 0):
        assert same(all_of(kept, epoch), all_of(read, epoch))


def test_rows_of_whole_tracks_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted(*given: Any) -> Any:
        asked.append(given[1])
        return mfcc_for_frames(*given)

    monkeypatch.setattr("asdbench.training.loader.mfcc_for_frames", counted)
    loader = loader_of(made_recipe(clips=Clips(batch_frames=100, longest=50), keep=True))
    for epoch in range(3):
        all_of(loader, epoch)
    assert sorted(asked) == [25, 33, 33, 40, 40, 50]


def test_batches_follow_from_seed_epoch_and_place() -> None:
    recipe = made_recipe(augment=CHANGED, keep=True)
    source = ClipSource(TRACKS, recipe)
    whole = all_of(BatchLoader(source, recipe, 1))
    assert same(whole, all_of(BatchLoader(source, recipe, 1)))
    assert not same(whole, all_of(BatchLoader(source, recipe, 1), 1))
    assert not same(whole, all_of(BatchLoader(source, recipe, 2)))
    for start in (1, 4, 6):
        rest = list(BatchLoader(source, recipe, 1).batches(0, start))
        assert [number for number, _ in rest] == list(range(start, 6))
        assert same(whole[start:], [batch for _, batch in rest])


def test_every_batch_and_every_clip_is_changed_differently() -> None:
    plain, found = (all_of(loader_of(made_recipe(augment=a))) for a in (Augment(), Augment(brightness=60.0)))
    moved = [(b.faces.float() - a.faces.float()).mean(dim=(1, 2, 3)) for a, b in zip(plain, found, strict=True)]
    assert len({round(float(value), 2) for value in torch.cat(moved)}) == 24
    assert same(
        [batch._replace(faces=torch.empty(0)) for batch in plain], [b._replace(faces=torch.empty(0)) for b in found]
    )


def test_labels_stay_whatever_changes() -> None:
    plain, found = (all_of(loader_of(made_recipe(augment=augment))) for augment in (Augment(), CHANGED))
    assert all(torch.equal(a.labels, b.labels) for a, b in zip(plain, found, strict=True))
    assert not any(torch.equal(a.sound, b.sound) for a, b in zip(plain, found, strict=True))


def test_batches_left_out_at_the_start_are_not_computed() -> None:
    tracks = [made_track(number) for number in range(2)]
    loader = loader_of(made_recipe(), tracks)
    batches = loader.batches(0, start=5)
    assert [number for number, _ in batches] == [5]
    assert sum(track.media.seen for track in tracks) <= 2  # type: ignore[attr-defined]


def test_processes_share_the_batches_of_an_epoch() -> None:
    loader = loader_of(made_recipe(clips=Clips(batch_frames=64, clip_frames=16, epoch_batches=7), augment=CHANGED))
    whole = all_of(loader)
    shares = [list(loader.batches(0, rank=rank, world=3)) for rank in range(3)]
    assert loader.count(0, 3) == 2 and loader.count(0) == 7
    assert all([number for number, _ in share] == [0, 1] for share in shares)
    together = [share[number][1] for number in range(2) for share in shares]
    assert same(together, whole[:6])
    assert same(all_of(loader, start=1, rank=2, world=3), whole[5:6])
    with pytest.raises(UsageError, match="7 batches, too few for 8 devices"):
        loader.count(0, 8)


def test_features_stand_in_place_of_faces_and_move_nothing_else() -> None:
    recipe = made_recipe(augment=Augment(voice=0.5, noise=0.5), keep=True)
    faces = all_of(loader_of(recipe))
    source = ClipSource(TRACKS, recipe)
    source.set_front(
        [torch.stack([torch.full((len(t),), float(k)), torch.arange(len(t)) * 1.0], 1) for k, t in enumerate(TRACKS)]
    )
    found = all_of(BatchLoader(source, recipe, 1))
    assert same([b._replace(faces=torch.empty(0)) for b in faces], [b._replace(faces=torch.empty(0)) for b in found])
    plan = epoch_plan(source.outline, recipe.clips, 1, 0)
    for cuts, batch in zip(plan, found, strict=True):
        assert batch.faces.dtype == torch.float32
        for cut, features in zip(cuts, batch.faces, strict=True):
            assert features.tolist() == [[cut.track, frame] for frame in range(cut.first, cut.first + 16)]


@pytest.mark.parametrize("fps", [25.0, 30.0])
def test_log_mel_is_that_of_the_clip_alone(fps: float) -> None:
    tracks = [made_track(number, frames, (8, 20), fps) for number, frames in enumerate(LENGTHS)]
    ended = 0
    for cut, batch, place in with_cuts(made_recipe(), tracks, sound="mel", mels=20):
        start = round(int(tracks[cut.track].timestamps_ms[cut.first]) * 16)
        sound = tracks[cut.track].media.audio()[start : start + round(16 / fps * 16000)]
        vectors = math.ceil(len(sound) / 320)
        assert batch.vectors[place] == vectors <= math.ceil(50 * 16 / fps)
        assert batch.sound.shape == (4, 20, 2 * int(batch.vectors.max()))
        wanted = whisper_log_mel(sound, 20, batch.sound.shape[2] * 160)
        assert np.array_equal(batch.sound[place].numpy(), wanted)
        ended += vectors < math.ceil(50 * 16 / fps)
    assert ended, "some clip must reach the end of its track, whose sound is short"


def test_a_network_that_does_not_listen_gets_no_sound() -> None:
    batch = all_of(loader_of(made_recipe(), sound="none"))[0]
    assert batch.sound.numel() == 0 and batch.faces.shape == (4, 16, 24, 24)


def test_a_network_that_does_not_look_gets_no_faces() -> None:
    batch = all_of(loader_of(made_recipe(augment=Augment(flip=0.5)), pictures=False))[0]
    assert batch.faces.shape == (4, 16, 0, 0) and batch.sound.shape == (4, 64, 13)


def test_another_voice_is_heard_from_its_beginning_again_where_it_is_short() -> None:
    short, long = made_track(0, 20, (5, 10)), made_track(1, 60, (5, 50))
    recipe = made_recipe(clips=WHOLE, augment=Augment(voice=1.0, voice_snr=(-60.0, -60.0)))
    found = with_cuts(recipe, [short, long])
    rows = next(batch.sound[place] for cut, batch, place in found if cut.track == 1).numpy()
    # Nearly nothing but the other voice is left: its rows come again after its 19 frames.
    period = 4 * 19
    assert np.abs(rows[period + 4 : 2 * period - 4, 1:] - rows[4 : period - 4, 1:]).max() < 3 < np.ptp(rows[:, 1])


def test_a_track_without_sound_for_a_clip_is_named() -> None:
    track = made_track(3, 60)
    track.media.sound = track.media.sound[:8000]  # type: ignore[attr-defined]
    with pytest.raises(DataError, match=r"v3, track 0: its sound ends before frame \d+ begins, after 0\.50 s"):
        all_of(loader_of(made_recipe(), [track]))


def test_worker_processes_compute_the_same_batches_and_tell_of_errors(
    fixture_copy: Path, fixture_dataset: Dataset
) -> None:
    recipe = made_recipe(augment=CHANGED, clips=Clips(batch_frames=64, clip_frames=16, epoch_batches=3))
    here = loader_of(recipe, fixture_dataset.tracks)
    tracks = open_dataset(fixture_copy).tracks
    there = BatchLoader(ClipSource(tracks, recipe), recipe, 1, workers=1)
    state = torch.random.get_rng_state()
    assert same(all_of(here), all_of(there))
    # The same processes again, from a later batch on, after a walk that was broken off.
    next(there.batches(1))
    assert same(all_of(here, 2, start=1), all_of(there, 2, start=1))
    assert torch.equal(state, torch.random.get_rng_state()), "the training's own random numbers were used"
    for path in fixture_copy.rglob("*.wav"):
        path.unlink()
    with pytest.raises(
        DataError, match=r"\.wav: the audio file is missing; extract|\.wav: the audio file is missing"
    ) as error:
        all_of(there, 3)
    assert "Traceback" not in str(error.value)


class Deadly:
    """Ends the process that is sent it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (3,)


def test_a_worker_process_that_dies_is_told_of() -> None:
    recipe = made_recipe()
    track = made_track(0, media=Deadly())
    with pytest.raises(ResourceError, match="fewer workers"):
        all_of(BatchLoader(ClipSource([track], recipe), recipe, 1, workers=1))
