"""TalkNet, Sync-TalkNet and the heads over one stream as models."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.adapters import MODELS, WEIGHTS_OF, load_model
from asdbench.adapters.demo_scoring import ScoringOptions
from asdbench.adapters.sync_talknet import ChunkingOptions, SyncTalkNet, chunks_of
from asdbench.adapters.talknet import TalkNet
from asdbench.adapters.torch_adapter import TorchAdapter
from asdbench.errors import DataError, UsageError
from asdbench.features import mfcc_for_frames
from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state

PARENTS = ["light-asd", "lr-asd", "talknet", "sync-talknet"]
HEADS = ["light-asd-video", "lr-asd-video", "talknet-audio", "talknet-video"]
FPS = 25


def seeded(architecture):
    network = ARCHITECTURES.load(architecture)()
    state = seeded_state(network)
    own = network.state_dict()
    network.load_state_dict({key: own[key] if key.endswith(".pe") else value for key, value in state.items()})
    return network


@pytest.fixture(scope="module")
def networks():
    return {name: seeded(name) for name in PARENTS}


@pytest.fixture(scope="module")
def build(networks):
    def built(name, options=None) -> TorchAdapter:
        return MODELS.load(name)(networks[WEIGHTS_OF.get(name, name)], options=options)

    return built


def track(frames, seed=0, sound=None):
    """Sound of T - 1 frames, as a clip of AVA has, and T crops."""
    rng = np.random.default_rng(seed)
    faces = [rng.integers(0, 256, (30, 24), dtype=np.uint8) for _ in range(frames)]
    samples = max(640 * (frames - 1), 640) if sound is None else sound
    return rng.integers(-3000, 3000, samples).astype(np.int16), faces


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * max(1, float(np.abs(wanted).max())))


@pytest.mark.parametrize("name", [*PARENTS, *HEADS])
@given(lengths=st.lists(st.integers(1, 9), min_size=2, max_size=3), seed=st.integers(0, 9), data=st.data())
@settings(max_examples=3, deadline=None)
def test_a_track_scores_the_same_whatever_is_scored_beside_it(build, name, lengths, seed, data):
    model = build(name)
    tracks = [track(frames, seed + i) for i, frames in enumerate(lengths)]
    alone = [build(name).score_track(audio, faces, FPS) for audio, faces in tracks]
    order = data.draw(st.permutations(range(len(tracks))))
    sounds = {i: model.embed_audio(tracks[i][0], lengths[i], FPS) for i in order}
    sights = {i: model.embed_faces(tracks[i][1]) for i in reversed(order)}
    for i in order:
        scores = model.score(sounds[i], sights[i])
        assert scores.shape == (lengths[i],)
        close(scores, alone[i])


@pytest.mark.parametrize("name", ["talknet", "sync-talknet"])
@pytest.mark.parametrize("chunk", [1, 4, 10, 11])
def test_chunks_of_the_visual_encoder_do_not_show(build, monkeypatch, name, chunk):
    model, (_, faces) = build(name), track(11)
    whole = model.embed_faces(faces)
    assert whole.shape == (1, 11, 512)
    monkeypatch.setattr("asdbench.adapters.torch_adapter.CHUNK", chunk)
    torch.testing.assert_close(model.embed_faces(faces), whole, rtol=1e-5, atol=1e-5)


def test_scores_are_the_log_odds_of_one_forward_pass(build, networks):
    audio, faces = track(6)
    crops = TalkNet(networks["talknet"]).resized(faces)
    with torch.inference_mode():
        mfcc = torch.from_numpy(mfcc_for_frames(audio, 6, FPS))[None]
        probability = networks["talknet"](mfcc, torch.from_numpy(crops)[None].float())[0].double().softmax(1)[:, 1]
    close(build("talknet").score_track(audio, faces, FPS), torch.logit(probability).numpy())


def test_chunks_are_those_of_the_official_evaluation(shared):
    with np.load(shared / "parity" / "sync-talknet" / "unsync.npz") as cases:
        for frames, lengths in zip(cases["chunk_total_len"], cases["chunk_lengths"], strict=True):
            spans = chunks_of(int(frames))
            assert [stop - first for first, stop in spans] == [n for n in lengths if n]
            assert [first for first, _ in spans] == [0, *(stop for _, stop in spans[:-1])]


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of 8 frames; up to 4 more join the last."""
    monkeypatch.setattr("asdbench.adapters.sync_talknet.CHUNK_FRAMES", 8)
    monkeypatch.setattr("asdbench.adapters.sync_talknet.MERGED_FRAMES", 4)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize(("frames", "borders"), [(12, [0, 12]), (13, [0, 8, 13]), (20, [0, 8, 20])])
def test_every_chunk_scores_as_a_track_of_its_own(build, frames, borders):
    audio, faces = track(frames, sound=640 * frames + 99)
    model, whole = build("sync-talknet"), build("sync-talknet", ChunkingOptions(chunking="none"))
    # A chunk hears from its first frame to its last, although the sound goes on.
    wanted = [
        whole.score_track(audio[640 * first : 640 * (stop - 1)], faces[first:stop], FPS)
        for first, stop in pairwise(borders)
    ]
    close(model.score_track(audio, faces, FPS), np.concatenate(wanted))


