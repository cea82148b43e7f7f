"""PAIR-Net as a model: from one file or three, in windows, with each reading that the paper leaves open."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asdbench.adapters import load_model
from asdbench.adapters.pair_net import PairNetAdapter, PairNetOptions, PairNetVideo
from asdbench.checkpoints.identify import identify
from asdbench.checkpoints.pair_net import build_pair_net
from asdbench.errors import CheckpointError, DataError, MissingDependencyError, UsageError
from asdbench.features.whisper import whisper_log_mel
from asdbench.networks.whisper import pool_to_frames
from tests.pair_net import (
    NEEDS_EXTRA,
    REASON,
    TINY,
    fusion_only,
    openai_state,
    tiny_network,
    write_official_av_hubert,
    write_pair_net,
)

RNG = np.random.default_rng(11)
FACES = [RNG.integers(0, 256, (30 + i, 25 + i % 3), dtype=np.uint8) for i in range(33)]
AUDIO = RNG.integers(-5000, 5000, 33 * 640).astype(np.int16)
FEW = 9


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pair-net")


@pytest.fixture(scope="module")
def network():
    return tiny_network()


@pytest.fixture(scope="module")
def fused(folder, network):
    return write_pair_net(folder / "tiny.safetensors", network)


@pytest.fixture(scope="module")
def parts(folder, network):
    """The fusion alone, and both encoders as others would have published them."""
    whisper = folder / "whisper"
    whisper.mkdir()
    state = {f"model.encoder.{key}": value for key, value in network.audio_encoder.state_dict().items()}
    state["model.decoder.embed_tokens.weight"] = torch.ones(3)
    safetensors.torch.save_file(state, whisper / "model.safetensors")
    torch.save(openai_state(network), folder / "openai.pt")
    write_official_av_hubert(folder / "av_hubert.pt", network, "encoder.w2v_model.")
    return fusion_only(folder / "fusion.safetensors", network), whisper, folder / "av_hubert.pt"


@pytest.fixture
def model(fused):
    return load_model("pair-net", fused).scorer


def adapter(network, cls=PairNetAdapter, **options):
    return cls(network, options=PairNetOptions(**options))


def scores(scorer, frames=FEW, audio=AUDIO, fps=25.0):
    return scorer.score_track(audio[: int(frames / fps * 16_000)], FACES[:frames], fps)


def test_a_fused_file_is_known_by_its_content(fused, network):
    info = identify(fused)
    assert info.architectures == ("pair-net",)
    found = load_model("auto", fused)
    assert (found.name, found.adapter, found.fingerprint) == ("pair-net.tiny", "pair-net", None)
    assert found.scorer.network.sizes == TINY
    assert not any(value.is_meta for value in found.scorer.network.state_dict().values())


def test_scores_are_the_log_odds_of_the_head_over_both_streams(model, network):
    resized = np.stack([cv2.resize(face, (112, 112)) for face in FACES[:FEW]])
    sound = AUDIO[: FEW * 640]
    with torch.inference_mode():
        seen = network.visual_encoder((torch.from_numpy(resized)[None].float() / 255 - 0.421) / 0.165)
        mel = torch.from_numpy(whisper_log_mel(sound, 20, 60 * 320))[None]
        heard = pool_to_frames(network.audio_encoder(mel).last_hidden_state[0, : 2 * FEW], FEW)
        logits = network.head(heard[None], seen).fused[0]
    found = scores(model)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, (logits[:, 1] - logits[:, 0]).numpy(), rtol=0, atol=1e-5)


def test_separate_files_give_the_same_scores(fused, parts, folder):
    fusion, whisper, av_hubert = parts
    wanted = scores(load_model("pair-net", fused).scorer)
    fingerprints = set()
    for heard in (whisper, whisper / "model.safetensors", folder / "openai.pt"):
        found = load_model("pair-net", fusion, options={"whisper": str(heard), "av_hubert": str(av_hubert)})
        np.testing.assert_array_equal(scores(found.scorer), wanted)
        fingerprints.add(found.fingerprint)
    assert len(fingerprints) == 2  # of the content, wherever it lies
    assert None not in fingerprints
    elsewhere = shutil.copy(folder / "openai.pt", folder / "copy.pt")
    files = {"whisper": str(elsewhere), "av_hubert": str(av_hubert)}
    assert load_model("pair-net", fusion, options=files).fingerprint in fingerprints


@pytest.mark.parametrize("fused_file", [True, False])
def test_the_audio_part_is_whisper_as_transformers_runs_it(tmp_path, fused_file):
    transformers = pytest.importorskip("transformers", reason=REASON)
    config = transformers.WhisperConfig(
        **{"d_model": 64, "encoder_layers": 3, "encoder_attention_heads": 1, "encoder_ffn_dim": 96, "num_mel_bins": 20},
        **{"decoder_layers": 1, "decoder_attention_heads": 1, "decoder_ffn_dim": 8, "vocab_size": 8},
        **{"pad_token_id": 0, "bos_token_id": 0, "eos_token_id": 0, "decoder_start_token_id": 0},
    )
    torch.manual_seed(4)
    whisper = transformers.WhisperModel(config).eval()
    network = tiny_network(replace(TINY, audio=replace(TINY.audio, feed_forward=96, positions=1500)))
    if fused_file:
        network.audio_encoder.load_state_dict(whisper.encoder.state_dict())
        scorer = load_model("pair-net", write_pair_net(tmp_path / "fused.safetensors", network)).scorer
    else:
        whisper.save_pretrained(tmp_path / "whisper")
        write_official_av_hubert(tmp_path / "seen.pt", network)
        files = {"whisper": str(tmp_path / "whisper"), "av_hubert": str(tmp_path / "seen.pt")}
        scorer = load_model("pair-net", fusion_only(tmp_path / "fusion.safetensors", network), options=files).scorer
    extractor = transformers.WhisperFeatureExtractor(feature_size=20)
    for audio, frames in ((AUDIO, 33), (AUDIO[: 32 * 640 + 5], 33), (AUDIO[: 5 * 640], 5)):
        features = extractor(audio / 32768, sampling_rate=16_000, return_tensors="pt").input_features
        with torch.inference_mode():
            heard = whisper.encoder(features.float()).last_hidden_state[0, : -(-len(audio) // 320)]
        found = scorer.embed_audio(audio, frames, 25.0).vectors
        torch.testing.assert_close(found, pool_to_frames(heard, frames)[None], rtol=0, atol=1e-5)


def test_the_silence_that_fills_the_window_is_not_pooled(network):
    scorer = adapter(network)
    found = scorer.embed_audio(AUDIO[: 4 * 640], 4, 25.0).vectors
    mel = torch.from_numpy(whisper_log_mel(AUDIO[: 4 * 640], 20, 60 * 320))[None]
    with torch.inference_mode():
        heard = network.embed_audio(mel)[0]
    torch.testing.assert_close(found[0], heard[:8].view(4, 2, 64).amax(1), rtol=0, atol=1e-5)
    assert not torch.allclose(found[0], pool_to_frames(heard, 4), atol=1e-3)


def test_the_sound_alone_gives_other_vectors(network):
    alone = adapter(network, audio_window="alone").embed_audio(AUDIO[: 4 * 640 - 100], 4, 25.0).vectors
    mel = torch.from_numpy(whisper_log_mel(AUDIO[: 4 * 640 - 100], 20, 4 * 640))[None]
    with torch.inference_mode():
        wanted = pool_to_frames(network.embed_audio(mel, alone=True)[0], 4)
    torch.testing.assert_close(alone[0], wanted, rtol=0, atol=1e-5)
    assert not torch.allclose(alone, adapter(network).embed_audio(AUDIO[: 4 * 640], 4, 25.0).vectors, atol=1e-3)


def test_a_checkpoint_says_how_it_was_trained_to_hear(network, tmp_path):
    def heard(metadata, **options):
        safetensors.torch.save_file(network.state_dict(), tmp_path / "p.safetensors", metadata=metadata)
        given = PairNetOptions(**options) if options else None
        model = PairNetAdapter.from_checkpoint(tmp_path / "p.safetensors", options=given)
        return model.embed_audio(AUDIO[: 4 * 640], 4, 25.0).vectors

    alone = {"asdbench.audio_window": "alone"}
    padded = heard({})
    assert not torch.allclose(heard(alone), padded, atol=1e-3)
    torch.testing.assert_close(heard(alone), heard({}, audio_window="alone"))
    torch.testing.assert_close(heard(alone, audio_window="padded"), padded)
    with pytest.raises(CheckpointError, match="expected padded or alone"):
        heard({"asdbench.audio_window": "half"})


def test_the_visual_encoder_runs_once_for_all_sounds(network, monkeypatch):
    scorer = adapter(network)
    runs = []
    for name in ("trunk", "transform"):
        whole = getattr(network.visual_encoder, name)
        monkeypatch.setattr(
            network.visual_encoder, name, lambda *inputs, name=name, whole=whole: runs.append(name) or whole(*inputs)
        )
    seen = scorer.embed_faces(FACES[:FEW])
    sounds = [scorer.embed_audio(audio[: FEW * 640], FEW, 25.0) for audio in (AUDIO, AUDIO[::-1].copy())]
    both = [scorer.score(sound, seen) for sound in sounds]
    assert runs == ["trunk", "transform"]
    assert not np.allclose(*both)
    np.testing.assert_array_equal(both[0], scores(adapter(network)))


@pytest.mark.parametrize("chunk", [1, 4, 9, 10])
def test_chunks_do_not_show(network, monkeypatch, chunk):
    scorer = adapter(network)
    whole = scorer.embed_faces(FACES[:10]).features
    monkeypatch.setattr("asdbench.adapters.torch_adapter.CHUNK", chunk)
    torch.testing.assert_close(scorer.embed_faces(FACES[:10]).features, whole, rtol=1e-5, atol=1e-5)


def test_a_long_track_is_scored_in_equal_windows_that_do_not_see_one_another(network):
    scorer = adapter(network)
    heard = scorer.embed_audio(AUDIO, 33, 25.0)
    assert heard.windows == ((0, 16), (16, 33))  # 1.2 seconds, 30 frames, are the most
    whole = scores(scorer, 33)
    changed = AUDIO.copy()
    changed[20 * 640 :] //= 2
    moved = scores(scorer, 33, changed) != whole
    assert moved[16:].any()
    assert not moved[:16].any()
    alone = scorer.embed_audio(AUDIO[16 * 640 :], 17, 25.0).vectors
    torch.testing.assert_close(heard.vectors[:, 16:], alone, rtol=0, atol=1e-5)


def test_faces_of_another_window_matter_only_as_far_as_the_trunk_sees(network):
    scorer = adapter(network)
    whole = scores(scorer, 33)
    for frame, reaches in ((17, True), (18, False)):
        faces = [*FACES[:frame], FACES[0], *FACES[frame + 1 :]]
        assert (scorer.score_track(AUDIO, faces, 25.0) != whole)[:16].any() == reaches


@pytest.mark.parametrize("fps", [25.0, 24.0, 29.97, 30.0])
@pytest.mark.parametrize("frames", [1, 7, 31])
def test_there_is_one_score_per_frame_and_windows_cover_the_track(network, fps, frames):
    scorer = adapter(network, clip_seconds=0.4)
    audio = np.resize(AUDIO, max(160, round((frames - 1) / fps * 16_000)))  # short by one frame, as wavs usually are
    windows = scorer.embed_audio(audio, frames, fps).windows
    assert [first for first, _ in windows] == [0, *(stop for _, stop in windows[:-1])]
    assert windows[-1][1] == frames
    sizes = {stop - first for first, stop in windows}
    assert max(sizes) <= 0.4 * fps
    assert max(sizes) - min(sizes) <= 1
    assert scores(scorer, frames, audio, fps).shape == (frames,)


def test_sound_beyond_the_last_frame_is_not_heard(network):
    scorer = adapter(network)
    found = scorer.score_track(AUDIO, FACES[:FEW], 25.0)
    np.testing.assert_array_equal(found, scores(scorer))


def test_scores_do_not_depend_on_what_was_scored_before(network, fused):
    used, fresh = adapter(network), load_model("pair-net", fused).scorer
    scores(used, 33)
    scores(used, 1)
    np.testing.assert_array_equal(scores(used, 14), scores(fresh, 14))


def test_the_head_over_the_sound_never_looks_at_the_faces(fused, network):
    scorer = load_model("pair-net-audio", fused).scorer
    heard = scorer.embed_audio(AUDIO[: FEW * 640], FEW, 25.0)
    with torch.inference_mode():
        logits = network.fusion.audio_head(heard.vectors[0])
    wanted = (logits[:, 1] - logits[:, 0]).numpy()
    for faces in (FACES[:FEW], FACES[FEW : 2 * FEW]):
        np.testing.assert_allclose(scorer.score(heard, scorer.embed_faces(faces)), wanted, rtol=0, atol=1e-6)
    assert scorer.needs.crop_size is None


def test_the_head_over_the_faces_never_looks_at_the_sound(fused, model, network):
    scorer = load_model("pair-net-video", fused).scorer
    seen = scorer.embed_faces(FACES[:FEW])
    with torch.inference_mode():
        vectors = network.visual_encoder.transform(seen.features)[0]
        logits = network.fusion.visual_head(network.fusion.projector(vectors))
    wanted = (logits[:, 1] - logits[:, 0]).numpy()
    for audio in (AUDIO, AUDIO // 2):
        found = scorer.score(scorer.embed_audio(audio[: FEW * 640], FEW, 25.0), seen)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)


def test_the_other_column_may_be_the_one_that_means_speaking(network):
    np.testing.assert_array_equal(scores(adapter(network, speaking=0)), -scores(adapter(network)))


def test_the_middle_of_a_smaller_picture(network):
    scorer = adapter(network, picture="centre-88")
    assert scorer.needs.crop_size == 96
    pictures = np.stack([cv2.resize(face, (96, 96))[4:92, 4:92] for face in FACES[:3]])
    with torch.inference_mode():
        wanted = network.visual_encoder.trunk((torch.from_numpy(pictures)[None].float() / 255 - 0.421) / 0.165)
    torch.testing.assert_close(scorer.embed_faces(FACES[:3]).features, wanted, rtol=0, atol=1e-5)


def test_twenty_five_pictures_per_second_out_of_fifty(network):
    scorer = adapter(network, resample_from_fps=50.0)
    audio = AUDIO[: 8 * 640]
    faces = [face for face in FACES[:8] for _ in range(2)]
    found = scorer.score_track(audio, faces, 50.0)
    wanted = scores(adapter(network), 8)
    np.testing.assert_allclose(found[::2], wanted, rtol=0, atol=1e-5)
    # Every second frame lies between two pictures, of which it takes one.
    assert all(np.isclose(found[i], found[[i - 1, (i + 1) % 16]], atol=1e-5).any() for i in range(1, 15, 2))
    with pytest.raises(UsageError, match="says 50 frames per second, but this track has 25"):
        scores(scorer)


@settings(max_examples=6)
@example(frames=27, stated=30.0, off=29.99 / 30)
@example(frames=36, stated=29.97, off=0.99989)
@given(
    frames=st.integers(1, 40),
    stated=st.sampled_from([20.0, 29.97, 30.0, 50.0]),
    off=st.floats(0.9991, 1.0009),
)
def test_there_are_as_many_pictures_as_the_stated_rate_has(network, frames, stated, off):
    scorer = adapter(network, PairNetVideo, resample_from_fps=stated)
    scorer.needs = replace(scorer.needs, crop_size=32)
    faces = [FACES[frame % 33] for frame in range(frames)]
    audio = np.resize(AUDIO, round(frames / (stated * off) * 16_000))
    found, wanted = (
        scorer.score_track(audio, faces, stated * off),
        scorer.score_track(np.resize(AUDIO, 40_000), faces, stated),
    )
    assert len(found) == len(wanted) == frames
    heard = (
        scorer.embed_audio(audio, frames, stated * off),
        scorer.embed_audio(np.resize(AUDIO, 40_000), frames, stated),
    )
    # At a lower rate, one picture less may fit into a window, whose borders the scores depend on.
    if heard[0].windows == heard[1].windows:
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("fps", [30 / 1.001, 30.0, 30.02])
def test_sound_does_not_drift_away_from_pictures_counted_by_the_stated_rate(network, monkeypatch, fps):
    scorer, heard = adapter(network, resample_from_fps=30.0), []
    monkeypatch.setattr(
        scorer, "_hear", lambda sound, window: heard.append(len(sound)) or torch.empty(window[1] - window[0], 0)
    )
    frames = 3000  # 100.1 s at the first rate, of which 25 pictures a second would hear 100
    audio = np.zeros(round(frames / fps * 16_000), np.int16)
    windows = scorer.embed_audio(audio, frames, fps).windows
    assert windows[-1][1] == 2500
    assert abs(sum(heard) - len(audio)) <= len(windows)
    assert max(heard) <= 60 * 320


@pytest.mark.parametrize("fps", [30.0, 50.0, 20.0])
def test_the_declared_reach_of_resampled_pictures_is_enough(network, fps):
    scorer = adapter(network, resample_from_fps=fps)
    faces = [FACES[0]] * 24
    still = scorer.embed_faces(faces).features[0]
    for frame in (11, 12, 13):
        moved = (scorer.embed_faces([*faces[:frame], FACES[1], *faces[frame + 1 :]]).features[0] != still).any(1)
        pictures = scorer.embed_audio(AUDIO[: int(24 / fps * 16_000)], 24, fps).pictures
        reached = moved[pictures].nonzero().flatten()
        assert all(abs(int(other) - frame) <= scorer.needs.halo for other in reached)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"clip_seconds": "31"}, "clip_seconds"),
        ({"picture": "half"}, "picture"),
        ({"wisper": "x"}, "no option 'wisper'"),
    ],
)
def test_options_that_are_none(fused, options, words):
    with pytest.raises(UsageError, match=words):
        load_model("pair-net", fused, options=options)


@pytest.mark.parametrize(
    ("audio", "frames", "fps", "words"),
    [
        (AUDIO[:0], 4, 25.0, r"no sound from 0.00 to 0.16 s"),
        (AUDIO[: 12 * 640], 33, 25.0, r"no sound from 0.64 to 1.32 s"),
        (AUDIO, 0, 25.0, "0 frames"),
        (AUDIO, 4, float("nan"), "frame rate"),
        (AUDIO, 4, 0.01, "not one frame fits"),
    ],
)
def test_tracks_that_cannot_be_heard(network, audio, frames, fps, words):
    with pytest.raises(DataError, match=words):
        adapter(network).embed_audio(audio, frames, fps)


def test_files_that_are_missing_or_too_many(fused, parts):
    fusion, whisper, _ = parts
    with pytest.raises(UsageError, match=r"holds no audio_encoder; name a file with the option whisper=FILE"):
        load_model("pair-net", fusion)
    with pytest.raises(UsageError, match=r"holds no visual_encoder; .* av_hubert=FILE"):
        load_model("pair-net", fusion, options={"whisper": str(whisper)})
    with pytest.raises(UsageError, match=r"holds its own audio_encoder; leave the option whisper out"):
        load_model("pair-net", fused, options={"whisper": str(whisper)})


def test_files_that_do_not_fit(fused, parts, folder, network, tmp_path):
    fusion, whisper, av_hubert = parts
    with pytest.raises(CheckpointError, match=r"av_hubert\.pt holds no Whisper encoder"):
        load_model("pair-net", fusion, options={"whisper": str(av_hubert), "av_hubert": str(av_hubert)})
    with pytest.raises(CheckpointError, match=r"openai\.pt is no AV-HuBERT checkpoint"):
        load_model("pair-net", fusion, options={"whisper": str(whisper), "av_hubert": str(folder / "openai.pt")})
    with pytest.raises(CheckpointError, match=r"holds neither model\.safetensors nor pytorch_model\.bin"):
        load_model("pair-net", fusion, options={"whisper": str(tmp_path), "av_hubert": str(av_hubert)})
    with pytest.raises(CheckpointError, match=r"is no checkpoint of PAIR-Net: .* 'encoder\.w2v_model"):
        load_model("pair-net", av_hubert)
    state = network.state_dict()
    for key in ("audio_encoder.layers.1.fc2.bias", "visual_encoder.encoder.layer_norm.bias", "fusion.head.bias"):
        torch.save({other: value for other, value in state.items() if other != key}, tmp_path / "less.pt")
        with pytest.raises(CheckpointError, match=rf"1 missing \({re.escape(key.partition('.')[2])}\)"):
            load_model("pair-net", tmp_path / "less.pt")
    torch.save({**state, "fusion.projector.weight": torch.ones(64, 4)}, tmp_path / "odd.pt")
    with pytest.raises(CheckpointError, match=r"projector.weight \(float32 \[64, 4\] instead of float32 \[64, 128\]\)"):
        load_model("pair-net", tmp_path / "odd.pt")


@NEEDS_EXTRA
def test_training_starts_from_published_encoders(parts, network):
    _, whisper, av_hubert = parts
    built = build_pair_net(whisper, av_hubert)
    assert built.sizes == TINY
    wanted = network.state_dict()
    for key, value in built.state_dict().items():
        assert torch.equal(value, wanted[key]) != key.startswith("fusion."), key


def test_without_the_extra_the_message_says_what_to_install(fused, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert identify(fused).architecture == "pair-net"
    with pytest.raises(MissingDependencyError, match=r"pip install 'asdbench\[pairnet\]'"):
        load_model("pair-net", fused)


def test_a_face_size_in_the_metadata_is_what_the_network_sees(tmp_path, network):
    path = tmp_path / "small.safetensors"
    state = {key: value.clone() for key, value in network.state_dict().items()}
    safetensors.torch.save_file(state, path, {"asdbench.face_size": "64"})
    assert load_model("pair-net", path).scorer.needs.crop_size == 64
    assert load_model("pair-net", path, options={"picture": "centre-88"}).scorer.needs.crop_size == 96


def test_half_precision_weights_are_taken(tmp_path, network):
    path = tmp_path / "half.safetensors"
    half = {key: value.half() if value.is_floating_point() else value for key, value in network.state_dict().items()}
    safetensors.torch.save_file(half, path)
    found = load_model("pair-net", path).scorer
    assert {value.dtype for value in found.network.parameters()} == {torch.float32}
    np.testing.assert_allclose(scores(found), scores(adapter(network)), rtol=0, atol=0.1)
