"""Every objective, and each of its terms, falls far when a handful of clips is learned by heart."""

from __future__ import annotations

import pytest
import torch

from asdbench.training.batch import Batch
from tests.pair_net import NEEDS_EXTRA
from tests.training.objectives.given import AROUND, FRAMES, LABELS, batch, log_mel_batch, moment, objective

HEADS = {"audio": 0.4, "visual": 0.4}


def learned(name, loss, clips: Batch, rate=3e-3, steps=45):
    """Return the terms before and after some steps on the same clips."""
    built = objective(name, loss).train()
    optimizer = torch.optim.Adam(built.parameters(), rate)
    found = []
    for step in range(steps):
        torch.manual_seed(step)
        terms = built(clips, moment(seed=1))
        optimizer.zero_grad()
        terms["loss"].backward()
        optimizer.step()
        found.append({term: float(value.detach()) for term, value in terms.items()})
    return found[0], {term: min(each[term] for each in found[-5:]) for term in found[0]}


def with_speech(around=0):
    """Clips that say in which frames they speak: bright faces, loud sound; which clip it is shows too."""
    clips = batch(around, side=16)
    faces = clips.faces // 4 + 100 * LABELS[..., None, None].byte() + 10 * torch.arange(4).byte()[:, None, None, None]
    sound = clips.sound.clone()
    for clip, offset in enumerate(clips.offsets.tolist()):
        own = sound[clip, 4 * offset : 4 * (offset + FRAMES)]
        own += 3 * LABELS[clip].repeat_interleave(4)[:, None] + clip
    return clips._replace(sound=sound, faces=faces)


@pytest.mark.parametrize(
    ("name", "loss", "around"),
    [
        ("talknet", {**HEADS, "nce": 0.3}, 0),
        ("talknet", {**HEADS, "other_voices": 1}, 0),
        ("talknet", {**HEADS, "other_times": 1, "beta": 0.5}, AROUND),
        ("sync-talknet", {**HEADS, "other_voices": 1}, 0),
        ("light-asd", {"visual": 0.5, "other_voices": 1, "other_times": 1}, AROUND),
        ("lr-asd", {"visual": 0.5, "other_voices": 1}, 0),
        ("talknet-vad", {}, 0),
        ("talknet-lip", {}, 0),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else None,
)
def test_a_handful_of_clips_is_learned_by_heart(name, loss, around):
    first, last = learned(name, loss, with_speech(around))
    for term in first:
        assert last[term] < first[term] / 2, term


@pytest.mark.parametrize("loss", [{}, {"alpha": "literal"}, {"alpha": "literal", "unimodal": 0.5}], ids="+".join)
@pytest.mark.parametrize("_", [pytest.param(0, marks=NEEDS_EXTRA)], ids=[""])
def test_pair_net_learns_a_handful_of_clips_by_heart(loss, _):
    clips = log_mel_batch()
    speech = LABELS.repeat_interleave(4, dim=1)[:, None].float()
    clips = clips._replace(sound=clips.sound + 3 * speech, faces=with_speech().faces)
    first, last = learned("pair-net", loss, clips)
    for term in set(first) - {"alpha", "" if "alpha" in loss else "agreement"}:
        assert last[term] < first[term] / 2, term