@pytest.mark.usefixtures("small_chunks")
def test_chunking_shows_in_long_tracks_alone(build):
    chunked, whole = build("sync-talknet"), build("sync-talknet", ChunkingOptions(chunking="none"))
    for frames, same in ((1, True), (12, True), (13, False)):
        audio, faces = track(frames)
        difference = chunked.score_track(audio, faces, FPS) - whole.score_track(audio, faces, FPS)
        assert bool(np.abs(difference).max() <= 1e-5) is same


@pytest.mark.usefixtures("small_chunks")
def test_a_chunk_without_sound_is_an_error(build):
    audio, faces = track(13, sound=640 * 8)
    with pytest.raises(DataError, match=r"has 0\.32 s of audio, but its frames 8 to 12 begin at 0\.32 s"):
        build("sync-talknet").score_track(audio, faces, FPS)


def test_positions_end_where_chunking_is_off(build):
    model = build("sync-talknet", ChunkingOptions(chunking="none"))
    audio, faces = track(401)
    with pytest.raises(UsageError, match=r"positions of 400 frames, but a track has 401; leave out the option"):
        model.embed_audio(audio, 401, FPS)
    with pytest.raises(UsageError, match="a track has 401"):
        model.embed_faces(faces)


def test_off_25_frames_per_second_chunks_are_cut_where_their_frames_are(build, monkeypatch):
    heard = []
    monkeypatch.setattr(
        "asdbench.adapters.sync_talknet.mfcc_for_frames",
        lambda audio, frames, fps: heard.append((len(audio), frames, fps)) or np.zeros((4 * frames, 13), np.float32),
    )
    model = build("sync-talknet")
    assert model.embed_audio(np.ones(16000 * 21, np.int16), 600, 30).shape == (1, 600, 128)
    assert heard == [(132800, 250, 30), (186134, 350, 30)]


@pytest.mark.parametrize("name", ["light-asd-video", "lr-asd-video"])
def test_a_head_over_faces_reads_the_visual_embedding_and_never_listens(build, networks, name):
    audio, faces = track(5)
    model, network = build(name), networks[WEIGHTS_OF[name]]
    scores = model.score_track(audio, faces, FPS)
    np.testing.assert_array_equal(model.score_track(audio[:1], faces, FPS), scores)
    with torch.inference_mode():
        crops = torch.from_numpy(model.resized(faces))[None].float()
        logits = network.lossV(network.embed_faces(crops))[0]
    close(scores, (logits[:, 1] - logits[:, 0]).numpy())


@pytest.mark.parametrize("name", ["light-asd", "lr-asd"])
@pytest.mark.parametrize("scoring", ["ava", "demo"])
def test_faces_alone_are_scored_as_by_the_head_that_is_a_model_of_its_own(build, name, scoring):
    audio, faces = track(30)
    model = build(name, ScoringOptions(scoring=scoring))
    found = model.score_faces(model.embed_faces(faces))
    np.testing.assert_allclose(found, build(f"{name}-video").score_track(audio, faces, FPS), rtol=0, atol=1e-6)
    assert found.dtype == np.float32


@pytest.mark.parametrize("name", ["talknet", "light-asd-video"])
def test_models_without_a_head_over_faces_say_so(build, name):
    assert build(name).score_faces(None) is None


@pytest.mark.parametrize(("name", "stream"), [("talknet-audio", "audio"), ("talknet-video", "visual")])
def test_talknets_heads_read_their_streams_after_cross_attention(build, networks, name, stream):
    audio, faces = track(5)
    model, network = build(name), networks["talknet"]
    with torch.inference_mode():
        sound = network.embed_audio(torch.from_numpy(mfcc_for_frames(audio, 5, FPS))[None])
        sight = network.embed_faces(torch.from_numpy(model.resized(faces))[None].float())
        logits = getattr(network.heads(sound, sight), stream)[0]
    scores = model.score_track(audio, faces, FPS)
    close(scores, (logits[:, 1] - logits[:, 0]).numpy())
    # The docstrings say so: either medium moves either head.
    other_audio, other_faces = track(5, seed=1)
    assert np.abs(model.score_track(other_audio, faces, FPS) - scores).max() > 1e-4
    assert np.abs(model.score_track(audio, other_faces, FPS) - scores).max() > 1e-4


def test_a_head_is_loaded_from_a_checkpoint_of_its_parent(networks, tmp_path):
    for parent in PARENTS:
        torch.save(networks[parent].state_dict(), tmp_path / f"{parent}.model")
    for name in HEADS:
        parent = WEIGHTS_OF[name]
        model = load_model(name, tmp_path / f"{parent}.model")
        assert type(model.scorer).architecture == parent
        assert (model.name, model.adapter, model.info.architecture) == (f"{name}.{parent}", name, parent)
    model = load_model("auto", tmp_path / "sync-talknet.model", options={"chunking": "none"})
    assert isinstance(model.scorer, SyncTalkNet)
    assert model.name == "sync-talknet.sync-talknet[chunking=none]"


def test_a_head_with_published_weights_is_not_named_like_its_parent(shared):
    path = shared / "weights" / "light-asd" / "pretrain_AVA_CVPR.model"
    assert load_model("light-asd-video", path).name == "light-asd-video.ava"
    assert load_model("light-asd", path).name == "light-asd.ava"
