"""Light-ASD and LR-ASD against their authors' code."""

from __future__ import annotations

import pytest
import torch

from asdbench.adapters import MODELS
from asdbench.networks import ARCHITECTURES
from tests.parity import SHORT_CASES, Parity, visual_reach

FILES = {
    "light-asd": {"ava": "pretrain_AVA_CVPR.model", "talkset": "finetuning_TalkSet.model"},
    "lr-asd": {"ava": "pretrain_AVA.model", "talkset": "finetuning_TalkSet.model"},
}
PARAMETERS = {"light-asd": 1_021_636, "lr-asd": 837_156}


@pytest.fixture(params=list(FILES))
def name(request):
    return request.param


@pytest.fixture
def network(name):
    return ARCHITECTURES.load(name)()


@pytest.fixture
def parity(name, shared):
    return Parity(name, shared, FILES[name])


def test_state_dict_is_the_official_one_in_the_official_order(network, parity):
    entries = [(entry["key"], tuple(entry["shape"])) for entry in parity.manifest()["entries"]]
    assert [(key, tuple(tensor.shape)) for key, tensor in network.state_dict().items()] == entries


def test_parameter_count(name, network):
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("case", SHORT_CASES)
@pytest.mark.parametrize("weights", ["seeded", "ava", "talkset"])
def test_all_quantities_match_the_official_code(parity, weights, case):
    parity.check(weights, case)


def test_a_long_track_matches_the_official_code(parity):
    parity.check("ava", "T160")


def test_visual_embeddings_reach_exactly_as_far_as_the_adapter_declares(name, parity):
    assert visual_reach(parity.network("ava")) == MODELS.load(name).needs.halo


def test_forward_is_the_head_of_both_embeddings(network):
    torch.manual_seed(0)
    network.eval()
    mfcc, faces = torch.randn(2, 12, 13), torch.rand(2, 3, 112, 112) * 255
    with torch.inference_mode():
        logits = network.head(network.embed_audio(mfcc), network.embed_faces(faces))
        assert logits.shape == (2, 3, 2)
        torch.testing.assert_close(network(mfcc, faces), logits, rtol=0, atol=0)


def test_a_loss_reaches_every_parameter_but_the_unused_head(network):
    network.train()
    network(torch.randn(2, 16, 13), torch.rand(2, 4, 112, 112) * 255).square().sum().backward()
    without = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert without == {"lossV.FC.weight", "lossV.FC.bias"}
