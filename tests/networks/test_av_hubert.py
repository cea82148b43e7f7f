"""The visual path of AV-HuBERT against its authors' code, and against the same transformer elsewhere."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from asdbench.errors import CheckpointError
from asdbench.networks.av_hubert import (
    BASE,
    LARGE,
    AvHubertSizes,
    AvHubertTraining,
    AvHubertVisualEncoder,
    visual_path,
)
from asdbench.networks.av_hubert_trunk import TRUNK_HALO, normalised
from asdbench.networks.seeded import seeded_array, seeded_state
from tests.pair_net import REASON, VISUAL

SIZES = {"base": (BASE, 102_539_648), "large": (LARGE, 324_515_456)}
ATOL = 2e-5


class Fixture:
    def __init__(self, shared, size):
        folder = shared / "parity" / f"av-hubert-visual-{size}"
        self.manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["entries"]
        with np.load(folder / "inputs.npz") as inputs:
            self.inputs = {name: torch.from_numpy(inputs[name]) for name in inputs.files}
        with np.load(folder / "outputs.npz") as outputs:
            self.outputs = {name: outputs[name] for name in outputs.files}

    @property
    def mouths(self):
        return normalised(self.inputs["roi96_uint8"][:, :, 4:92, 4:92])

    def check(self, name, found):
        np.testing.assert_allclose(found.numpy(), self.outputs[name], rtol=0, atol=ATOL, err_msg=name)


@pytest.fixture(params=list(SIZES))
def size(request):
    return request.param


@pytest.fixture
def fixture(shared, size):
    return Fixture(shared, size)


def built(sizes=VISUAL, training=None):
    network = AvHubertVisualEncoder(sizes, training)
    network.load_state_dict(seeded_state(network))
    return network.eval()


@cache
def shared_network():
    """For tests that hypothesis repeats."""
    return built()


def clip(frames, side=24, seed=0):
    return torch.randn(1, frames, side, side, generator=torch.Generator().manual_seed(seed))


def test_the_state_dict_is_the_visual_path_of_the_official_one(size, fixture):
    sizes, parameters = SIZES[size]
    with torch.device("meta"):
        network = AvHubertVisualEncoder(sizes)
        official = {entry["key"]: torch.empty(entry["shape"]) for entry in fixture.manifest}
    path = visual_path(official, "here")
    assert list(path) == [entry["key"] for entry in fixture.manifest if entry["visual_path"]]
    assert [(key, value.shape) for key, value in network.state_dict().items()] == [
        (key, value.shape) for key, value in path.items()
    ]
    assert AvHubertSizes.of(path, "here") == sizes
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


def test_all_but_the_blocks_matches_the_official_code(size, fixture):
    network = built(AvHubertSizes(width=SIZES[size][0].width, blocks=0))
    fixture.check("x88_frame0_first", fixture.mouths[0, 0])
    with torch.inference_mode():
        fixture.check("face112_resnet", network.trunk(normalised(fixture.inputs["face112_uint8"])))
        features = network.trunk(fixture.mouths)
        fixture.check("roi88_resnet", features)
        projected = network.feature_extractor_video.proj(features[:1])
        fixture.check("roi88_proj", projected)
        fused = network.fuse_with_silence(projected)
        fixture.check("roi88_post_extract_proj", fused)
        fixture.check("roi88_pos_conv", functional.gelu(network.encoder.pos_conv[0](fused)))


@pytest.mark.parametrize("size", ["base", pytest.param("large", marks=pytest.mark.slow)])
def test_the_encoder_matches_the_official_code(size, shared):
    fixture = Fixture(shared, size)
    with torch.device("meta"):
        network = AvHubertVisualEncoder(SIZES[size][0])
    state = {e["key"]: torch.from_numpy(seeded_array(e["key"], tuple(e["shape"]))) for e in fixture.manifest}
    network.load_state_dict(visual_path(state, "here"), assign=True)
    network.eval()
    last = {}
    network.encoder.layer_norm.register_forward_pre_hook(lambda _, inputs: last.update(block=inputs[0][:1]))
    valid = torch.arange(20) < fixture.inputs["roi_padding_lengths"][:, None]
    with torch.inference_mode():
        fixture.check("roi88_encoder_out", network(fixture.mouths))
        fixture.check("roi88_last_block_before_final_norm", last["block"])
        fixture.check("face112_encoder_out", network(normalised(fixture.inputs["face112_uint8"])))
        padded = network(fixture.mouths * valid[..., None, None], valid)
    wanted = fixture.outputs["roi88_padded_encoder_out"][0, :14]
    np.testing.assert_allclose(padded[1, :14].numpy(), wanted, rtol=0, atol=ATOL)


def test_the_transformer_is_that_of_hubert():
    transformers = pytest.importorskip("transformers", reason=REASON)
    from transformers.models.hubert.modeling_hubert import HubertEncoderStableLayerNorm

    other = HubertEncoderStableLayerNorm(
        transformers.HubertConfig(
            attn_implementation="eager",
            hidden_size=VISUAL.width,
            num_hidden_layers=VISUAL.blocks,
            num_attention_heads=VISUAL.width // 64,
            intermediate_size=VISUAL.feed_forward,
            hidden_act="gelu",
            num_conv_pos_embeddings=VISUAL.taps,
            num_conv_pos_embedding_groups=VISUAL.groups,
        )
    )
    network = built()
    names = {
        "pos_conv.0.weight_g": "pos_conv_embed.conv.parametrizations.weight.original0",
        "pos_conv.0.weight_v": "pos_conv_embed.conv.parametrizations.weight.original1",
        "pos_conv.0.": "pos_conv_embed.conv.",
        "self_attn.": "attention.",
        "self_attn_layer_norm": "layer_norm",
        "fc1": "feed_forward.intermediate_dense",
        "fc2": "feed_forward.output_dense",
    }
    state = {}
    for key, value in network.encoder.state_dict().items():
        for old, new in names.items():
            key = key.replace(old, new)
        state[key] = value
    other.load_state_dict(state)
    features = torch.randn(2, 11, 8 * VISUAL.stem)
    with torch.inference_mode():
        fused = network.fuse_with_silence(network.feature_extractor_video.proj(features))
        wanted = other.eval()(fused).last_hidden_state
        torch.testing.assert_close(network.transform(features), wanted, rtol=0, atol=1e-5)


def test_silence_is_zeros_before_the_normalisation_over_both_halves():
    network = built()
    projected = torch.randn(1, 3, VISUAL.width)
    both = torch.cat([torch.zeros(1, 3, VISUAL.width), projected], dim=2)
    centred = (both - both.mean(2, keepdim=True)) / (both.var(2, unbiased=False, keepdim=True) + 1e-5).sqrt()
    normal = centred * network.layer_norm.weight + network.layer_norm.bias
    wanted = normal @ network.post_extract_proj.weight.T + network.post_extract_proj.bias
    torch.testing.assert_close(network.fuse_with_silence(projected), wanted, rtol=0, atol=1e-5)


def test_trunk_features_reach_exactly_as_far_as_declared():
    network, pictures = built(), clip(11)
    changed = pictures.clone()
    changed[:, 5] += 1
    with torch.inference_mode():
        moved = (network.trunk(pictures) != network.trunk(changed)).any(dim=2)[0]
    assert moved.nonzero().flatten().tolist() == list(range(5 - TRUNK_HALO, 5 + TRUNK_HALO + 1))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 12), min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_a_clip_does_not_see_the_others_of_its_batch(lengths, random):
    network = shared_network()
    clips = [clip(frames, seed=seed) for seed, frames in enumerate(lengths)]
    order = list(range(len(clips)))
    random.shuffle(order)
    longest = max(lengths)
    batch = torch.cat([functional.pad(clips[i], (0, 0, 0, 0, 0, longest - lengths[i])) for i in order])
    valid = torch.arange(longest) < torch.tensor([lengths[i] for i in order])[:, None]
    with torch.inference_mode():
        together = network(batch, valid)
        for row, index in enumerate(order):
            alone = network(clips[index])[0]
            scale = alone.abs().clamp(min=1)
            assert float(((together[row, : lengths[index]] - alone) / scale).abs().max()) <= 1e-5


def test_frames_that_fill_up_a_batch_do_not_enter_its_statistics():
    network = built(training=AvHubertTraining(dropout=0, layer_drop=0)).train()
    pictures = clip(6)
    network.trunk(pictures)
    alone = {key: value.clone() for key, value in network.state_dict().items()}
    network = built(training=AvHubertTraining(dropout=0, layer_drop=0)).train()
    network.trunk(functional.pad(pictures, (0, 0, 0, 0, 0, 4)), torch.arange(10)[None] < 6)
    for key, value in network.state_dict().items():
        torch.testing.assert_close(value, alone[key], rtol=0, atol=1e-6)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_batch_normalisation_learns_statistics_only_where_asked(mode):
    network = built(training=AvHubertTraining(batch_norm=mode)).train()
    before = network.feature_extractor_video.resnet.frontend3D[1].running_mean.clone()
    network(clip(3))
    same = torch.equal(before, network.feature_extractor_video.resnet.frontend3D[1].running_mean)
    assert same == (mode == "eval")
    assert network.encoder.training


def test_the_gradient_of_the_trunk_can_be_scaled_and_its_features_stay():
    gradients, features = [], []
    for scale in (1.0, 0.1):
        network = built(training=AvHubertTraining(trunk_gradient=scale))
        found = network(clip(3))
        found.square().sum().backward()
        features.append(found.detach())
        gradients.append(network.feature_extractor_video.resnet.frontend3D[0].weight.grad)
        assert network.post_extract_proj.weight.grad.abs().max() > 0
    torch.testing.assert_close(features[1], features[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(gradients[1], gradients[0] * 0.1, rtol=1e-3, atol=1e-6)


def test_blocks_are_dropped_in_training_only():
    network = built(training=AvHubertTraining(dropout=0, layer_drop=1.0, batch_norm="eval"))
    features = torch.randn(1, 4, 8 * VISUAL.stem)
    with torch.inference_mode():
        whole = network.transform(features)
        network.train()
        bare = network.transform(features)
        network.encoder.layers = torch.nn.ModuleList()
        torch.testing.assert_close(bare, network.eval().transform(features))
    assert not torch.allclose(bare, whole)


@pytest.mark.parametrize("prefix", ["", "model.", "encoder.w2v_model."])
def test_official_files_are_read_below_each_prefix_without_what_pictures_do_not_need(prefix):
    state = built().state_dict()
    extra = {
        "final_proj.weight": torch.ones(1),
        "mask_emb": torch.ones(1),
        "feature_extractor_audio.proj.bias": torch.ones(1),
    }
    official = {prefix + key: value for key, value in {**state, **extra}.items()}
    if prefix == "encoder.w2v_model.":
        official["decoder.embed_tokens.weight"] = torch.ones(1)
    found = visual_path(official, "here")
    assert list(found) == list(state)
    assert AvHubertSizes.of(found, "here") == VISUAL


def test_files_that_are_none():
    state = built().state_dict()
    with pytest.raises(CheckpointError, match=r"some.pt is no AV-HuBERT checkpoint: it has no 'feature_extr"):
        visual_path({"w": torch.ones(1)}, "some.pt")
    with pytest.raises(CheckpointError, match=r"holds 1 keys that no AV-HuBERT .*'surprise'"):
        visual_path({**state, "surprise": torch.ones(1)}, "some.pt")
    with pytest.raises(CheckpointError, match=r"'encoder.layers.0.fc1.weight', which tells a size, is missing"):
        AvHubertSizes.of({key: value for key, value in state.items() if ".0.fc1." not in key}, "some.pt")
    key = "feature_extractor_video.proj.weight"
    with pytest.raises(CheckpointError, match=r"'feature_extractor_video.proj.weight'.* has the shape \[3\]"):
        AvHubertSizes.of({**state, key: torch.ones(3)}, "some.pt")
    taps = "encoder.pos_conv.0.weight_v"
    for width, groups in ((96, 24), (128, 0), (192, 24)):
        with pytest.raises(CheckpointError, match=f"its transformer is {width} wide"):
            AvHubertSizes.of({**state, key: torch.ones(width, 16), taps: torch.ones(width % 160, groups, 8)}, "some.pt")
