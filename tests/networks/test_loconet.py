"""LoCoNet, TalkNCE and LASER against their authors' code."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch.nn import functional

from asdbench.networks import ARCHITECTURES
from asdbench.networks.laser_loconet import landmark_maps
from asdbench.networks.loconet import VGGishEncoder
from tests.loconet import FIXTURES, SAVED_WITH, arrays, seeded_network

PARAMETERS = {"loconet": 34_332_875, "talknce": 34_332_875, "laser-loconet": 34_337_264}
TOLERANCES = {"fused": 2e-5, "convAV0": 2e-5, "convAV1": 2e-5}  # the rest 1e-5, of values up to 8


@pytest.fixture(params=list(FIXTURES))
def fixture(request):
    return request.param


@pytest.fixture
def network(fixture):
    return seeded_network(FIXTURES[fixture])


def test_state_dict_is_the_official_one_in_the_official_order(fixture, network, shared):
    manifest = json.loads((shared / "parity" / fixture / "manifest.json").read_text(encoding="utf-8"))
    entries = [(entry["key"], tuple(entry["shape"])) for entry in manifest["entries"]]
    assert [(SAVED_WITH + key, tuple(tensor.shape)) for key, tensor in network.state_dict().items()] == entries


def test_parameter_count(fixture, network):
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[fixture]


def inputs_of(given, case):
    """Log-mel [1, 4T, 64], faces [1, 3, T, 112, 112], landmarks [1, 3, T, 82, 2] or None."""
    repeated = {name: given.get(f"B_{name}_target") for name in ("visual", "landmarks")}
    both = [
        given.get(f"A_{name}") if case == "A" else None if target is None else np.stack([target] * 3)[None]
        for name, target in repeated.items()
    ]
    faces, landmarks = (None if array is None else torch.from_numpy(array).float() for array in both)
    return torch.from_numpy(given[f"{case}_audio"][:, 0]), faces, landmarks


@torch.inference_mode()
def quantities(network, log_mel, faces, landmarks):
    """Everything that was recorded of one case."""
    speakers, frames = faces.shape[1:3]
    sequence = faces.flatten(1, 2)
    front = network.embed_faces(sequence, *([] if landmarks is None else [landmarks.flatten(1, 2)]))
    features = front.view(1, speakers, frames, -1)
    audio, visual = network.embed_audio(log_mel), network.embed_visual(features)
    streams = network.cross(audio, visual)
    found = {"audio_embed": audio, "visual_frontend512": features, "visual_embed": visual}
    found |= {"audio_cross": streams[0], "visual_cross": streams[1], "fused": network.fuse(*streams)}
    found["convAV0"] = network.model.convAV[0](torch.cat(streams, dim=3))
    found["convAV1"] = network.model.convAV[1](found["convAV0"])
    found["logits_target"] = network.head(audio, features)[0]
    found["score"] = found["logits_target"].softmax(dim=1)[:, 1]
    if landmarks is not None:
        without = network.embed_faces(sequence).view(1, speakers, frames, -1)
        found["visual_embed_nolandmark"] = network.embed_visual(without)
        found["score_no_landmark"] = network.head(audio, without)[0].softmax(dim=1)[:, 1]
        side = faces.shape[-1] // 4
        found["landmark_bottleneck"] = network.embed_landmarks(landmarks[0, 0], side)
        found["landmark_map_frame7_target"] = landmark_maps(landmarks[0, 0, 7:8], side)
        found["landmark_map_nnz_per_frame"] = (
            landmark_maps(landmarks[0].flatten(0, 1), side).flatten(1).count_nonzero(1)
        )
    logits = network.all_logits(audio, features)
    return {name: tensor.numpy() for name, tensor in found.items()}, logits


@pytest.mark.parametrize("case", ["A", "B"])
def test_all_quantities_match_the_official_code(fixture, network, shared, case):
    given, wanted = arrays(shared, fixture, "inputs"), arrays(shared, fixture, "outputs")
    recorded = {name.removeprefix(f"{case}_"): value for name, value in wanted.items() if name.startswith(f"{case}_")}
    found, logits = quantities(network, *inputs_of(given, case))
    training_only = {name for name in recorded if name.startswith(("loss_", "num_", "nce_", "f64_"))}
    assert set(recorded) - training_only <= set(found)
    for name in set(recorded) - training_only:
        # Of the three equal speakers of case B only the target was kept.
        value = found[name][:, :1] if found[name].size == 3 * recorded[name].size else found[name]
        value = value.reshape(recorded[name].shape)
        np.testing.assert_allclose(value, recorded[name], rtol=0, atol=TOLERANCES.get(name, 1e-5), err_msg=name)
    check_losses(recorded, logits, given if case == "A" else None)
    if fixture != "loconet":
        check_contrastive(recorded, found)


def check_losses(recorded, logits, given):
    shape = logits.visual.shape[:-1]
    labels, masks = (torch.ones(shape, dtype=torch.int64) if given is None else torch.from_numpy(given[name])
                     for name in ("A_labels", "A_masks"))  # fmt: skip
    for name, found in (("av", logits.audio_visual), ("a", logits.audio), ("v", logits.visual)):
        each = functional.cross_entropy(found.flatten(0, 2), labels.flatten(), reduction="none")
        mean = (each * masks.flatten()).sum() / masks.sum()
        np.testing.assert_allclose(mean, recorded[f"loss_{name}"], rtol=0, atol=1e-5, err_msg=name)


def check_contrastive(recorded, found):
    """TalkNCE's loss is cross-entropy of cosine similarities at 0.07 over the target's speaking frames."""
    active = recorded["nce_active_frames"]
    visual, audio = (
        functional.normalize(torch.from_numpy(found[name].reshape(-1, *found[name].shape[-2:])[0])[active], dim=1)
        for name in ("visual_embed", "audio_embed")
    )
    similarity = visual @ audio.T / 0.07
    loss = functional.cross_entropy(similarity, torch.arange(len(active)))
    np.testing.assert_allclose(loss, recorded["loss_nce_unweighted"], rtol=0, atol=1e-5)


FACES = torch.rand(2, 3, 6, 32, 32, generator=torch.Generator().manual_seed(1)) * 255
ROWS = torch.randn(2, 24, 64, generator=torch.Generator().manual_seed(2))


@torch.inference_mode()
def test_tracks_of_a_batch_never_see_each_other():
    network = seeded_network("loconet")
    together = network(ROWS, FACES)
    alone = torch.cat([network(ROWS[i : i + 1], FACES[i : i + 1]) for i in range(2)])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)
    assert (together[0] - together[1]).abs().max() > 0.01


@torch.inference_mode()
def test_every_speaker_counts():
    network = seeded_network("loconet")
    usual, exchanged = network(ROWS[:1], FACES[:1]), network(ROWS[:1], FACES[:1, [0, 2, 1]])
    assert (usual - exchanged).abs().max() > 1e-4


@pytest.mark.parametrize("frames", [1, 2, 3])
@torch.inference_mode()
def test_audio_of_any_length_gives_one_embedding_per_frame(frames):
    assert VGGishEncoder().eval()(torch.randn(1, 4 * frames, 64)).shape == (1, frames, 128)


def test_a_loss_reaches_every_parameter():
    network = ARCHITECTURES.load("laser-loconet")()
    landmarks = torch.rand(1, 6, 82, 2)
    features = network.embed_faces(FACES[:1, :, :2].flatten(1, 2), landmarks).view(1, 3, 2, -1)
    logits = network.all_logits(network.embed_audio(ROWS[:1, :8]), features)
    sum(part.square().sum() for part in logits).backward()
    assert [name for name, parameter in network.named_parameters() if parameter.grad is None] == []


def test_landmarks_are_written_as_the_published_code_does():
    nowhere = torch.full((1, 82, 2), -1.0)
    landmarks = nowhere.clone()
    landmarks[0, 0] = torch.tensor([0.3, 0.8])  # x chooses the row
    landmarks[0, 1] = torch.tensor([1.5, 0.0])  # beyond the crop: the last cell, with its own value
    landmarks[0, 2] = torch.tensor([0.5, -0.2])  # one bad coordinate spoils the point
    maps = landmark_maps(landmarks, 28)
    wanted = torch.zeros(1, 164, 28, 28)
    wanted[0, 0, 8, 22], wanted[0, 1, 8, 22] = 0.3, 0.8
    wanted[0, 2, 27, 0] = 1.5
    torch.testing.assert_close(maps, wanted, rtol=0, atol=0)
    assert not landmark_maps(nowhere, 28).any()


@torch.inference_mode()
def test_no_landmark_found_is_not_the_same_as_none_asked_for():
    network = seeded_network("laser-loconet")
    faces = FACES[:1, 0, :2]
    nothing = network.embed_faces(faces, torch.full((1, 2, 82, 2), -1.0))
    assert (nothing - network.embed_faces(faces)).abs().max() > 1e-3
