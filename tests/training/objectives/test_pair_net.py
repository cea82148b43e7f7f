"""PAIR-Net's whole objective: its weights over epochs, what is frozen, which sizes."""

from __future__ import annotations

import pytest
import torch

from asdbench.errors import UsageError
from asdbench.networks.pair_net import freezing
from asdbench.training.freezing import freeze
from asdbench.training.losses.frames import frame_cross_entropy
from asdbench.training.losses.pair_net import AlphaSchedule, jensen_shannon
from asdbench.training.objectives import objective_for
from tests.training.objectives.given import FRAMES, PAIR_NET, log_mel_batch, moment, objective, recipe

pytest.importorskip("transformers", reason="needs the extra pairnet")
FROZEN = ["conv1", "conv2", "embed_positions", "layers.0", "layers.1"]


@pytest.mark.parametrize("unimodal", [0.0, 0.5])
@pytest.mark.parametrize(
    ("loss", "schedule"),
    [
        ({"alpha": "off"}, lambda epoch: 0.0),
        ({"alpha": "literal"}, AlphaSchedule("literal")),
        ({"alpha": "stretched", "alpha_stretch": 50.0}, AlphaSchedule("stretched", 50.0)),
        ({"alpha": "linear", "alpha_end": 0.2}, AlphaSchedule("linear", epochs=4, end=0.2)),
    ],
)
def test_the_loss_is_equation_9_with_the_weight_of_the_epoch(loss, schedule, unimodal):
    built, clips = objective("pair-net", {**loss, "unimodal": unimodal}), log_mel_batch()
    vectors, frames = [2 * FRAMES] * 4, [FRAMES] * 4
    with torch.no_grad():
        fused, visual, audio = built.network(clips.sound, vectors, clips.faces.float(), frames, alone=True)
    heads = frame_cross_entropy(visual, clips.labels) + frame_cross_entropy(audio, clips.labels)
    classification = frame_cross_entropy(fused, clips.labels) + unimodal * heads
    agreement = jensen_shannon(visual, audio).mean()
    for epoch in range(4):
        found, alpha = built(clips, moment(epoch)), schedule(epoch)
        assert float(found["alpha"]) == pytest.approx(alpha)
        torch.testing.assert_close(found["classification"], classification)
        torch.testing.assert_close(found["agreement"], agreement)
        torch.testing.assert_close(found["loss"].detach(), (1 - alpha) * classification + alpha * agreement)


def test_only_the_vectors_of_the_clip_are_heard():
    built, clips = objective("pair-net"), log_mel_batch()
    fewer = clips._replace(vectors=torch.full((4,), FRAMES))
    assert not torch.equal(built(clips, moment())["loss"], built(fewer, moment())["loss"])
    assert built.mels == PAIR_NET["audio"]["mels"]


def test_a_clip_whose_sound_ends_early_goes_beside_others():
    built, clips = objective("pair-net"), log_mel_batch()
    vectors = clips.vectors.clone()
    vectors[1] -= 2
    assert torch.equal(built(clips, moment())["loss"], built(clips._replace(vectors=vectors), moment())["loss"])


def test_what_the_paper_freezes_gets_no_gradient_and_all_else_does():
    built = objective("pair-net", {"alpha": "literal"})
    wanted = freezing(built.network, blocks=2)
    freeze(built.network, [f"audio_encoder.{part}." for part in FROZEN])
    built(log_mel_batch(), moment())["loss"].backward()
    without = {key for key, weight in built.network.named_parameters() if weight.grad is None}
    assert without == set(wanted.frozen)
    silent = {key for key in wanted.trained if not built.network.get_parameter(key).grad.any()}
    assert silent == set()


def test_the_agreement_alone_does_not_reach_the_fused_head():
    built = objective("pair-net", {"alpha": "linear", "alpha_end": 1.0})
    built(log_mel_batch(), moment(3))["loss"].backward()  # its last epoch, in which alpha is 1
    reached = {key for key, weight in built.network.named_parameters() if weight.grad is not None and weight.grad.any()}
    assert not any(key.startswith("fusion.head.") for key in reached)
    assert {"fusion.visual_head.weight", "fusion.audio_head.weight", "fusion.projector.weight"} <= reached


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"text": {}}, r"model\.sizes\.text of pair-net; expected tables audio and visual"),
        ({"audio": 24}, r"model\.sizes\.audio of pair-net"),
        ({"audio": {"heads": 4}}, r"model\.sizes\.audio has no 'heads'; expected some of mels, width"),
        ({"visual": {"blocks": 0}}, r"model\.sizes\.visual\.blocks = 0; expected at least 1"),
    ],
)
def test_sizes_that_it_does_not_have(sizes, message):
    with pytest.raises(UsageError, match=message):
        objective_for(recipe("pair-net", sizes=sizes))
