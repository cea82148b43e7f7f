"""Light-ASD's and LR-ASD's whole objectives: against their authors' losses; the faster way on a CPU."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from asdbench.networks.light_asd import LightASD
from asdbench.training.batch import Batch, Moment
from asdbench.training.losses.light_asd import light_asd_epoch, light_asd_loss, light_asd_temperature
from asdbench.training.objectives import light_asd_forward
from asdbench.training.objectives.exact_norm import exact_norm, plain_norm
from tests.parity import Parity
from tests.training.objectives.given import AROUND, batch, moment, objective


@pytest.fixture(scope="module")
def official(shared):
    """Recorded clips, and the objective with the weights that they were recorded with."""

    def of(name, loss):
        folder = shared / "parity" / name
        with np.load(folder / "inputs.npz") as inputs, np.load(folder / "outputs.npz") as outputs:
            sound, faces = (torch.from_numpy(inputs[f"{part}_B2_T12"]) for part in ("audio", "visual"))
            recorded = {key.removeprefix("loss__"): outputs[key] for key in outputs.files if key.startswith("loss__")}
        labels, nothing = torch.from_numpy(recorded["labels_B2T12"]), torch.zeros(2, dtype=torch.int64)
        assert faces.dtype == torch.uint8
        built = objective(name, loss)
        built.network.load_state_dict(Parity(name, shared, {}).network("seeded").state_dict())
        return built, Batch(sound, faces, labels, nothing, nothing), recorded

    return of


def check(found, recorded, prefix=""):
    for term, name in {"loss": "total", "fused": "AV", "visual": "V"}.items():
        assert float(found[term].detach()) == pytest.approx(float(recorded[prefix + name]), abs=1e-5), term


def test_light_asd_is_that_of_the_official_code_in_each_recorded_epoch(official):
    built, clips, recorded = official("light-asd", {"visual": 0.5, "temperature": "light-asd"})
    for epoch in (1, 10, 30):
        check(built(clips, moment(epoch - 1, 30)), recorded, f"epoch{epoch}__")


def test_lr_asd_is_that_of_the_official_code(official):
    built, clips, recorded = official("lr-asd", {"visual": 0.5})
    check(built(clips, moment(7, 30)), recorded)


def test_the_temperature_follows_the_epochs_of_a_training_as_long_as_light_asds():
    for epoch in range(30):
        for share in (0.0, 0.5, 0.999):
            assert light_asd_epoch((epoch + share) / 30) == epoch + 1
    assert light_asd_epoch(1.0) == 30


def test_a_shorter_training_runs_through_all_temperatures_and_a_longer_one_no_further():
    for epochs in (1, 4, 90):
        stages = [light_asd_epoch((epoch + batch / 300) / epochs) for epoch in range(epochs) for batch in range(300)]
        assert sorted(set(stages)) == list(range(1, 31))
        assert stages == sorted(stages)


@pytest.mark.parametrize("name", ["light-asd", "lr-asd"])
def test_the_temperature_divides_the_logits_of_both_heads_and_of_pairs(name):
    loss = {"visual": 0.5, "other_voices": 1, "temperature": "light-asd"}
    built, clips = objective(name, loss), batch()
    last = Moment(3, 4, 0.99, 5)
    plain = objective(name, {**loss, "temperature": "1"})
    for head in (plain.network.lossAV, plain.network.lossV):
        for weight in head.parameters():
            weight.data /= light_asd_temperature(30)
    found, wanted = built(clips, last), plain(clips, last)
    for term in wanted:
        torch.testing.assert_close(found[term], wanted[term])


@pytest.mark.parametrize("name", ["light-asd", "lr-asd"])
def test_without_pairs_it_is_the_loss_as_published(name):
    built, clips = objective(name, {"visual": 0.5}), batch()
    faces = built.network.embed_faces(clips.faces.float())
    logits = built.network.head(built.network.embed_audio(clips.sound), faces)
    wanted = light_asd_loss(logits, built.network.lossV(faces), clips.labels)
    torch.testing.assert_close(built(clips, moment())["loss"], wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["light-asd", "lr-asd"])
def test_the_loss_reaches_every_parameter(name):
    built = objective(name, {"visual": 0.5, "other_voices": 1, "other_times": 1}).train()
    built(batch(AROUND), moment())["loss"].backward()
    assert [
        key for key, weight in built.network.named_parameters() if weight.grad is None or not weight.grad.any()
    ] == []


@pytest.mark.parametrize("normalise", [plain_norm, exact_norm])
def test_the_faster_way_is_exact_in_value_gradient_and_running_statistics(normalise):
    torch.manual_seed(0)
    slow, fast = LightASD().double().train(), LightASD().double().train()
    fast.load_state_dict(slow.state_dict())
    mfcc, faces = torch.randn(2, 28, 13).double(), torch.randint(0, 256, (2, 7, 56, 56)).double()
    theirs = slow.embed_audio(mfcc), slow.embed_faces(faces)
    ours = light_asd_forward.embed_audio(fast, mfcc), light_asd_forward.embed_faces(fast, faces, normalise)
    for their, our in zip(theirs, ours, strict=True):
        torch.testing.assert_close(our.double(), their, rtol=0, atol=1e-6)
        their.pow(2).sum().backward()
        our.pow(2).sum().backward()
    for (name, their), our in zip(slow.named_parameters(), fast.parameters(), strict=True):
        if their.grad is not None:
            torch.testing.assert_close(our.grad, their.grad, rtol=1e-4, atol=1e-5, msg=name)
    for (name, their), our in zip(slow.state_dict().items(), fast.state_dict().values(), strict=True):
        torch.testing.assert_close(our, their, msg=name)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("side", [40, 112])
@torch.no_grad()
def test_the_faster_way_is_exact_in_float32(training, side):
    torch.manual_seed(0)
    slow, fast = LightASD().train(training), LightASD().train(training)
    fast.load_state_dict(slow.state_dict())
    faces = torch.randint(0, 256, (2, 6, side, side), dtype=torch.uint8)
    theirs, ours = slow.embed_faces(faces.float()), light_asd_forward.embed_faces(fast, faces, exact_norm)
    assert theirs.abs().max() > 0
    assert (ours - theirs).abs().max() <= 1e-5 * theirs.abs().max().clamp(min=1)
    for (key, their), our in zip(slow.state_dict().items(), fast.state_dict().values(), strict=True):
        torch.testing.assert_close(our, their, rtol=1e-5, atol=1e-5, msg=key)


def test_exact_sums_stay_exact_over_large_batches_where_plain_ones_do_not():
    torch.manual_seed(0)
    x = (torch.randn(500, 4, 56, 56) + 1).contiguous(memory_format=torch.channels_last)
    variance = x.double().var(dim=(0, 2, 3)).float()
    errors = []
    for normalise in (plain_norm, exact_norm):
        norm = torch.nn.BatchNorm2d(4, momentum=1.0)
        assert torch.isfinite(normalise(norm, x)).all()
        errors.append(float((norm.running_var - variance).abs().max()))
        assert int(norm.num_batches_tracked) == 1
    assert errors[1] < 2e-6
    assert errors[1] < errors[0]


def test_exact_sums_have_the_gradient_of_batch_normalisation():
    torch.manual_seed(0)
    x = torch.randn(3, 2, 4, 5, dtype=torch.float64).contiguous(memory_format=torch.channels_last).requires_grad_()
    norm = torch.nn.BatchNorm2d(2).double()
    torch.nn.init.uniform_(norm.weight, 0.5, 2)
    assert torch.autograd.gradcheck(lambda each, *_: exact_norm(norm, each), (x, norm.weight, norm.bias))


def test_a_cpu_takes_the_faster_way(monkeypatch):
    given, real = [], light_asd_forward.embed_faces
    monkeypatch.setattr(light_asd_forward, "embed_faces", lambda *each: given.append(each) or real(*each))
    objective("light-asd")(batch(), moment())
    ((_, faces, normalise),) = given
    assert faces.dtype == torch.uint8
    assert normalise is exact_norm


def test_exact_sums_take_bfloat16():
    torch.manual_seed(0)
    x = torch.randn(40, 4, 16, 16).contiguous(memory_format=torch.channels_last)
    outputs, norms = [], [torch.nn.BatchNorm2d(4, momentum=1.0) for _ in range(2)]
    for norm, each in zip(norms, (x, x.bfloat16()), strict=True):
        given = each.clone().requires_grad_()
        exact_norm(norm, given).square().mean().backward()
        outputs.append(given.grad)
    torch.testing.assert_close(norms[1].running_var, norms[0].running_var, rtol=0.01, atol=0.01)
    assert norms[1].running_var.dtype == norms[1].weight.grad.dtype == torch.float32
    torch.testing.assert_close(norms[1].weight.grad, norms[0].weight.grad, rtol=0.05, atol=0.05)
    assert outputs[1].dtype == torch.bfloat16
