from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from asdbench.adapters import load_model
from asdbench.checkpoints.identify import identify
from asdbench.data import open_dataset
from asdbench.errors import DataError
from asdbench.features import mfcc_for_frames
from asdbench.networks.light_asd import LightASD
from asdbench.training.objectives.light_asd_forward import embed_audio, embed_faces
from asdbench.types import Track
from tools.train_demo import training
from tools.train_demo.__main__ import main
from tools.train_demo.clips import FPS, ClipSampler, Shape, coloured, load_examples, moved, noisy
from tools.train_demo.evaluation import evaluate
from tools.train_demo.forward import embed_whole
from tools.train_demo.training import RECIPES, Phase, Settings, _Trainer, save, train

SMALL = Settings(
    seeing=(Phase(1, Shape(clips=3, frames=6, around=0), side=40), Phase(1, Shape(clips=3, frames=8, around=0))),
    listening=Phase(2, Shape(clips=8, frames=14, around=10)),
    min_shift=10,
    norm_batches=2,
)


def trained(examples, recipe="sync", seed=1, settings=SMALL):
    return train(examples, {recipe: RECIPES[recipe]}, settings, seed, lambda _: None)[recipe]


@pytest.fixture(autouse=True)
def one_thread():
    """Train as the tool does; a second thread also waits long where other work fills the cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Arrays:
    """Media in memory."""

    def __init__(self, rng, frames):
        self._audio = rng.integers(-3000, 3000, frames * 640 - 640).astype(np.int16)
        self._faces = list(rng.integers(0, 256, (frames, 60, 50)).astype(np.uint8))

    def audio(self):
        return self._audio

    def faces(self):
        return self._faces


def make_track(number, frames=60, speaking=(20, 50), **changes):
    labels = np.zeros(frames, np.int8)
    labels[slice(*speaking)] = 1
    media = Arrays(np.random.default_rng(number), frames)
    times = np.arange(frames, dtype=np.int64) * 40
    track = Track(f"v{number}", "0", f"s{number}", times, labels, 25.0, len(media.audio()), media)
    return dataclasses.replace(track, **changes)


@pytest.fixture(scope="module")
def examples():
    return load_examples([make_track(0), make_track(1, speaking=(0, 0)), make_track(2), make_track(3, frames=45)])


def rng(seed=0):
    return np.random.Generator(np.random.PCG64(seed))


def test_clips_hold_speech_half_of_the_time_and_their_labels_faces_and_sound_belong_together(examples, monkeypatch):
    monkeypatch.setattr("tools.train_demo.clips.noisy", lambda sound, other, rng: sound)
    monkeypatch.setattr("tools.train_demo.clips.moved", lambda faces, rng: faces)
    monkeypatch.setattr("tools.train_demo.clips.coloured", lambda mfcc, spread, rng: mfcc)
    shape = Shape(clips=40, frames=10, around=12)
    batch = ClipSampler(examples, shape, rng()).draw()
    assert batch.faces.shape == (40, 10, 56, 56)
    assert batch.mfcc.shape == (40, 4 * shape.sound, 13)
    speaking = batch.labels.any(dim=1).float().mean()
    assert 0.4 < speaking < 0.85
    for mfcc, faces, labels, offset in zip(batch.mfcc, batch.faces, batch.labels, batch.offsets.tolist(), strict=True):
        example, first = next(
            (e, t) for e in examples for t in range(len(e) - 9) if np.array_equal(e.faces[t : t + 10], faces.numpy())
        )
        assert np.array_equal(example.labels[first : first + 10], labels.numpy())
        heard = first - offset
        assert 0 <= offset <= 24
        # All rows but the first (pre-emphasis) and the last five, for which a track's sound may be too short.
        whole = mfcc_for_frames(example.audio, len(example), FPS)[4 * heard : 4 * (heard + shape.sound)]
        np.testing.assert_allclose(mfcc.numpy()[1:-5], whole[1:-5], rtol=0, atol=1e-4)


def test_tracks_that_are_too_short_take_no_part(examples):
    short = examples[3]  # 45 frames
    sampler = ClipSampler(examples, Shape(clips=60, frames=6, around=20), rng())
    assert short.labels.any()
    assert len(sampler.draw().labels) == 60
    with pytest.raises(DataError, match="among 1 tracks, 0 have the 46 frames"):
        ClipSampler([short], Shape(clips=60, frames=6, around=20), rng())


def test_another_frame_rate_is_refused():
    with pytest.raises(DataError, match="v0: 30 frames per second"):
        load_examples([make_track(0, fps=30.0)])


def test_augmentation_changes_sound_and_faces_but_not_their_shape(examples):
    sound = examples[0].audio
    changed = [noisy(sound, examples[2].audio, rng(seed)) for seed in range(12)]
    levels = [np.std(c.astype(float)) / np.std(sound.astype(float)) for c in changed]
    assert all(c.shape == sound.shape and c.dtype == np.int16 for c in changed)
    assert 0.49 < min(levels) < 0.8 < 1.2 < max(levels) < 2.7
    faces = examples[0].faces
    turned = moved(faces, rng())
    assert turned.shape == faces.shape
    assert turned.dtype == np.uint8
    assert not np.array_equal(turned, faces)


@pytest.mark.parametrize("recipe", RECIPES)
def test_training_repeats_with_its_seed_and_moves_every_weight(examples, recipe):
    first, again, other = (trained(examples, recipe, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[key], again[key]) for key in first)
    torch.manual_seed(1)
    start = LightASD().state_dict()
    assert [key for key in first if torch.equal(first[key], start[key])] == []
    assert not torch.equal(first["lossAV.FC.weight"], other["lossAV.FC.weight"])


def test_the_recipes_differ_in_what_listens_and_not_in_what_sees(examples):
    both = train(examples, RECIPES, SMALL, 1, lambda _: None)
    plain, sync = (both[name].state_dict() for name in ("plain", "sync"))
    differ = {key for key in plain if not torch.equal(plain[key], sync[key])}
    assert {key.split(".")[1] for key in differ if key.startswith("model.")} == {"audioEncoder", "GRU"}
    assert {key.split(".")[0] for key in differ} == {"model", "lossAV"}
    alone = trained(examples, "sync").state_dict()
    assert all(torch.equal(sync[key], alone[key]) for key in sync)


def test_shifted_sound_is_at_least_so_many_frames_away(examples):
    trainer = _Trainer(examples, SMALL, 1)
    starts = [trainer._start(7, 20) for _ in range(200)]
    assert set(starts) == {17, 18, 19, 20}
    assert {trainer._start(10, 20) for _ in range(200)} == {0, 20}


def test_only_the_last_phase_of_sync_has_pairs(examples, monkeypatch):
    calls = []
    real = training.contrastive_cross_entropy

    def counting(logits, labels, beta):
        calls.append((len(labels), len(logits)))
        return real(logits, labels, beta)

    monkeypatch.setattr(training, "contrastive_cross_entropy", counting)
    train(examples, RECIPES, SMALL, 1, lambda _: None)
    assert [len(RECIPES), SMALL.listening.steps, len(calls)] == [2, 2, 4]
    assert all(clips == rows for clips, rows in calls[:2])
    assert all(clips < rows for clips, rows in calls[2:])


def test_another_channel_moves_each_coefficient_by_a_constant(examples):
    mfcc = examples[0].mfcc().numpy()
    moved_by = coloured(mfcc, mfcc.std(axis=0), rng()) - mfcc
    np.testing.assert_allclose(moved_by, np.broadcast_to(moved_by[0], moved_by.shape), atol=1e-4)
    assert (np.abs(moved_by[0]) > 0).all()


def test_clips_are_drawn_around_speaking_frames_as_often_as_asked(examples):
    always = ClipSampler(examples, Shape(clips=30, frames=1, around=0, speaking=1.0), rng()).draw()
    never = ClipSampler(examples, Shape(clips=30, frames=1, around=0, speaking=0.0), rng()).draw()
    assert (float(always.labels.float().mean()), float(never.labels.float().mean())) == (1.0, 0.0)


def test_embedded_faces_stand_for_the_same_frames(examples):
    embedded = [
        torch.from_numpy(np.arange(len(e), dtype=np.float32))[:, None] + 1000 * i for i, e in enumerate(examples)
    ]
    labels = [example.labels for example in examples]
    batch = ClipSampler(examples, Shape(clips=20, frames=10, around=5), rng(), embedded).draw()
    for rows, expected in zip(batch.faces[..., 0].numpy().astype(int), batch.labels.numpy(), strict=True):
        index, first = divmod(int(rows[0]), 1000)
        np.testing.assert_array_equal(rows, 1000 * index + first + np.arange(10))
        np.testing.assert_array_equal(labels[index][first : first + 10], expected)


def test_a_saved_network_is_recognised_and_scores_as_evaluated(examples, tmp_path):
    network = trained(examples)
    path = tmp_path / "new" / "demo.safetensors"
    save(network, path, {"asdbench.recipe": "sync"})
    assert identify(path).architecture == "light-asd"
    example = examples[0]
    expected = load_model("auto", path).scorer.score_track(example.audio, example.track.media.faces(), 25.0)
    with torch.inference_mode():
        faces = torch.from_numpy(example.faces)[None].float()
        logits = network.head(embed_audio(network, example.mfcc()[None]), embed_faces(network, faces))[0]
    np.testing.assert_allclose((logits[:, 1] - logits[:, 0]).numpy(), expected, rtol=0, atol=1e-4)


def test_evaluation_leaves_dubbed_tracks_out_of_ap_and_finds_what_a_change_does(examples):
    network = LightASD().eval()
    figures = evaluate(network, examples)
    assert set(figures) >= {"ap", "ap_visual", "retention_swap", "sync_auroc_swap", "retention_shift+10"}
    dubbed = make_track(9, labels=np.zeros(60, np.int8), dubbed=np.arange(60) > 30)
    with_dub = evaluate(network, [*examples, *load_examples([dubbed])])
    assert {key: with_dub[key] for key in figures} == figures
    assert set(with_dub) - set(figures) == {"fa_dubbed"}


def test_faces_embedded_in_chunks_are_those_of_the_whole_track():
    network = LightASD().eval()
    (example,) = load_examples([make_track(0, frames=140)])
    with torch.inference_mode():
        chunked = embed_whole(network, example.faces)
        whole = embed_faces(network, torch.from_numpy(example.faces)[None].float())[0]
    torch.testing.assert_close(chunked, whole, rtol=0, atol=1e-6)


def test_command_line(monkeypatch, tmp_path, fixture_root):
    tracks = [track for track in open_dataset(fixture_root).tracks if track.fps == 25]
    dataset = dataclasses.replace(open_dataset(fixture_root), tracks=tuple(tracks))
    monkeypatch.setattr("asdbench.data.open_dataset", lambda folder: dataset)
    monkeypatch.setattr("tools.train_demo.training.Settings", lambda: SMALL)
    arguments = ["--data", fixture_root, "--out", tmp_path, "--val", fixture_root]
    result = CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0
    assert "sync: step 2  loss" in result.output
    figures = json.loads(result.output.splitlines()[-1])
    assert (figures["recipe"], figures["seed"]) == ("sync", 1)
    assert 0 < figures["ap"] <= 1
    from safetensors import safe_open

    for recipe in RECIPES:
        with safe_open(tmp_path / f"{recipe}-1.safetensors", "pt") as file:
            metadata = file.metadata()
            assert all(file.get_tensor(key).dtype in (torch.float32, torch.int64) for key in file.keys())  # noqa: SIM118
        assert metadata["asdbench.face_size"] == "56"
        assert (metadata["asdbench.recipe"], metadata["asdbench.seed"]) == (recipe, "1")
