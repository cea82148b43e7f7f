"""TalkNet's and Sync-TalkNet's whole objectives: against their authors' losses, and where gradients go."""

from __future__ import annotations

import pytest
import torch

from asdbench.training.batch import Batch
from asdbench.training.freezing import freeze, train_unfrozen
from asdbench.training.losses.talknce import talknce_loss
from asdbench.training.objectives import objective_for
from tests.talknet import TalkNetParity
from tests.training.objectives.given import AROUND, batch, moment, objective, recipe

UNUSED = "model.visualFrontend.resnet.layer1.downsample.weight"
HEADS = {"audio": 0.4, "visual": 0.4}


@pytest.mark.parametrize(
    ("name", "weights", "loss"),
    [
        ("talknet", "seeded", HEADS),
        ("sync-talknet", "seeded_formula_pe", {**HEADS, "other_voices": 1}),
    ],
)
def test_the_objective_is_that_of_the_official_code(shared, name, weights, loss):
    parity = TalkNetParity(name, shared)
    built = objective_for(recipe(name, loss, sizes={})).eval()
    built.network.load_state_dict(parity.networks[weights].state_dict())
    mfcc, _ = parity._inputs("B2T12")
    # The official front end lets the clips of a batch run into one another; ours does not, so its output is given.
    _, faces = parity.embeddings("B2T12")
    labels = torch.from_numpy(parity.outputs["loss__labels_B2T12"])
    nothing = torch.zeros(2, dtype=torch.int64)
    found = built(Batch(mfcc, faces.clone(), labels, nothing, nothing), moment())
    names = {"loss": "total", "fused": "AV", "audio": "A", "visual": "V"}
    if name == "sync-talknet":  # two clips can be exchanged in one way only: the recorded permutation
        assert parity.outputs["loss__visual_permutation"].tolist() == [1, 0]
        names["pairs"] = "AV_exchanged_part_only"
    assert set(found) == set(names)
    for term, recorded in names.items():
        assert float(found[term].detach()) == pytest.approx(float(parity.outputs[f"loss__{recorded}"]), abs=1e-5), term


def test_the_total_is_the_weighted_sum_of_its_terms():
    loss = {"audio": 0.3, "visual": 0.6, "nce": 0.2, "other_voices": 1, "other_times": 1, "beta": 0.5}
    found = objective("talknet", loss)(batch(AROUND), moment())
    terms = {"fused": 1, "audio": 0.3, "visual": 0.6, "nce": 0.2}
    torch.testing.assert_close(found["loss"].detach(), sum(weight * found[term] for term, weight in terms.items()))


@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_talknce_contrasts_what_enters_cross_attention(temperature):
    built, clips = objective("talknet", {"nce": 1.0, "nce_temperature": temperature}), batch(AROUND)
    sound = built.network.embed_audio(clips.sound)
    audio = torch.stack([each[first : first + 8] for each, first in zip(sound, clips.offsets.tolist(), strict=True)])
    faces = built.network.refine_faces(built.network.embed_faces(clips.faces.float()))
    found = built(clips, moment())
    torch.testing.assert_close(found["nce"], talknce_loss(faces, audio, clips.labels, temperature).detach())


def gradients(built, clips):
    built.network.zero_grad()
    built(clips, moment())["loss"].backward()
    return {name for name, weight in built.network.named_parameters() if weight.grad is not None and weight.grad.any()}


@pytest.mark.parametrize("name", ["talknet", "sync-talknet"])
def test_the_loss_reaches_every_parameter_but_the_unused_shortcut(name):
    built = objective(name, {**HEADS, "other_voices": 1, "other_times": 1}).train()
    assert gradients(built, batch(AROUND)) == {key for key, _ in built.network.named_parameters()} - {UNUSED}


def test_talknce_reaches_both_encoders_and_nothing_behind_them():
    built = objective("talknet", {"nce": 1.0})
    plain = objective("talknet")
    for each in (built, plain):
        each(batch(), moment())["loss"].backward()
    for (name, found), other in zip(built.network.named_parameters(), plain.network.parameters(), strict=True):
        before = name.startswith(("model.visual", "model.audioEncoder."))
        if found.grad is not None and name != UNUSED:
            assert torch.equal(found.grad, other.grad) != before, name


def test_a_frozen_front_end_gets_no_gradient_and_stays_as_it_is():
    built = objective("talknet", {**HEADS, "nce": 0.3, "other_voices": 1})
    freeze(built.network, ["model.visualFrontend."])
    train_unfrozen(built.network)
    before = {key: value.clone() for key, value in built.state().items()}
    reached = gradients(built, batch())
    frozen = {key for key in before if key.startswith("model.visualFrontend.")}
    assert reached == {key for key, _ in built.network.named_parameters()} - frozen
    assert all(torch.equal(before[key], built.state()[key]) for key in frozen)  # its running statistics too
    assert all(weight.grad is None for key, weight in built.network.named_parameters() if key in frozen)
