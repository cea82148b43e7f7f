"""PAIR-Net's loss against its equations, computed from probabilities."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from asdbench.errors import UsageError
from asdbench.training.losses.pair_net import AlphaSchedule, jensen_shannon, pair_net_loss

LOGITS = st.lists(st.floats(-200, 200, width=32), min_size=4, max_size=4)


def divergence(p, q):
    return float((p * (p / q).log()).sum())


@settings(deadline=None)
@given(LOGITS)
def test_the_divergence_lies_from_0_to_ln_2_and_is_symmetric(numbers):
    first, second = torch.tensor(numbers).view(2, 1, 2)
    found = jensen_shannon(first, second)
    assert found.shape == (1,)
    assert -1e-6 <= float(found) <= math.log(2) + 1e-6
    torch.testing.assert_close(found, jensen_shannon(second, first), rtol=0, atol=1e-7)


@settings(deadline=None)
@given(LOGITS)
def test_equal_heads_agree(numbers):
    logits = torch.tensor(numbers).view(2, 2)
    torch.testing.assert_close(jensen_shannon(logits, logits), torch.zeros(2), rtol=0, atol=1e-6)


def test_the_divergence_is_towards_the_mean():
    first, second = torch.tensor([[2.0, -1.0]]), torch.tensor([[0.5, 0.7]])
    p, q = first.double().softmax(1)[0], second.double().softmax(1)[0]
    mean = (p + q) / 2
    wanted = (divergence(p, mean) + divergence(q, mean)) / 2
    opposite = (divergence(mean, p) + divergence(mean, q)) / 2
    assert abs(wanted - opposite) > 1e-3
    assert float(jensen_shannon(first, second)) == pytest.approx(wanted, abs=1e-6)


def test_opposite_certainties_are_ln_2_apart():
    found = jensen_shannon(torch.tensor([[1000.0, -1000.0]]), torch.tensor([[-1000.0, 1000.0]]))
    assert float(found) == pytest.approx(math.log(2))


def test_what_flows_through_the_mean_adds_up_to_zero():
    logits = [torch.tensor([[1.0, -0.5]], requires_grad=True), torch.tensor([[0.2, 0.9]], requires_grad=True)]
    jensen_shannon(*logits).sum().backward()
    p, q = (each.detach().double().softmax(1)[0] for each in logits)
    mean = (p + q) / 2
    for own, each in zip((p, q), logits, strict=True):
        slope = (own / mean).log() / 2  # of sum p log(p / m) / 2 with a constant m, but for a constant
        wanted = own * (slope - (own * slope).sum())
        assert wanted.abs().max() > 0.01
        torch.testing.assert_close(each.grad[0].double(), wanted, rtol=0, atol=1e-6)


@pytest.fixture
def logits():
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(2, 4, 2, generator=generator, requires_grad=True) for _ in range(3)]


LABELS = torch.tensor([[0, 1, 1, 0], [1, 0, 0, 1]])


def test_the_loss_is_the_weighted_sum_of_both_means(logits):
    found = pair_net_loss(*logits, LABELS, alpha=0.8)
    probability = logits[0].softmax(2)
    wanted = -probability.gather(2, LABELS[..., None]).log().mean()
    torch.testing.assert_close(found.classification, wanted)
    torch.testing.assert_close(found.agreement, jensen_shannon(logits[1], logits[2]).mean())
    torch.testing.assert_close(found.total, 0.2 * found.classification + 0.8 * found.agreement)


def test_the_labels_reach_the_two_heads_only_where_asked(logits):
    pair_net_loss(*logits, LABELS, alpha=0.0).total.backward()
    assert logits[0].grad.abs().max() > 0
    assert logits[1].grad.abs().max() == logits[2].grad.abs().max() == 0
    plain = pair_net_loss(*logits, LABELS, alpha=0.0).total
    more = pair_net_loss(*logits, LABELS, alpha=0.0, unimodal_weight=0.5).total
    heads = [pair_net_loss(each, *logits[1:], LABELS, alpha=0.0).total for each in logits[1:]]
    torch.testing.assert_close(more, plain + 0.5 * (heads[0] + heads[1]))


def test_frames_beyond_a_clip_are_in_neither_mean(logits):
    valid = torch.tensor([[True] * 4, [True, True, False, False]])
    spoilt = [each.masked_fill(~valid[..., None], math.nan) for each in logits]
    found = pair_net_loss(*spoilt, LABELS, 0.5, valid)
    flat = [torch.cat([each[0], each[1, :2]])[None] for each in logits]
    wanted = pair_net_loss(*flat, torch.cat([LABELS[0], LABELS[1, :2]])[None], 0.5)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_without_frames_the_loss_is_zero(logits):
    found = pair_net_loss(*logits, LABELS, 0.5, torch.zeros(2, 4, dtype=torch.bool))
    found.total.backward()
    assert float(found.total.detach()) == 0
    assert logits[0].grad.abs().max() == 0


@pytest.mark.parametrize("alpha", [-0.1, 1.1, math.nan])
def test_a_weight_that_is_none(logits, alpha):
    with pytest.raises(UsageError, match="expected a number from 0 to 1"):
        pair_net_loss(*logits, LABELS, alpha)


def test_the_schedules():
    literal = AlphaSchedule()
    assert [literal(epoch) for epoch in range(4)] == [0.7954, 0.7919, 0.7882, 0.7843]
    assert [literal(epoch) for epoch in (10, 50, 100, 150, 400)] == [0.752, 0.563, 0.461, 0.179, 0.179]
    assert 0.563 < literal(30) < 0.752
    stretched = AlphaSchedule("stretched", stretch=50)
    assert [stretched(epoch) for epoch in range(4)] == [literal(50 * epoch) for epoch in range(4)]
    linear = AlphaSchedule("linear", end=0.2)
    assert [linear(epoch) for epoch in range(5)] == pytest.approx([0.8, 0.6, 0.4, 0.2, 0.2])
