"""TalkNCE's term on clips small enough to compute it by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.training.losses.talknce import talknce_loss

T = 0.07
E1, E2 = [1.0, 0.0], [0.0, 1.0]


def clip(*rows):
    return torch.tensor([rows], dtype=torch.float64, requires_grad=True)


def labels(*rows):
    return torch.tensor(rows)


def test_two_frames_that_find_or_miss_their_own_sound():
    faces = clip(E1, E2)
    found = talknce_loss(faces, clip(E1, E2), labels([1, 1]))
    missed = talknce_loss(faces, clip(E2, E1), labels([1, 1]))
    alike = talknce_loss(faces, clip(E1, E1), labels([1, 1]))
    assert float(found.detach()) == pytest.approx(math.log1p(math.exp(-1 / T)))
    assert float(missed.detach()) == pytest.approx(math.log1p(math.exp(1 / T)))
    assert float(alike.detach()) == pytest.approx(math.log(2))


def test_faces_ask_and_sounds_answer():
    one_face_two_sounds = talknce_loss(clip(E1, E1), clip(E1, E2), labels([1, 1]))
    wanted = (math.log1p(math.exp(-1 / T)) + math.log1p(math.exp(1 / T))) / 2
    assert float(one_face_two_sounds.detach()) == pytest.approx(wanted)
    assert wanted > 7 > math.log(2)  # the other direction would give ln 2 for either frame


def test_the_gradient_of_two_frames_by_hand():
    """With v1 = a1 = e1 and v2 = a2 = e2: dL/dv1 = p12 e2 / (2 t), with p12 the share of the wrong sound."""
    temperature = 0.5
    faces, audio = clip(E1, E2), clip(E1, E2)
    talknce_loss(faces, audio, labels([1, 1]), temperature).backward()
    wrong = 1 / (1 + math.exp(1 / temperature))
    wanted = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]], dtype=torch.float64) * wrong / (2 * temperature)
    torch.testing.assert_close(faces.grad, wanted)
    torch.testing.assert_close(audio.grad, wanted)


def random(seed, clips=3, frames=5):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(clips, frames, 4, generator=generator, dtype=torch.float64, requires_grad=True) for _ in "va"]


MIXED = labels([1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 1, 0])


@pytest.mark.parametrize("temperature", [T, 0.5])
def test_the_gradient_is_that_of_finite_differences(temperature):
    faces, audio = random(0)
    assert torch.autograd.gradcheck(lambda v, a: talknce_loss(v, a, MIXED, temperature), (faces, audio))


def test_silent_frames_and_silent_clips_take_no_part():
    faces, audio = random(1)
    loss = talknce_loss(faces, audio, MIXED)
    loss.backward()
    for embedding in (faces, audio):
        moved = embedding.grad.abs().sum(dim=2) > 0
        assert torch.equal(moved, torch.tensor([[1, 0, 1, 1, 0], [0] * 5, [0] * 5], dtype=torch.bool))
    kept = [0, 2, 3]
    alone = talknce_loss(faces[:1, kept], audio[:1, kept], labels([1, 1, 1]))
    torch.testing.assert_close(loss, alone / 3)  # the mean over three clips, of which two add nothing


@pytest.mark.parametrize("row", [[0, 0, 0, 0, 0], [0, 0, 1, 0, 0]])
def test_without_a_second_speaking_frame_the_loss_and_its_gradient_are_zero(row):
    faces, audio = random(2, clips=1)
    loss = talknce_loss(faces, audio, labels(row))
    loss.backward()
    assert float(loss.detach()) == 0
    assert not faces.grad.any()
    assert not audio.grad.any()


def test_embeddings_of_nothing_but_zeros_have_a_finite_gradient():
    faces, audio = (torch.zeros(1, 3, 4, requires_grad=True) for _ in "va")
    loss = talknce_loss(faces, audio, labels([1, 1, 1]))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(math.log(3))
    assert torch.isfinite(faces.grad).all()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.integers(0, 1), min_size=5, max_size=5), min_size=3, max_size=3), st.integers(0, 999))
def test_it_is_row_wise_cross_entropy_over_the_speaking_frames_whatever_their_length(rows, seed):
    faces, audio = (each.detach() for each in random(seed))
    each = []
    for face, sound, row in zip(faces, audio, torch.tensor(rows), strict=True):
        v, a = (e[row == 1] / e[row == 1].norm(dim=1, keepdim=True) for e in (face, sound))
        wrong = torch.nn.functional.cross_entropy(v @ a.T / T, torch.arange(len(v))) if len(v) else torch.tensor(0.0)
        each.append(float(wrong))
    found = float(talknce_loss(3 * faces, 0.2 * audio, torch.tensor(rows)))
    assert found == pytest.approx(sum(each) / 3, abs=1e-9)
    assert found >= 0
