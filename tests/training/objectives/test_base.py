"""What all objectives share: which recipes they refuse, faces or features, float32 losses."""

from __future__ import annotations

import pytest
import torch

from asdbench.errors import UnknownNameError, UsageError
from asdbench.networks import ARCHITECTURES
from asdbench.training.objectives import OBJECTIVES, base, objective_for
from asdbench.training.objectives import pair_net as pair_net_module
from asdbench.training.objectives import streams as streams_module
from asdbench.training.objectives import talknet as talknet_module
from asdbench.training.objectives import two_stream as two_stream_module
from tests.pair_net import NEEDS_EXTRA
from tests.training.objectives.given import FRAMES, TINY, batch, log_mel_batch, moment, objective, recipe

NAMES = [pytest.param(name, marks=NEEDS_EXTRA) if name == "pair-net" else name for name in OBJECTIVES.names()]
TRAINED = [name for name in NAMES if name != "talknet-vad-lip"]
WITH_FRONT = ["talknet", "sync-talknet", "light-asd", "lr-asd", "talknet-lip"]
FULL = {
    "talknet": {"audio": 0.4, "visual": 0.4, "nce": 0.3, "other_voices": 1, "other_times": 1, "beta": 0.5},
    "sync-talknet": {"audio": 0.4, "visual": 0.4, "nce": 0.3, "other_voices": 1},
    "light-asd": {"visual": 0.5, "temperature": "light-asd", "other_voices": 1, "other_times": 1},
    "lr-asd": {"visual": 0.5, "other_voices": 2},
    "pair-net": {"alpha": "literal", "unimodal": 0.5},
}


def given(name):
    if name == "pair-net":
        return log_mel_batch()
    return batch(around=10 if FULL.get(name, {}).get("other_times") else 0)


def full(name):
    return objective(name, FULL.get(name), epochs=0 if name == "talknet-vad-lip" else 4)


@pytest.mark.parametrize("name", NAMES)
def test_the_network_has_the_keys_of_its_architecture(name):
    built = full(name)
    state = built.state()
    assert list(state) == list(built.network.state_dict())
    if name in ARCHITECTURES.names() and name != "pair-net":  # which is built in the sizes of a checkpoint
        with torch.device("meta"):
            official = list(ARCHITECTURES.load(name)().state_dict())
        assert set(state) <= set(official)
        assert {key.split(".")[0] for key in state} == {key.split(".")[0] for key in official}
    assert any(key.startswith(built.front) for key in state)


@pytest.mark.parametrize("name", TRAINED)
def test_the_loss_carries_the_gradient_and_its_terms_do_not(name):
    found = full(name)(given(name), moment())
    assert found["loss"].shape == ()
    assert found["loss"].requires_grad
    assert len(found) > 1
    assert not any(value.requires_grad for term, value in found.items() if term != "loss")


@pytest.mark.parametrize("name", TRAINED)
def test_the_same_moment_gives_the_same_loss_and_names_the_same_terms_for_silent_clips(name):
    built, clips = full(name), given(name)
    first, again = (built(clips, moment()) for _ in range(2))
    assert all(torch.equal(first[term], again[term]) for term in first)
    silent = built(clips._replace(labels=torch.zeros_like(clips.labels)), moment())
    assert list(silent) == list(first)
    silent["loss"].backward()
    assert all(torch.isfinite(value).all() for value in silent.values())


@pytest.mark.parametrize("name", WITH_FRONT)
def test_what_the_front_end_makes_of_faces_may_stand_in_their_place(name):
    built, clips = full(name), given(name)
    with torch.no_grad():
        features = built.embed_front(clips.faces)
    assert features.shape[:2] == (4, FRAMES)
    assert features.dtype == torch.float32
    of_faces, of_features = built(clips, moment()), built(clips._replace(faces=features), moment())
    assert all(torch.equal(of_faces[term], of_features[term]) for term in of_faces)


@pytest.mark.parametrize("name", WITH_FRONT)
def test_the_front_end_is_exactly_what_has_its_prefix(name):
    built, faces = full(name), batch().faces
    built.embed_front(faces).sum().backward()
    moved = {key for key, weight in built.network.named_parameters() if weight.grad is not None}
    unused = {key for key in built.state() if key.endswith("resnet.layer1.downsample.weight")}
    assert (
        moved | unused == {key for key, _ in built.network.named_parameters() if key.startswith(built.front)} | unused
    )


