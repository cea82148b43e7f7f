"""What is trained on: labelled frames of ordinary tracks, as the adapters would see them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from asdbench.adapters.torch_adapter import resized_crops
from asdbench.data import open_dataset
from asdbench.errors import DataError, UsageError
from asdbench.features import mfcc
from asdbench.training.examples import ClipSource, audible_labels, load_example
from asdbench.training.plan import Cut
from asdbench.training.recipe import Augment, Clips, Loss
from asdbench.types import Dataset
from tests.training.made_tracks import made_recipe, made_track

WHOLE = Clips(batch_frames=200)


def test_an_example_is_what_the_adapters_see(fixture_dataset: Dataset) -> None:
    for track in fixture_dataset.tracks[:3]:
        example = load_example(track, 40, np.zeros(len(track), np.int8))
        assert np.array_equal(example.faces, resized_crops(track.media.faces(), 40))
        assert np.array_equal(example.audio, track.media.audio()) and example.audio.dtype == np.int16
        assert example.labels is track.labels and example.fps == track.fps


def test_speech_is_audible_in_all_tracks_of_a_video_by_time_not_by_place() -> None:
    speaker = made_track(0, 40, (10, 20), entity_id="a")
    later = speaker.timestamps_ms[5:] + 0
    listener = made_track(1, 35, (0, 0), video_id="v0", entity_id="b", timestamps_ms=later)
    elsewhere = made_track(2, 40, (0, 0))
    own, others, none = audible_labels([speaker, listener, elsewhere])
    assert np.flatnonzero(own).tolist() == list(range(10, 20))
    assert np.flatnonzero(others).tolist() == list(range(5, 15))
    assert not none.any() and own.dtype == np.int8


def test_labels_that_do_not_count_tell_nobody_what_is_audible() -> None:
    scored = np.arange(40) < 15
    speaker = made_track(0, 40, (10, 20), entity_id="a", scored=scored)
    listener = made_track(1, 40, (0, 0), video_id="v0", entity_id="b")
    assert all(np.flatnonzero(each).tolist() == list(range(10, 15)) for each in audible_labels([speaker, listener]))


def test_a_recipe_chooses_its_labels(fixture_dataset: Dataset) -> None:
    own = ClipSource(fixture_dataset.tracks, made_recipe(clips=WHOLE))
    every = ClipSource(fixture_dataset.tracks, made_recipe(clips=Clips(batch_frames=200, labels="audible")))
    more = 0
    for index, track in enumerate(own.tracks):
        assert np.array_equal(own.outline.labels[index], track.labels)
        assert (every.outline.labels[index] >= track.labels).all()
        more += int((every.outline.labels[index] > track.labels).sum())
    assert more > 0, "somebody listens in the fixture"


def test_dubbed_tracks_are_left_out_and_counted() -> None:
    tracks = [made_track(0), made_track(1, dubbed=np.ones(40, bool), speaking=(0, 0)), made_track(2)]
    source = ClipSource(tracks, made_recipe())
    assert [track.video_id for track in source.tracks] == ["v0", "v2"]
    assert source.lengths == [40, 40] and source.notes == ("1 dubbed tracks are not trained on",)


def test_clips_come_from_labelled_frames_without_gaps() -> None:
    scored = np.ones(60, bool)
    scored[[0, 30, 31]] = False
    times = np.arange(60, dtype=np.int64) * 40
    times[45:] += 4000
    source = ClipSource([made_track(0, 60, scored=scored, timestamps_ms=times)], made_recipe(clips=WHOLE))
    assert source.outline.spans == (Cut(0, 1, 29), Cut(0, 32, 13), Cut(0, 45, 15))


def test_tracks_too_short_for_a_clip_and_its_sound_are_left_out_and_counted() -> None:
    tracks = [made_track(0, 15), made_track(1, 16, (3, 9)), made_track(2, 43), made_track(3, 44)]
    assert [t.video_id for t in ClipSource(tracks, made_recipe()).tracks] == ["v1", "v2", "v3"]
    source = ClipSource(tracks, made_recipe(loss=Loss(other_times=1, least_shift=6)))
    assert [t.video_id for t in source.tracks] == ["v3"] and source.outline.around == 14
    assert source.notes == ("3 of 4 tracks have not 44 frames of labelled frames in a row and are left out",)
    with pytest.raises(DataError, match=r"nothing to train on: 3 of 3 tracks have not 44 frames"):
        ClipSource(tracks[:3], made_recipe(loss=Loss(other_times=1, least_shift=6)))
    with pytest.raises(DataError, match="there are no tracks"):
        ClipSource([], made_recipe())


def test_kept_tracks_are_decoded_once_and_others_each_time() -> None:
    tracks = [made_track(0), made_track(1)]
    kept, read = ClipSource(tracks, made_recipe(keep=True)), ClipSource([made_track(2)], made_recipe())
    assert [(t.media.seen, t.media.heard) for t in tracks] == [(1, 1), (1, 1)]  # type: ignore[attr-defined]
    for source in (kept, read):
        assert np.array_equal(source.example(0).faces, source.example(0).faces)
    assert kept.example(1) is kept.example(1)
    assert tracks[0].media.seen == 1 and read.tracks[0].media.seen == 2  # type: ignore[attr-defined]


def test_what_a_network_does_not_look_at_is_not_read() -> None:
    track = made_track(0)
    deaf = ClipSource([track], made_recipe(keep=True), "none").example(0)
    assert track.media.heard == 0 and len(deaf.faces) == 40  # type: ignore[attr-defined]
    track = made_track(0)
    blind = ClipSource([track], made_recipe(keep=True), pictures=False).example(0)
    assert track.media.seen == 0 and blind.faces.shape == (40, 0, 0)  # type: ignore[attr-defined]
    assert len(blind.audio) == track.num_samples


def test_features_take_the_place_of_faces_which_are_let_go() -> None:
    source = ClipSource([made_track(0), made_track(1, 30)], made_recipe(keep=True))
    features = [torch.zeros(40, 7), torch.ones(30, 7)]
    source.set_front(features)
    assert source.front == features and source.example(0).faces.size == 0
    with pytest.raises(UsageError, match="do not have the lengths"):
        source.set_front(features[::-1])


def test_another_voice_is_that_of_another_video_where_there_is_one() -> None:
    rng = np.random.Generator(np.random.PCG64(0))
    tracks = [made_track(n, video_id=video, entity_id=str(n)) for n, video in enumerate(["x", "y", "x", "z", "y"])]
    source = ClipSource(tracks, made_recipe())
    for index, wanted in enumerate([{1, 3, 4}, {0, 2, 3}, {1, 3, 4}, {0, 1, 2, 4}, {0, 2, 3}]):
        assert {source.other(index, rng) for _ in range(200)} == wanted
    alike = ClipSource([replace(track, video_id="x") for track in tracks], made_recipe())
    for index in range(5):
        assert {alike.other(index, rng) for _ in range(200)} == set(range(5)) - {index}
    with pytest.raises(DataError, match="is the only one"):
        ClipSource(tracks[:1], made_recipe(augment=Augment(voice=0.5)))


def test_the_spread_is_that_of_the_mfcc_of_the_data() -> None:
    tracks = [made_track(n) for n in range(3)]
    rows = np.concatenate([mfcc(track.media.audio(), 25.0) for track in tracks])
    np.testing.assert_allclose(ClipSource(tracks, made_recipe()).spread, rows.std(0), rtol=1e-5)


def test_media_that_do_not_fit_are_refused() -> None:
    track = made_track(0)
    silent = replace(track, media=replace(track.media, sound=np.zeros(0, np.int16)))  # type: ignore[type-var]
    with pytest.raises(DataError, match=r"v0, track 0: its sound is empty"):
        ClipSource([silent], made_recipe(keep=True))
    fewer = replace(track, media=replace(track.media, pictures=track.media.faces()[:-1]))  # type: ignore[type-var]
    with pytest.raises(DataError, match=r"v0, track 0: 39 face crops for 40 labels"):
        ClipSource([fewer], made_recipe(keep=True))


def test_a_missing_file_is_named(fixture_copy: Path) -> None:
    dataset = open_dataset(fixture_copy)
    next(fixture_copy.rglob("*.wav")).unlink()
    with pytest.raises(DataError, match=r"\.wav: the audio file is missing"):
        ClipSource(dataset.tracks, made_recipe(keep=True, clips=WHOLE))
