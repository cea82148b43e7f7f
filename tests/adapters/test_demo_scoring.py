"""Demo-style scoring: against the authors' scripts, and against scoring each chunk as a track of its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from asdbench.adapters import MODELS, load_model
from asdbench.adapters.demo_scoring import ScoringOptions, demo_chunks, demo_rows
from asdbench.errors import DataError, UsageError
from asdbench.features import mfcc
from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state
from tests.parity import Parity

NAMES = ["light-asd", "lr-asd", "talknet"]
DEMO = ScoringOptions(scoring="demo")
FILES = {
    "light-asd": {"ava": "pretrain_AVA_CVPR.model", "talkset": "finetuning_TalkSet.model"},
    "lr-asd": {"ava": "pretrain_AVA.model", "talkset": "finetuning_TalkSet.model"},
    "talknet": {},
}


@pytest.fixture(scope="module")
def networks():
    def seeded(name):
        network = ARCHITECTURES.load(name)()
        network.load_state_dict(seeded_state(network))
        return network

    return {name: seeded(name) for name in NAMES}


def track(frames, sound):
    rng = np.random.default_rng(frames)
    faces = [rng.integers(0, 256, (24, 24), dtype=np.uint8) for _ in range(frames)]
    return rng.integers(-3000, 3000, sound).astype(np.int16), faces


@pytest.mark.parametrize(
    ("name", "weights"), [(name, weights) for name in NAMES for weights in ("seeded", *FILES[name])]
)
def test_scores_are_those_of_the_official_demo(shared, monkeypatch, name, weights):
    folder = shared / "parity" / name
    prefix = f"{weights}__demo_T160__"
    with np.load(folder / "inputs.npz") as inputs, np.load(folder / "outputs.npz") as outputs:
        rows, faces = inputs["audio_demo_T160"], inputs["visual_T160_lowres28"].repeat(4, axis=1).repeat(4, axis=2)
        wanted = {key.removeprefix(prefix): outputs[key] for key in outputs.files if key.startswith(prefix)}
    assert (len(rows), len(wanted)) == (639, 8)
    monkeypatch.setattr("asdbench.adapters.demo_scoring.mfcc", lambda audio, fps: rows)
    model = MODELS.load(name)(Parity(name, shared, FILES[name]).network(weights), options=DEMO)
    sound, sight = model.embed_audio(np.zeros(1, np.int16), 160, 25), model.embed_faces(list(faces))
    atol = 1e-5 if weights == "seeded" else 1e-4
    for seconds, logits in enumerate(model.demo_logits(sound, sight), 1):
        np.testing.assert_allclose(logits, wanted[f"duration{seconds}_logit1"], rtol=0, atol=atol, err_msg=str(seconds))
    scores = model.score(sound, sight)
    assert (scores.shape, scores.dtype) == ((160,), np.float32)
    assert scores[159] == scores[158]
    mean = wanted["mean_logit1_unrounded"]
    np.testing.assert_allclose(scores[:159], mean, rtol=0, atol=atol)
    clear = np.abs(mean * 10 % 1 - 0.5) > 1e-2  # not at the edge between two roundings
    assert clear.sum() > 140
    np.testing.assert_allclose(np.round(scores[:159], 1)[clear], wanted["final_rounded1dp"][clear], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("frames", "sound", "scored"), [(53, 53 * 640, 52), (27, 40 * 640, 27), (9, 640 * 9, 8)])
def test_each_chunk_is_scored_as_if_it_were_all_there_is(networks, monkeypatch, name, frames, sound, scored):
    monkeypatch.setattr("asdbench.adapters.demo_scoring.DURATIONS_S", (1, 2))
    audio, faces = track(frames, sound)
    network = networks[name]
    model = MODELS.load(name)(network, options=DEMO)
    rows = torch.from_numpy(mfcc(audio, 25))[None]
    crops = torch.from_numpy(model.resized(faces))[None].float()
    by_duration = []
    with torch.inference_mode():
        for seconds in (1, 2):
            cuts = [slice(i, min(i + 25 * seconds, scored)) for i in range(0, scored, 25 * seconds)]
            logits = [network(rows[:, 4 * cut.start : 4 * cut.stop], crops[:, cut])[0, :, 1] for cut in cuts]
            by_duration.append(torch.cat(logits).numpy())
    mean = np.mean(by_duration, axis=0)
    assert len(mean) == scored
    wanted = np.concatenate([mean, np.repeat(mean[-1:], frames - scored)])
    np.testing.assert_allclose(model.score_track(audio, faces, 25), wanted, rtol=0, atol=1e-5)


def test_the_frames_near_a_cut_are_embedded_once_for_all_conditions(networks, monkeypatch):
    model = MODELS.load("talknet")(networks["talknet"], options=DEMO)
    audio, faces = track(30, 30 * 640)
    sight = model.embed_faces(faces)
    first = model.score(model.embed_audio(audio, 30, 25), sight)
    monkeypatch.setattr(model, "embed_crops", None)
    np.testing.assert_array_equal(model.score(model.embed_audio(audio, 30, 25), sight), first)
    louder = model.score(model.embed_audio(audio * 2, 30, 25), sight)
    assert not np.array_equal(louder, first)


@pytest.mark.parametrize(
    ("frames", "seconds", "chunks"),
    [(1, 1, [(0, 1)]), (25, 1, [(0, 25)]), (26, 1, [(0, 25), (25, 26)]), (120, 2, [(0, 50), (50, 100), (100, 120)])],
)
def test_chunks_follow_one_another_and_the_last_may_be_short(frames, seconds, chunks):
    assert list(demo_chunks(frames, seconds)) == chunks


def test_audio_is_cut_to_whole_frames_and_to_the_picture():
    audio, _ = track(1, 37 * 640)
    assert len(mfcc(audio, 25)) == 147
    np.testing.assert_array_equal(demo_rows(audio, 40, 25), mfcc(audio, 25)[:144])
    np.testing.assert_array_equal(demo_rows(audio, 30, 25.01), mfcc(audio, 25)[:120])


def test_other_frame_rates_and_too_little_sound_are_refused():
    with pytest.raises(DataError, match=r"defined at 25 frames per second, but this track has 29\.97"):
        demo_rows(np.ones(16000, np.int16), 25, 29.97)
    with pytest.raises(DataError, match="700 samples of audio give 3"):
        demo_rows(np.ones(700, np.int16), 25, 25)


def test_the_option_is_part_of_the_name_and_known_to_no_other_model(networks, tmp_path):
    torch.save(networks["lr-asd"].state_dict(), tmp_path / "mine.model")
    assert load_model("lr-asd", tmp_path / "mine.model", options={"scoring": "demo"}).name == (
        "lr-asd.mine[scoring=demo]"
    )
    with pytest.raises(UsageError, match="has no option 'scoring'"):
        load_model("lr-asd-video", tmp_path / "mine.model", options={"scoring": "demo"})
    with pytest.raises(UsageError, match="not valid"):
        load_model("lr-asd", tmp_path / "mine.model", options={"scoring": "columbia"})


def test_demo_scores_differ_from_those_of_the_ava_evaluation(networks):
    audio, faces = track(30, 29 * 640)
    ava, demo = (MODELS.load("light-asd")(networks["light-asd"], options=each) for each in (None, DEMO))
    assert np.abs(ava.score_track(audio, faces, 25) - demo.score_track(audio, faces, 25)).max() > 0.1
