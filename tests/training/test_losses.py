from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from asdbench.errors import UsageError
from asdbench.training.losses.frames import frame_cross_entropy
from asdbench.training.losses.light_asd import light_asd_loss, light_asd_temperature
from asdbench.training.losses.pairs import (
    contrastive_cross_entropy,
    derangement,
    misaligned_pairs,
    mismatched_pairs,
    positive_clips,
)
from tests.parity import Parity

label_rows = st.integers(1, 5).flatmap(
    lambda frames: st.lists(st.lists(st.integers(0, 1), min_size=frames, max_size=frames), min_size=1, max_size=6)
)
seeds = st.integers(0, 2**31)


def embeddings(labels, extra=0, seed=0):
    """Audio [B, T + extra, 3] and faces [B, T, 4] of which every number is another."""
    generator = torch.Generator().manual_seed(seed)
    clips, frames = labels.shape
    audio = torch.randn(clips, frames + extra, 3, generator=generator, requires_grad=True)
    return audio, torch.randn(clips, frames, 4, generator=generator, requires_grad=True)


def generator_of(seed):
    return torch.Generator().manual_seed(seed)


@settings(deadline=None)  # torch warms up in the first call
@given(st.integers(2, 40), seeds)
def test_a_derangement_is_a_permutation_that_leaves_nothing_in_place(rows, seed):
    order = derangement(rows, generator_of(seed))
    assert sorted(order.tolist()) == list(range(rows))
    assert all(i != at for i, at in enumerate(order.tolist()))


@pytest.mark.parametrize("rows", [0, 1])
def test_below_two_rows_there_is_no_derangement(rows):
    assert derangement(rows).shape == (0,)


def test_derangements_repeat_with_their_seed_and_are_equally_likely():
    assert torch.equal(derangement(9, generator_of(4)), derangement(9, generator_of(4)))
    generator = generator_of(0)
    found = [tuple(derangement(4, generator).tolist()) for _ in range(900)]
    counts = [found.count(order) for order in set(found)]
    assert len(counts) == 9  # all derangements of four
    assert 60 < min(counts) <= max(counts) < 140


@settings(deadline=None)
@given(label_rows, seeds)
def test_mismatched_pairs_have_another_face_and_no_speech(rows, seed):
    labels = torch.tensor(rows)
    audio, faces = embeddings(labels)
    clips = positive_clips(labels).tolist()
    assert clips == [i for i, row in enumerate(rows) if 1 in row]
    order = derangement(len(clips), generator_of(seed))
    pairs = mismatched_pairs(audio, faces, labels, order)
    if len(clips) < 2:
        assert pairs.audio.shape == (0, *audio.shape[1:])
        assert pairs.faces.shape == (0, *faces.shape[1:])
        return
    assert len(pairs.audio) == len(pairs.faces) == len(clips)
    for i, clip in enumerate(clips):
        assert torch.equal(pairs.audio[i], audio[clip])
        assert torch.equal(pairs.faces[i], faces[clips[order[i]]])
        assert clips[order[i]] != clip


@settings(deadline=None)
@given(label_rows, st.integers(0, 4), st.data())
def test_misaligned_pairs_have_their_own_face_and_their_own_sound_of_another_time(rows, extra, data):
    labels = torch.tensor(rows)
    audio, faces = embeddings(labels, extra)
    clips = positive_clips(labels).tolist()
    starts = data.draw(st.lists(st.integers(0, extra), min_size=len(clips), max_size=len(clips)))
    pairs = misaligned_pairs(audio, faces, labels, torch.tensor(starts, dtype=torch.int64))
    assert pairs.audio.shape[:2] == pairs.faces.shape[:2] == (len(clips), labels.shape[1])
    for i, (clip, start) in enumerate(zip(clips, starts, strict=True)):
        assert torch.equal(pairs.audio[i], audio[clip, start : start + labels.shape[1]])
        assert torch.equal(pairs.faces[i], faces[clip])


def test_the_gradient_of_both_kinds_of_pairs_reaches_both_encoders():
    labels = torch.tensor([[0, 1], [1, 1], [0, 0]])
    for make in (
        lambda audio, faces: mismatched_pairs(audio[:, :2], faces, labels, torch.tensor([1, 0])),
        lambda audio, faces: misaligned_pairs(audio, faces, labels, torch.tensor([1, 2])),
    ):
        audio, faces = embeddings(labels, extra=2)
        pairs = make(audio, faces)
        logits = torch.stack([pairs.audio.sum(2), pairs.faces.sum(2)], dim=2)
        frame_cross_entropy(logits, logits.new_zeros(logits.shape[:2], dtype=torch.int64)).backward()
        for gradient in (audio.grad, faces.grad):
            assert gradient[:2].abs().sum(dim=(1, 2)).min() > 0
            assert not gradient[2].any()  # the clip without speech took no part


@pytest.mark.parametrize("order", [[0, 1], [1, 2, 0], [0, 0], [1], [2, 0]])
def test_an_order_that_is_no_derangement_of_the_speaking_clips_is_refused(order):
    labels = torch.tensor([[1, 0], [0, 0], [1, 1]])
    with pytest.raises(UsageError, match="2 speaking clips"):
        mismatched_pairs(*embeddings(labels), labels, torch.tensor(order))


