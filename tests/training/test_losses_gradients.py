"""The gradient of each loss: in closed form, and against finite differences."""

from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck

from asdbench.training.losses.frames import frame_cross_entropy
from asdbench.training.losses.light_asd import light_asd_loss
from asdbench.training.losses.pair_net import jensen_shannon, pair_net_loss
from asdbench.training.losses.pairs import contrastive_cross_entropy
from asdbench.training.losses.talknet import talknet_loss

LABELS = torch.tensor([[0, 1, 1], [1, 0, 0]])


def logits(count, clips=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(clips, 3, 2, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(count)
    ]


def slope(each, targets, temperature=1.0):
    """By hand, the gradient of one frame's cross-entropy: (p - y) / r."""
    p = (each.detach() / temperature).softmax(dim=2)
    return (p - torch.nn.functional.one_hot(targets, 2)) / temperature


@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.3, 2.0)])
def test_frame_cross_entropy(weights):
    (z,) = logits(1)
    clips = torch.tensor(weights, dtype=torch.float64)
    frame_cross_entropy(z, LABELS, 1.3, clips).backward()
    torch.testing.assert_close(z.grad, slope(z, LABELS, 1.3) * clips[:, None, None] / (3 * clips.sum()))
    assert gradcheck(lambda each: frame_cross_entropy(each, LABELS, 1.3, clips), (z,))


def test_a_frame_that_is_undecided_pulls_by_half():
    z = torch.zeros(1, 1, 2, dtype=torch.float64, requires_grad=True)
    frame_cross_entropy(z, torch.tensor([[1]])).backward()
    assert z.grad.tolist() == [[[0.5, -0.5]]]


@pytest.mark.parametrize(("of_sound", "of_faces"), [(0.4, 0.4), (0.0, 0.7)])
def test_talknet(of_sound, of_faces):
    heads = logits(3)
    talknet_loss(*heads, LABELS, of_sound, of_faces).backward()
    for head, weight in zip(heads, (1, of_sound, of_faces), strict=True):
        torch.testing.assert_close(head.grad, weight * slope(head, LABELS) / 6)
    assert gradcheck(lambda *each: talknet_loss(*each, LABELS, of_sound, of_faces), heads)


def test_talknet_has_the_weights_of_its_authors():
    heads = logits(3)
    torch.testing.assert_close(talknet_loss(*heads, LABELS), talknet_loss(*heads, LABELS, 0.4, 0.4))


@pytest.mark.parametrize("temperature", [1.3, 0.72])
def test_light_asd(temperature):
    heads = logits(2)
    light_asd_loss(*heads, LABELS, temperature).backward()
    for head, weight in zip(heads, (1, 0.5), strict=True):
        torch.testing.assert_close(head.grad, weight * slope(head, LABELS, temperature) / 6)
    assert gradcheck(lambda *each: light_asd_loss(*each, LABELS, temperature), heads)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_appended_pairs(beta):
    (z,) = logits(1, clips=5)  # two clips and three pairs
    contrastive_cross_entropy(z, LABELS, beta, 1.1).backward()
    targets = torch.cat([LABELS, torch.zeros(3, 3, dtype=torch.int64)])
    weights = torch.tensor([1, 1, beta, beta, beta], dtype=torch.float64)[:, None, None]
    torch.testing.assert_close(z.grad, weights * slope(z, targets, 1.1) / (6 + 9 * beta))
    assert gradcheck(lambda each: contrastive_cross_entropy(each, LABELS, beta, 1.1), (z,))


def test_agreement():
    p, q = logits(2)
    assert gradcheck(lambda first, second: jensen_shannon(first, second).mean(), (p, q))
    equal = logits(1)[0]
    jensen_shannon(equal, equal.detach()).sum().backward()
    torch.testing.assert_close(equal.grad, torch.zeros_like(equal))  # at its minimum


@pytest.mark.parametrize(("alpha", "unimodal"), [(0.0, 0.0), (0.8, 0.0), (0.8, 0.5), (1.0, 0.0)])
def test_pair_net(alpha, unimodal):
    heads = logits(3)
    assert gradcheck(lambda *each: pair_net_loss(*each, LABELS, alpha, unimodal_weight=unimodal).total, heads)
    pair_net_loss(*heads, LABELS, alpha, unimodal_weight=unimodal).total.backward()
    fused, visual, audio = heads
    torch.testing.assert_close(fused.grad, (1 - alpha) * slope(fused, LABELS) / 6)
    agreeing = torch.autograd.grad(jensen_shannon(visual, audio).mean(), (visual, audio))
    for head, towards in zip((visual, audio), agreeing, strict=True):
        wanted = (1 - alpha) * unimodal * slope(head, LABELS) / 6 + alpha * towards
        torch.testing.assert_close(head.grad, wanted)
