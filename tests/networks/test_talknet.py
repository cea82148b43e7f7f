"""TalkNet against its authors' code, and what the authors' code gets wrong in a batch."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.adapters import MODELS
from asdbench.networks.seeded import seeded_state
from asdbench.networks.talknet import TalkNet
from asdbench.training.losses.frames import frame_cross_entropy
from tests.parity import visual_reach
from tests.talknet import CASES, EMBEDDINGS, SCORES, STREAMS, TalkNetParity


@pytest.fixture(scope="module")
def parity(shared):
    return TalkNetParity("talknet", shared)


@pytest.fixture(scope="module")
def network():
    network = TalkNet().eval()
    network.load_state_dict(seeded_state(network))
    return network


def clips(number, frames, seed=0):
    generator = torch.Generator().manual_seed(seed)
    mfcc = torch.randn(number, 4 * frames, 13, generator=generator)
    return mfcc, torch.randint(0, 256, (number, frames, 112, 112), generator=generator).float()


def test_state_dict_is_the_official_one_in_the_official_order(network, parity):
    entries = [(entry["key"], tuple(entry["shape"])) for entry in parity.manifest()["entries"]]
    assert [(key, tuple(tensor.shape)) for key, tensor in network.state_dict().items()] == entries
    assert len(entries) == 487


def test_parameter_count(network):
    assert sum(parameter.numel() for parameter in network.parameters()) == 15_744_481


@pytest.mark.parametrize("case", CASES)
def test_all_quantities_match_the_official_code(parity, case):
    parity.check("seeded", case, SCORES if case == "T160" else EMBEDDINGS | STREAMS | SCORES)


def test_losses_of_the_three_heads_match_the_official_code(parity):
    labels = torch.from_numpy(parity.outputs["loss__labels_B2T12"])
    with torch.inference_mode():
        logits = parity.networks["seeded"].heads(*parity.embeddings("B2T12"))
    fused, audio, visual = (frame_cross_entropy(each, labels) for each in logits)
    found = {"AV": fused, "A": audio, "V": visual, "total": fused + 0.4 * audio + 0.4 * visual}
    assert {f"loss__{name}" for name in found} | {"loss__labels_B2T12"} == {
        name for name in parity.outputs if name.startswith("loss__")
    }
    for name, loss in found.items():
        assert loss.item() == pytest.approx(float(parity.outputs[f"loss__{name}"]), abs=1e-5), name


def test_face_embeddings_reach_exactly_as_far_as_the_adapter_declares(network):
    assert visual_reach(network) == MODELS.load("talknet").needs.halo == 2


@given(number=st.integers(2, 3), frames=st.integers(1, 6), seed=st.integers(0, 9))
@settings(max_examples=6, deadline=None)
def test_clips_of_a_batch_do_not_see_each_other(network, number, frames, seed):
    mfcc, faces = clips(number, frames, seed)
    with torch.inference_mode():
        together = network(mfcc, faces)
        alone = torch.cat([network(mfcc[i : i + 1], faces[i : i + 1]) for i in range(number)])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-5)


def test_the_official_batch_leaks_where_ours_does_not(parity):
    # Guards the test above: were the clips laid end to end, it would see a difference.
    with torch.inference_mode():
        network = parity.networks["seeded"]
        apart = network.embed_faces(parity._inputs("B2T12")[1])
    moved = (apart - parity.embeddings("B2T12")[1]).abs().amax(dim=2) > 1e-3
    assert moved.nonzero().tolist() == [[0, 10], [0, 11], [1, 0], [1, 1]]


def test_forward_is_the_head_of_both_embeddings(network):
    mfcc, faces = clips(1, 3)
    with torch.inference_mode():
        embeddings = network.embed_audio(mfcc), network.embed_faces(faces)
        assert [tuple(each.shape) for each in embeddings] == [(1, 3, 128), (1, 3, 512)]
        logits = network.head(*embeddings)
        torch.testing.assert_close(network(mfcc, faces), logits, rtol=0, atol=0)
        torch.testing.assert_close(network.heads(*embeddings).fused, logits, rtol=0, atol=0)


def test_the_three_losses_reach_every_parameter_but_the_unused_shortcut():
    network = TalkNet().train()
    mfcc, faces = clips(2, 4)
    logits = network.heads(network.embed_audio(mfcc), network.embed_faces(faces))
    sum(each.square().sum() for each in logits).backward()
    without = {name for name, parameter in network.named_parameters() if parameter.grad is None}
    assert without == {"model.visualFrontend.resnet.layer1.downsample.weight"}
