"""Each loss against what the authors' code computed of the same logits and embeddings; made by `recorded`."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from asdbench.training.losses.frames import frame_cross_entropy
from asdbench.training.losses.light_asd import light_asd_loss, light_asd_temperature
from asdbench.training.losses.talknce import TALKNCE_WEIGHT, talknce_loss
from asdbench.training.losses.talknet import talknet_loss
from tests.training.recorded import FILE, record, recorded


def near(value):
    return pytest.approx(float(value), abs=1e-5)


def test_what_is_committed_is_what_was_recorded(shared):
    wanted = record(shared)
    with np.load(FILE) as file:
        assert set(file.files) == set(wanted)
        for name, values in wanted.items():
            # Logits of heads are computed, and so differ with the processor in their last digits.
            np.testing.assert_allclose(file[name], values, rtol=0, atol=1e-6 * max(1, np.abs(values).max()))


@pytest.mark.parametrize("system", ["talknet", "sync-talknet"])
def test_the_heads_of_talknet(system):
    given = recorded(system)
    labels = given["labels"]
    fused, audio, visual = (given[f"{name}_logits"] for name in ("fused", "audio", "visual"))
    assert float(frame_cross_entropy(audio, labels)) == near(given["A"])
    assert float(frame_cross_entropy(visual, labels)) == near(given["V"])
    total = talknet_loss(fused, audio, visual, labels)
    if system == "talknet":
        assert float(frame_cross_entropy(fused, labels)) == near(given["AV"])
        assert float(total) == near(given["total"])
    else:  # its recorded AV is over the appended pairs too
        own = frame_cross_entropy(fused, labels)
        assert float((own + given["AV_exchanged_part_only"]) / 2) == near(given["AV"])
        assert float(total - own + given["AV"]) == near(given["total"])


@pytest.mark.parametrize("epoch", [1, 10, 30])
def test_light_asd(epoch):
    given, temperature = recorded("light-asd"), light_asd_temperature(epoch)
    fused, visual, labels = given["fused_logits"], given["visual_logits"], given["labels"]
    assert float(frame_cross_entropy(fused, labels, temperature)) == near(given[f"epoch{epoch}__AV"])
    assert float(frame_cross_entropy(visual, labels, temperature)) == near(given[f"epoch{epoch}__V"])
    assert float(light_asd_loss(fused, visual, labels, temperature)) == near(given[f"epoch{epoch}__total"])


def test_lr_asd():
    given = recorded("lr-asd")
    fused, visual, labels = given["fused_logits"], given["visual_logits"], given["labels"]
    assert float(frame_cross_entropy(fused, labels)) == near(given["AV"])
    assert float(frame_cross_entropy(visual, labels)) == near(given["V"])
    assert float(light_asd_loss(fused, visual, labels)) == near(given["total"])


def test_talknce():
    given = recorded("talknce")
    assert (len(given["nce_logits"]), int(given["labels"].sum()), given["labels"].numel()) == (11, 11, 14)
    assert float(talknce_loss(given["faces"], given["audio"], given["labels"])) == near(given["nce"])
    # Their first column is the frame's own; the others are as they come.
    of_rows = functional.cross_entropy(given["nce_logits"], torch.zeros(11, dtype=torch.int64))
    assert float(of_rows) == near(given["nce"])
    total = given["av"] + 0.4 * (given["a"] + given["v"]) + TALKNCE_WEIGHT * given["nce"]
    assert float(total) == near(given["total"])


def test_talknce_of_a_clip_that_speaks_throughout(shared):
    with np.load(shared / "parity" / "talknce" / "outputs.npz") as outputs:
        faces, audio = (torch.from_numpy(outputs[f"B_{name}_embed"][:1]) for name in ("visual", "audio"))
        wanted = float(outputs["B_loss_nce_unweighted"])
    assert float(talknce_loss(faces, audio, torch.ones(1, 24, dtype=torch.int64))) == near(wanted)
