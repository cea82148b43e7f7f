"""PAIR-Net, which has no official code: every line that its specification says can be checked without weights."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.errors import CheckpointError, MissingDependencyError, UsageError
from asdbench.networks import ARCHITECTURES
from asdbench.networks.av_hubert import LARGE, AvHubertTraining
from asdbench.networks.pair_net import PairNet, PairNetSizes, freeze, freezing, part_of
from asdbench.networks.seeded import seeded_state
from asdbench.networks.whisper import (
    MEDIUM,
    WhisperSizes,
    encode_alone,
    encode_window,
    pool_to_frames,
    whisper_encoder,
    whisper_encoder_state,
)
from tests.pair_net import AUDIO, NEEDS_EXTRA, REASON, TINY, openai_state, tiny_network


@pytest.fixture(scope="module")
def network():
    return tiny_network()


@cache
def shared_network():
    """For tests that hypothesis repeats."""
    return tiny_network()


def mel(frames_of_sound, seed=0):
    """Spectrogram of the whole window, with something behind the clip too, and how many vectors are the clip's."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(1, AUDIO.mels, 2 * AUDIO.positions, generator=generator), frames_of_sound


def faces(frames, seed=0):
    return torch.randint(0, 256, (1, frames, 20, 20), generator=torch.Generator().manual_seed(seed)).float()


def test_sizes_are_those_of_the_checkpoint(network):
    assert PairNetSizes.of(network.state_dict(), "here") == TINY
    assert network.fusion.projector.weight.shape == (64, 128)
    assert network.audio_encoder.config.encoder_attention_heads == 1
    assert network.embed_audio(torch.zeros(1, 20, 120)).shape == (1, 60, 64)


def test_defaults_are_whisper_medium_and_av_hubert_large():
    pytest.importorskip("transformers", reason=REASON)
    with torch.device("meta"):
        network = PairNet()
    assert network.sizes == PairNetSizes(MEDIUM, LARGE)
    assert sum(parameter.numel() for parameter in network.audio_encoder.parameters()) == 307_216_384
    assert sum(parameter.numel() for parameter in network.fusion.parameters()) == 1024 * 1024 + 1024 + 3 * (
        2 * 1024 + 2
    )


@pytest.mark.parametrize(
    ("mels", "blocks", "width", "feed_forward", "parameters"),
    [(80, 32, 1280, 5120, 636_784_640), (128, 32, 1280, 5120, 636_968_960)],
)
def test_the_other_whispers_that_the_paper_may_mean(mels, blocks, width, feed_forward, parameters):
    pytest.importorskip("transformers", reason=REASON)
    with torch.device("meta"):
        encoder = whisper_encoder(WhisperSizes(mels, width, blocks, feed_forward))
    assert sum(parameter.numel() for parameter in encoder.parameters()) == parameters
    assert WhisperSizes.of(encoder.state_dict(), "here") == WhisperSizes(mels, width, blocks, feed_forward)


@pytest.mark.parametrize(("vectors", "frames"), [(50, 25), (10, 5), (13, 7), (10, 3), (3, 7), (1, 4), (7, 7)])
def test_pooling_takes_the_maximum_over_the_share_of_each_frame(vectors, frames):
    heard = torch.randn(vectors, 5)
    wanted = [
        heard[math.floor(i * vectors / frames) : math.ceil((i + 1) * vectors / frames)].amax(0) for i in range(frames)
    ]
    found = pool_to_frames(heard, frames)
    assert found.shape == (frames, 5)
    torch.testing.assert_close(found, torch.stack(wanted), rtol=0, atol=0)


def test_at_25_frames_per_second_each_frame_has_two_vectors_of_its_own():
    heard = torch.randn(12, 4)
    torch.testing.assert_close(pool_to_frames(heard, 6), heard.view(6, 2, 4).amax(1), rtol=0, atol=0)