@pytest.mark.parametrize("name", ["pair-net", "talknet-vad"])
def test_without_such_a_front_end_nothing_can_be_computed_ahead(name):
    if name == "pair-net":
        pytest.importorskip("transformers")
    with pytest.raises(UsageError, match="no visual front end"):
        full(name).embed_front(batch().faces)


@pytest.mark.parametrize("name", TRAINED)
def test_in_lower_precision_the_loss_is_still_computed_in_float32(name, monkeypatch):
    seen = []

    def watched(function):
        def call(*arguments, **options):
            floats = [each for each in arguments if isinstance(each, torch.Tensor) and each.is_floating_point()]
            seen.extend((each.dtype, torch.is_autocast_enabled("cpu")) for each in floats)
            return function(*arguments, **options)

        return call

    for module in (talknet_module, two_stream_module, pair_net_module, streams_module):
        for loss in ("frame_cross_entropy", "contrastive_cross_entropy", "talknce_loss", "pair_net_loss"):
            if hasattr(module, loss):
                monkeypatch.setattr(module, loss, watched(getattr(module, loss)))
    built, clips = full(name), given(name)
    exact = built(clips, moment())
    seen.clear()
    with torch.autocast("cpu", torch.bfloat16):
        found = built(clips, moment())
    assert seen
    assert set(seen) == {(torch.float32, False)}
    assert found["loss"].dtype == torch.float32
    assert not torch.equal(found["loss"], exact["loss"])  # the network did run in bfloat16
    torch.testing.assert_close(found["loss"], exact["loss"], rtol=0.1, atol=0.05)


@pytest.mark.parametrize(
    ("name", "loss", "named"),
    [
        ("talknet", {"temperature": "light-asd"}, "temperature"),
        ("talknet", {"alpha": "linear"}, "alpha"),
        ("light-asd", {"audio": 0.4}, "audio"),
        ("lr-asd", {"nce": 0.3}, "nce"),
        ("talknet-vad", {"other_voices": 1}, "other_voices"),
        ("talknet-lip", {"visual": 0.4}, "visual"),
        pytest.param("pair-net", {"beta": 0.5}, "beta", marks=NEEDS_EXTRA),
    ],
)
def test_a_term_that_the_architecture_does_not_know_is_named(name, loss, named):
    with pytest.raises(UsageError, match=rf"recipe test: loss\.{named} = .* means nothing to {name}"):
        objective_for(recipe(name, loss))


def test_every_term_of_a_loss_is_known_to_some_architecture():
    known = frozenset().union(*(OBJECTIVES.load(name).terms for name in OBJECTIVES.names()))
    assert known == set(base.Loss.__struct_fields__)


def test_an_unknown_architecture_gets_a_suggestion():
    with pytest.raises(UnknownNameError, match=r"no training architecture 'talknot'; did you mean talknet"):
        objective_for(recipe("talknot"))


@pytest.mark.parametrize(
    ("name", "sizes", "message"),
    [
        ("talknet", {"width": 4}, r"model\.sizes has no 'width'; expected some of stem, depth"),
        ("talknet-vad", {"stem": 0}, r"model\.sizes\.stem = 0; expected at least 1"),
        ("talknet-lip", {"stem": "4"}, r"model\.sizes: Expected `int`, got `str`"),
        ("sync-talknet", {"depth": [1, 1, 1]}, "expected a stem of"),
        ("light-asd", TINY, r"light-asd comes in one size; leave model\.sizes \(stem, depth\) out"),
    ],
)
def test_sizes_that_an_architecture_does_not_have(name, sizes, message):
    with pytest.raises(UsageError, match=message):
        objective_for(recipe(name, sizes=sizes))


def test_the_product_is_put_together_and_not_trained():
    with pytest.raises(UsageError, match=r"talknet-vad-lip is put together .* set epochs = 0, not 3"):
        objective_for(recipe("talknet-vad-lip", epochs=3))
    built = full("talknet-vad-lip")
    assert {key.split(".")[0] for key in built.state()} == {"vad", "lip"}
    with pytest.raises(UsageError, match="has no loss"):
        built(batch(), moment())
