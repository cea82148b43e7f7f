"""Sync-TalkNet against its authors' code: positions, stored tables, the loss over exchanged voices."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from asdbench.checkpoints.load import apply_state_dict
from asdbench.errors import CheckpointError, UsageError
from asdbench.networks.seeded import seeded_state
from asdbench.networks.sync_talknet import SyncTalkNet
from asdbench.networks.talknet import TalkNet
from asdbench.training.losses.frames import frame_cross_entropy
from asdbench.training.losses.pairs import contrastive_cross_entropy, mismatched_pairs
from tests.talknet import CASES, EMBEDDINGS, SCORES, STREAMS, TalkNetParity


@pytest.fixture(scope="module")
def parity(shared):
    return TalkNetParity("sync-talknet", shared)


def test_state_dict_is_the_official_one_in_the_official_order(parity):
    entries = [(entry["key"], tuple(entry["shape"])) for entry in parity.manifest()["entries"]]
    assert [(key, tuple(tensor.shape)) for key, tensor in SyncTalkNet().state_dict().items()] == entries
    assert len(entries) == 490


def test_parameter_count():
    assert sum(parameter.numel() for parameter in SyncTalkNet().parameters()) == 15_744_481


@pytest.mark.parametrize("case", CASES)
def test_all_quantities_match_the_official_code(parity, case):
    parity.check("seeded_formula_pe", case, SCORES if case == "T160" else EMBEDDINGS | STREAMS | SCORES)


@pytest.mark.parametrize("case", CASES)
def test_stored_tables_are_honoured(parity, case):
    parity.check("seeded", case, SCORES if case == "T160" else STREAMS | SCORES)


@pytest.mark.parametrize(("layer", "channels"), [("crossA2V", 128), ("crossV2A", 128), ("selfAV", 256)])
def test_tables_of_positions_are_the_official_ones(parity, layer, channels):
    with np.load(parity.folder / "inputs.npz") as inputs:
        rows, wanted = inputs["pe_rows"], inputs[f"pe_{channels}"]
    table = SyncTalkNet().get_buffer(f"model.{layer}.positional_emb.pe")
    assert table.shape == (1, 400, channels)
    np.testing.assert_allclose(table[0, rows].numpy(), wanted, rtol=0, atol=1e-6)


def test_the_loss_over_exchanged_voices_matches_the_official_code(parity):
    labels = torch.from_numpy(parity.outputs["loss__labels_B2T12"])
    order = torch.from_numpy(parity.outputs["loss__visual_permutation"])
    network = parity.networks["seeded_formula_pe"]
    audio, faces = parity.embeddings("B2T12")
    pairs = mismatched_pairs(audio, faces, labels, order)
    with torch.inference_mode():
        logits = network.heads(torch.cat([audio, pairs.audio]), torch.cat([faces, pairs.faces]))
    fused = contrastive_cross_entropy(logits.fused, labels)
    of_sound, of_faces = (frame_cross_entropy(each[: len(labels)], labels) for each in (logits.audio, logits.visual))
    found = {
        "AV": fused,
        "A": of_sound,
        "V": of_faces,
        "total": fused + 0.4 * of_sound + 0.4 * of_faces,
        "AV_exchanged_part_only": frame_cross_entropy(logits.fused[len(labels) :], torch.zeros_like(labels)),
    }
    for name, loss in found.items():
        assert loss.item() == pytest.approx(float(parity.outputs[f"loss__{name}"]), abs=1e-5), name


def test_a_clip_longer_than_the_tables_is_refused():
    network = SyncTalkNet().eval()
    longest = torch.zeros(1, 400, 128)
    with torch.inference_mode():
        assert network.join(*network.cross_attend(longest, longest)).shape == (1, 400, 256)
        with pytest.raises(UsageError, match=r"positions of 400 frames, but a clip has 401; cut it into chunks"):
            network.cross_attend(torch.zeros(1, 401, 128), torch.zeros(1, 401, 128))


def test_weights_of_talknet_need_the_tables_to_be_added():
    network, state = SyncTalkNet(), seeded_state(TalkNet())
    with pytest.raises(CheckpointError, match=r"3 missing \(model\.crossA2V\.positional_emb\.pe"):
        apply_state_dict(network, state, "talknet.model")
    apply_state_dict(network, network.with_computed_positions(state), "talknet.model")
    loaded, fresh = network.state_dict(), SyncTalkNet().state_dict()
    for key, tensor in loaded.items():
        assert torch.equal(tensor, state[key] if key in state else fresh[key]), key