def test_the_streams_are_added_after_the_projection(network):
    audio, seen = torch.randn(2, 3, 64), torch.randn(2, 3, 128)
    logits = network.head(audio, seen)
    fusion = network.fusion
    projected = seen @ fusion.projector.weight.T + fusion.projector.bias
    for found, head, vectors in (
        (logits.fused, fusion.head, projected + audio),
        (logits.visual, fusion.visual_head, projected),
        (logits.audio, fusion.audio_head, audio),
    ):
        torch.testing.assert_close(found, vectors @ head.weight.T + head.bias, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("vectors", "frames"), [(12, 6), (10, 5), (4, 9)])
def test_there_is_one_answer_for_each_frame(network, vectors, frames):
    spectrogram, own = mel(vectors)
    with torch.inference_mode():
        logits = network(spectrogram, [own], faces(frames), [frames])
        heard = pool_to_frames(network.embed_audio(spectrogram)[0, :vectors], frames)[None]
        wanted = network.head(heard, network.embed_faces(faces(frames)))
    for found, other in zip(logits, wanted, strict=True):
        assert found.shape == (1, frames, 2)
        torch.testing.assert_close(found, other, rtol=0, atol=1e-5)


@NEEDS_EXTRA
@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(1, 9)), min_size=2, max_size=4),
    st.randoms(use_true_random=False),
)
def test_a_clip_does_not_see_the_others_of_its_batch(lengths, random):
    network = shared_network()
    order = list(range(len(lengths)))
    random.shuffle(order)
    longest = max(frames for _, frames in lengths)
    sounds = [mel(vectors, seed)[0] for seed, (vectors, _) in enumerate(lengths)]
    seen = [faces(frames, seed) for seed, (_, frames) in enumerate(lengths)]
    # 200 where there is no frame: what fills up a batch must not matter.
    batch = torch.cat(
        [torch.nn.functional.pad(seen[i], (0, 0, 0, 0, 0, longest - seen[i].shape[1]), value=200) for i in order]
    )
    vectors, frames = zip(*(lengths[i] for i in order), strict=True)
    with torch.inference_mode():
        together = network(torch.cat([sounds[i] for i in order]), vectors, batch, frames)
        for row, i in enumerate(order):
            alone = network(sounds[i], [lengths[i][0]], seen[i], [lengths[i][1]])
            for found, wanted in zip(together, alone, strict=True):
                error = (found[row, : lengths[i][1]] - wanted[0]).abs() / wanted[0].abs().clamp(min=1)
                assert float(error.max()) <= 1e-5


def test_a_clip_alone_is_what_an_encoder_of_its_own_length_makes_of_it(network):
    vectors = 17
    short = whisper_encoder(replace(AUDIO, positions=vectors))
    state = network.audio_encoder.state_dict()
    short.load_state_dict({**state, "embed_positions.weight": state["embed_positions.weight"][:vectors]})
    spectrogram = torch.randn(2, AUDIO.mels, 2 * vectors)
    with torch.inference_mode():
        wanted = encode_window(short.eval(), spectrogram)
        torch.testing.assert_close(encode_alone(network.audio_encoder, spectrogram), wanted, rtol=0, atol=1e-5)
        odd = encode_alone(network.audio_encoder, spectrogram[..., :-1])
    assert odd.shape == (2, vectors, 64)


def test_a_batch_of_clips_alone_must_be_of_one_length(network):
    with pytest.raises(UsageError, match=r"equally long, not \[4, 5\]"):
        network(torch.zeros(2, 20, 10), [4, 5], faces(2).repeat(2, 1, 1, 1), [2, 2], alone=True)
    logits = network(torch.zeros(1, 20, 10), [5], faces(2), [2], alone=True)
    assert logits.fused.shape == (1, 2, 2)


