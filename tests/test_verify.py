"""``asdbench verify``: every shipped recording agrees, and a network that computes something else is found out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from asdbench.devices import choose_device
from asdbench.errors import UnknownNameError
from asdbench.networks import ARCHITECTURES
from asdbench.networks.seeded import seeded_state
from asdbench.verify import DEVICE_TOLERANCE, Comparison, fixtures, verify
from tests.cli.conftest import cli  # noqa: F401

LIGHT = ["audio_embed", "visual_embed", "fused", "logits"]


@pytest.mark.parametrize("name", list(fixtures()))
def test_every_system_computes_what_its_authors_code_computes(name):
    comparisons = verify(name)
    assert [each.tensor for each in comparisons if not each.agrees] == []
    assert {"logits", "encoder_out"} & {each.tensor for each in comparisons}
    # Recorded values that do not move would agree with anything.
    assert all(each.largest < each.tolerance / 2 for each in comparisons)


def test_every_architecture_with_a_checkpoint_has_a_recording():
    # Of PAIR-Net there is no official code to record, but of its eyes; TalkNet's streams alone are ours.
    recorded = {fixture.architecture for fixture in fixtures().values()}
    streams = {"talknet-vad", "talknet-lip", "talknet-vad-lip"}
    assert set(ARCHITECTURES.names()) ^ recorded == {"pair-net", "av-hubert", *streams}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("name", list(fixtures()))
def test_every_system_computes_the_same_on_cuda(name):
    assert all(each.agrees and each.tolerance == DEVICE_TOLERANCE for each in verify(name, choose_device("cuda")))


@pytest.fixture
def another_eps(monkeypatch):
    """What a port gets wrong first: the eps of the batch normalisation."""
    build = ARCHITECTURES.load

    def altered(name):
        def network():
            module = build(name)()
            for part in module.modules():
                if isinstance(part, torch.nn.BatchNorm3d):
                    part.eps = 1e-5
            return module

        return network

    monkeypatch.setattr(ARCHITECTURES, "load", altered)


@pytest.mark.usefixtures("another_eps")
def test_a_network_that_computes_something_else_is_found_out():
    found = {each.tensor: each for each in verify("light-asd")}
    assert list(found) == LIGHT
    assert found["audio_embed"].agrees
    assert not found["visual_embed"].agrees
    assert found["visual_embed"].largest > 10 * found["visual_embed"].tolerance


def test_values_that_are_no_numbers_do_not_agree():
    assert not Comparison("logits", (1,), float("nan"), 1e-5).agrees


def test_an_unknown_system():
    with pytest.raises(UnknownNameError, match="did you mean light-asd"):
        verify("light-ads")


def test_the_command_prints_every_tensor(cli):  # noqa: F811
    result = cli("verify", "lr-asd")
    assert result.exit_code == 0
    lines = result.out.splitlines()
    assert lines[0].startswith("lr-asd: https://github.com/Junhua-Liao/LR-ASD, commit ")
    assert [line.split()[0] for line in lines[1:]] == LIGHT
    assert all("allowed 1e-05  ok" in line for line in lines[1:])


@pytest.mark.usefixtures("another_eps")
def test_the_command_fails_where_a_tensor_differs(cli):  # noqa: F811
    result = cli("verify", "light-asd", "--json")
    assert result.exit_code == 1
    found = json.loads(result.out)["tensors"]["light-asd"]
    assert [each["tensor"] for each in found if not each["agrees"]] == ["visual_embed", *LIGHT[2:]]


@pytest.mark.parametrize("given", [("--checkpoint", "light-asd.demo"), ("--data", "demo-val")])
def test_a_published_result_needs_checkpoint_and_data(cli, given):  # noqa: F811
    result = cli("verify", "lr-asd", *given)
    assert result.exit_code == 2
    assert "needs MODEL, --checkpoint and --data" in result.err


@pytest.mark.usefixtures("standin")
def test_weights_are_scored_as_the_model_that_was_named(cli, monkeypatch):  # noqa: F811
    monkeypatch.setenv("ASDBENCH_LIMIT", "1")  # has no say
    result = cli("verify", "light-asd", "--checkpoint", "light-asd.demo", "--data", "demo-val", "--json")
    assert result.exit_code == 0
    scored = json.loads(result.out)["scored"]
    assert (scored["model"], scored["recognised"], scored["published"]) == ("light-asd.demo", True, [])
    assert json.loads((Path(scored["run"]) / "run.json").read_text())["config"]["limit"]["value"] is None
    other = cli("verify", "lr-asd", "--checkpoint", "light-asd.demo", "--data", "demo-val")
    assert other.exit_code == 6
    assert "is a checkpoint of 'light-asd', not of 'lr-asd'" in other.err


@pytest.mark.usefixtures("standin")
def test_weights_that_are_not_known_are_said_to_be(cli, tmp_path):  # noqa: F811
    torch.save(seeded_state(ARCHITECTURES.load("light-asd")()), tmp_path / "own.model")
    result = cli("verify", "light-asd", "--checkpoint", tmp_path / "own.model", "--data", "demo-val")
    assert result.exit_code == 0
    assert "not known by their sha256" in result.out
    assert "published for light-asd.ava: 94.06 mAP" in result.out


@pytest.mark.slow
def test_real_weights_are_scored_beside_their_published_result(cli, shared):  # noqa: F811
    weights, clips = shared / "weights" / "light-asd" / "pretrain_AVA_CVPR.model", shared / "clips" / "ava_layout"
    result = cli("verify", "light-asd", "--checkpoint", weights, "--data", clips, "--json")
    assert result.exit_code == 0
    scored = json.loads(result.out)["scored"]
    assert (scored["model"], scored["protocol"]) == ("light-asd.ava", "ava")
    assert [each["value"] for each in scored["published"]] == [94.06]
    assert 95 < scored["measured"] < 100
