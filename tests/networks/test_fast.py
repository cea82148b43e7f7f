"""The faster encoders compute what the plain modules define, and step aside when the weights may change."""

from __future__ import annotations

import copy

import pytest
import torch

from asdbench.adapters import MODELS
from asdbench.networks import ARCHITECTURES
from asdbench.networks.fast import BLOCK, SPAN, Rewritable, optimised, side_by_side, spans, windows
from asdbench.networks.seeded import seeded_state

NAMES = ["light-asd", "lr-asd", "talknet", "sync-talknet", "loconet", "laser-loconet"]


def seeded(name):
    network = ARCHITECTURES.load(name)()
    network.load_state_dict(seeded_state(network))
    return network.eval()


def faces(*shape):
    return torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(1)).float()


def encoder(network):
    (found,) = (module for module in network.modules() if isinstance(module, Rewritable))
    return found


def check(network, seen):
    with torch.inference_mode():
        plain = network.embed_faces(seen)
        network = optimised(copy.deepcopy(network))
        assert encoder(network).faster is not None
        fast = network.embed_faces(seen)
    assert fast.shape == plain.shape
    assert ((fast - plain).abs() / plain.abs().clamp(min=1)).max() <= 1e-5


@pytest.mark.parametrize("name", NAMES)
def test_embeddings_are_those_of_the_plain_module(name):
    check(seeded(name), faces(1, BLOCK + 3, 112, 112))


@pytest.mark.parametrize("name", ["light-asd", "lr-asd", "talknet"])
@pytest.mark.parametrize("frames", [1, 2, 3, 5, BLOCK, 2 * BLOCK + 1])
@pytest.mark.parametrize("side", [32, 45])
def test_so_are_those_of_any_length_and_size(name, frames, side):
    check(seeded(name), faces(2, frames, side, side + 4))


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", ["light-asd", "lr-asd", "talknet"])
def test_several_threads_give_the_same(name, threads):
    threads(3)
    check(seeded(name), faces(1, 2 * SPAN + 40, 32, 32))
    assert torch.get_num_threads() == 3


def test_an_error_in_a_thread_is_raised_and_leaves_the_threads_as_they_were(threads):
    threads(2)
    with pytest.raises(ValueError, match="seven"):
        side_by_side(lambda part: torch.tensor(int("seven")), [torch.zeros(1)] * 3)
    assert torch.get_num_threads() == 2


def test_spans_hold_every_frame_once_and_see_their_halo(threads):
    threads(4)
    frames = torch.arange(2 * SPAN + 5)
    cuts = spans(len(frames), 6)
    assert len(cuts) == 2
    torch.testing.assert_close(torch.cat([frames[seen][kept] for seen, kept in cuts]), frames)
    edge = int(frames[cuts[1][0]][cuts[1][1]][0])
    assert frames[cuts[0][0]][-1] == edge + 5
    assert frames[cuts[1][0]][0] == edge - 6


def test_landmarks_enter_between_stem_and_trunk():
    network, seen = seeded("laser-loconet"), faces(1, 3, 64, 64)
    points = torch.rand(1, 3, 82, 2, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        plain = network.embed_faces(seen, points)
        fast = optimised(network).embed_faces(seen, points)
    torch.testing.assert_close(fast, plain, rtol=1e-5, atol=1e-5)
    assert not torch.equal(fast, network.embed_faces(seen))


@pytest.mark.parametrize("name", ["loconet", "laser-loconet"])
@pytest.mark.parametrize("wanted", [slice(2, 5), slice(0, 1), slice(4, 7)])
def test_wanted_frames_are_those_of_the_whole(name, wanted):
    network, seen = seeded(name), faces(1, 7, 32, 32)
    points = [torch.rand(1, 7, 82, 2)] if name == "laser-loconet" else []
    with torch.inference_mode():
        whole = network.embed_faces(seen, *points)[:, wanted]
        plain = network.embed_faces(seen, *points, wanted=wanted)
        fast = optimised(network).embed_faces(seen, *points, wanted=wanted)
    torch.testing.assert_close(plain, whole, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(fast, whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_the_state_dict_stays_as_it_was(name):
    network = seeded(name)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    after = optimised(network).state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[key], before[key]) for key in before)


@pytest.mark.parametrize(
    "change",
    [
        lambda network: network.train().eval(),
        lambda network: network.load_state_dict(network.state_dict()),
        lambda network: network.double().float(),
    ],
    ids=["training", "state dict", "type"],
)
@pytest.mark.parametrize("name", ["light-asd", "talknet"])
def test_what_may_change_the_weights_takes_the_faster_way_away(name, change):
    network = optimised(seeded(name))
    with torch.no_grad():
        assert encoder(network).faster is not None
        change(network)
        assert encoder(network).faster is None


@pytest.mark.parametrize("name", ["light-asd", "talknet"])
def test_gradients_reach_the_weights_of_an_optimised_network(name):
    network = optimised(seeded(name))
    network.embed_faces(faces(1, 2, 32, 32)).sum().backward()
    weight = next(encoder(network).parameters())
    assert weight.grad is not None
    assert weight.grad.abs().sum() > 0


@pytest.mark.parametrize("name", ["light-asd", "talknet"])
def test_adapters_take_the_faster_way_on_the_cpu(name):
    adapter = MODELS.load(name)(ARCHITECTURES.load(name)())
    with torch.inference_mode():
        assert encoder(adapter.network).faster is not None


def test_windows_are_rectified_and_end_in_zeros():
    given = [torch.tensor([[1.0], [-2.0]]), torch.tensor([[3.0]])]
    seen = [window[:, 0].tolist() for window in windows(iter(given), 1)]
    assert seen == [[0.0, 1.0, 0.0], [1.0, 0.0, 3.0], [0.0, 3.0, 0.0]]