@pytest.mark.parametrize("starts", [[0], [0, 4], [-1, 0], [0, 0, 0]])
def test_starts_outside_the_sound_or_too_few_are_refused(starts):
    labels = torch.tensor([[1, 0], [0, 0], [1, 1]])
    with pytest.raises(UsageError, match="from 0 to 3"):
        misaligned_pairs(*embeddings(labels, extra=3), labels, torch.tensor(starts))


@settings(deadline=None)
@given(label_rows, st.floats(0.5, 2), seeds)
def test_frame_cross_entropy_is_the_weighted_mean_over_frames(rows, temperature, seed):
    labels = torch.tensor(rows)
    logits = torch.randn(*labels.shape, 2, generator=generator_of(seed), dtype=torch.float64)
    expected = functional.cross_entropy(logits.flatten(0, 1) / temperature, labels.flatten())
    torch.testing.assert_close(frame_cross_entropy(logits, labels, temperature), expected)
    weights = torch.arange(len(labels), dtype=torch.float64)
    each = [float(functional.cross_entropy(z, y)) for z, y in zip(logits, labels, strict=True)]
    wanted = np.average(each, weights=weights) if len(labels) > 1 else 0.0
    assert float(frame_cross_entropy(logits, labels, clip_weights=weights)) == pytest.approx(wanted)


def test_no_frames_are_a_loss_of_zero_that_can_be_learned_from():
    logits = torch.zeros(0, 3, 2, requires_grad=True)
    loss = frame_cross_entropy(logits, torch.zeros(0, 3, dtype=torch.int64))
    loss.backward()
    assert loss.item() == 0


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(0, 4), st.floats(0, 2), seeds)
def test_appended_pairs_count_beta_times_and_as_not_speaking(original, appended, beta, seed):
    generator = generator_of(seed)
    logits = torch.randn(original + appended, 3, 2, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 2, (original, 3), generator=generator)
    log_p = logits.log_softmax(dim=2)
    own = -log_p[:original].gather(2, labels[..., None]).sum()
    wanted = (own - beta * log_p[original:, :, 0].sum()) / (3 * original + beta * 3 * appended)
    torch.testing.assert_close(contrastive_cross_entropy(logits, labels, beta), wanted)
    cooler = contrastive_cross_entropy(logits * 1.3, labels, beta, temperature=1.3)
    torch.testing.assert_close(cooler, wanted)


@pytest.mark.parametrize(("epoch", "temperature"), [(1, 1.3), (2, 1.28), (30, 0.72)])
def test_the_temperature_of_light_asd_falls_by_two_hundredths_an_epoch(epoch, temperature):
    assert light_asd_temperature(epoch) == pytest.approx(temperature)


@pytest.mark.parametrize("epoch", [1, 10, 30])
def test_light_asd_loss_is_the_recorded_one(shared, epoch):
    parity = Parity("light-asd", shared, {})
    folder = shared / "parity" / "light-asd"
    with np.load(folder / "outputs.npz") as outputs:
        recorded = {part: float(outputs[f"loss__epoch{epoch}__{part}"]) for part in ("AV", "V", "total")}
        labels = torch.from_numpy(outputs["loss__labels_B2T12"])
        fused = torch.from_numpy(outputs["seeded__B2T12__head_logits"]).view(2, 12, 2)
        faces = torch.from_numpy(outputs["seeded__B2T12__visual_embed"])
    with torch.no_grad():
        visual = parity.network("seeded").lossV(faces)
    temperature = light_asd_temperature(epoch)
    assert float(frame_cross_entropy(fused, labels, temperature)) == pytest.approx(recorded["AV"], abs=1e-5)
    assert float(frame_cross_entropy(visual, labels, temperature)) == pytest.approx(recorded["V"], abs=1e-5)
    assert float(light_asd_loss(fused, visual, labels, temperature)) == pytest.approx(recorded["total"], abs=1e-5)


def test_sync_talknet_loss_is_composed_as_recorded(shared):
    """Without its network only the logits of the exchanged pairs are unknown: any of the recorded mean loss will do."""
    with np.load(shared / "parity" / "sync-talknet" / "outputs.npz") as outputs:
        recorded = {name: outputs[f"loss__{name}"] for name in ("AV", "A", "V", "total", "AV_exchanged_part_only")}
        labels = torch.from_numpy(outputs["loss__labels_B2T12"])
        order = torch.from_numpy(outputs["loss__visual_permutation"])
        own = torch.from_numpy(outputs["seeded_formula_pe__B2T12__head_logits"]).view(2, 12, 2)
        audio = torch.from_numpy(outputs["seeded_formula_pe__B2T12__audio_embed"])
        faces = torch.from_numpy(outputs["seeded_formula_pe__B2T12__visual_embed"])
    pairs = mismatched_pairs(audio, faces, labels, order)  # the recorded permutation passes its check
    torch.testing.assert_close(pairs.faces, faces.flip(0))
    exchanged = float(recorded["AV_exchanged_part_only"])
    logits = torch.zeros(*pairs.audio.shape[:2], 2)
    logits[..., 1] = math.log(math.expm1(exchanged))  # a cross-entropy of exactly `exchanged` in each frame
    assert float(frame_cross_entropy(logits, logits.new_zeros(logits.shape[:2], dtype=torch.int64))) == pytest.approx(
        exchanged, abs=1e-5
    )
    both = float(contrastive_cross_entropy(torch.cat([own, logits]), labels))
    assert both == pytest.approx(float(recorded["AV"]), abs=1e-5)
    assert both + 0.4 * float(recorded["A"] + recorded["V"]) == pytest.approx(float(recorded["total"]), abs=1e-5)