def test_the_first_blocks_of_whisper_and_its_convolutions_get_no_gradient():
    network = tiny_network(training=AvHubertTraining(layer_drop=0))
    found = freeze(network, blocks=2)
    assert found == freezing(network, blocks=2)
    network.train()
    logits = network(*(mel(12)[0], [12]), faces(5), [5])
    sum(each.square().sum() for each in logits).backward()
    without = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert without == set(found.frozen)
    parts = {name.removeprefix("audio_encoder.").rsplit(".", 1)[0] for name in found.frozen}
    assert {part for part in parts if not part.startswith("layers.")} == {"conv1", "conv2", "embed_positions"}
    assert {part.split(".")[1] for part in parts if part.startswith("layers.")} == {"0", "1"}
    trained = {name for name in found.trained if name.startswith("audio_encoder.")}
    assert {name.split(".")[1] for name in trained} == {"layers", "layer_norm"}
    assert sorted(found.frozen + found.trained) == sorted(name for name, _ in network.named_parameters())


def test_ten_blocks_are_frozen_unless_told_otherwise(network):
    with pytest.raises(UsageError, match=r"10 blocks .* are to be frozen, but it has 3"):
        freezing(network)
    pytest.importorskip("transformers", reason=REASON)
    with torch.device("meta"):
        frozen = freezing(PairNet(PairNetSizes(replace(AUDIO, blocks=24), TINY.visual))).frozen
    assert {name.split(".")[2] for name in frozen if ".layers." in name} == set(map(str, range(10)))


def test_whisper_files_of_both_layouts_give_the_same_encoder(network):
    state = network.audio_encoder.state_dict()
    layouts = [
        state,
        {f"model.encoder.{key}": value for key, value in state.items()}
        | {"model.decoder.layer_norm.bias": torch.ones(1)},
        {f"encoder.{key}": value for key, value in state.items()} | {"decoder.embed_tokens.weight": torch.ones(1)},
        openai_state(network),
    ]
    for layout in layouts:
        found = whisper_encoder_state(layout, "here")
        assert set(found) == set(state)
        assert all(torch.equal(found[key], state[key]) for key in state)
        assert WhisperSizes.of(found, "here") == AUDIO
    assert "encoder.positional_embedding" in layouts[3]


def test_files_that_are_no_whisper(network):
    state = network.audio_encoder.state_dict()
    with pytest.raises(CheckpointError, match=r"some\.pt holds no Whisper encoder: expected the keys"):
        whisper_encoder_state({"w": torch.ones(1)}, "some.pt")
    with pytest.raises(CheckpointError, match=r"'conv1\.weight', which tells a size, is missing"):
        WhisperSizes.of({}, "some.pt")
    with pytest.raises(CheckpointError, match=r"'conv1\.weight', which tells a size, has the shape \[3\]"):
        WhisperSizes.of({**state, "conv1.weight": torch.ones(3)}, "some.pt")
    with pytest.raises(CheckpointError, match="a multiple of 64"):
        WhisperSizes.of({**state, "conv1.weight": torch.ones(72, 20, 3)}, "some.pt")


def test_a_checkpoint_of_any_size_is_recognised(network):
    assert ARCHITECTURES.load("pair-net") is PairNet
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    assert PairNet.recognises(shapes)
    assert PairNet.recognises({key: shape for key, shape in shapes.items() if key.startswith("fusion.")})
    assert not PairNet.recognises({**shapes, "surprise": (1,)})
    assert not PairNet.recognises({**shapes, "fusion.audio_head.weight": (3, 64)})
    assert not PairNet.recognises({key: shape for key, shape in shapes.items() if not key.startswith("fusion.")})
    assert not PairNet.recognises({})


def test_without_the_extra_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'asdbench\[pairnet\]'"):
        PairNet(TINY)


def test_seeded_weights_belong_to_every_part(network):
    state = seeded_state(network)
    assert {key.split(".")[0] for key in state} == {"audio_encoder", "visual_encoder", "fusion"}
    assert part_of({"a.b": torch.ones(1), "c.d": torch.zeros(1)}, "a.") == {"b": torch.ones(1)}
