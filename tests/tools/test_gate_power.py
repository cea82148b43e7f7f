"""The simulation of gates, reduced: what it draws, and that the gate neither cries wolf nor sleeps."""

from __future__ import annotations

import numpy as np
import pytest

import tools.gate_power as tool


def test_recordings_are_uneven_and_both_runs_share_them() -> None:
    old, new = tool.two_runs(tool.World(), 33, tool.Drop(), np.random.default_rng(1))
    sizes = np.bincount(old.units.of_row)
    assert sizes.max() > 4 * sizes.min()
    assert old.units.effective < 30
    assert np.array_equal(old.clean.label, new.clean.label)
    assert 0.9 < np.corrcoef(old.clean.score, new.clean.score)[0, 1] < 1
    noise = old.clean.score[old.clean.label == 0]
    assert np.corrcoef(noise[1:], noise[:-1])[0, 1] > 0.8


def test_a_drop_is_as_large_as_it_says() -> None:
    world = tool.World(mean_frames=100)
    drop = tool.drop_of(3, "ap", world, 1, sources=400)
    assert tool.drop_of(3, "ap", world, 2, sources=400).skill == pytest.approx(drop.skill, rel=0.2)
    rows = tool.two_runs(world, 400, drop, np.random.default_rng(3))
    assert tool.judge(*rows, tool.rules_with(0, "clean.ap"))[0][0].change == pytest.approx(-0.03, abs=0.01)
    assert tool.drop_of(3, "fa_changed", world, 1, sources=400).reaction > 0


@pytest.mark.parametrize("tails", ["normal", "heavy"])
def test_false_alarms_are_rare(tails: str) -> None:
    found = tool.tally(tool.World(tails=tails), 12, tool.rules_with(0), tool.Drop(), 40, 3)
    assert found.gate <= 0.1
    assert found.rule <= found.gate
    assert found.alone.shape == (20,)
    assert found.alone.mean() <= 0.1


def test_a_large_drop_is_seen() -> None:
    found = tool.tally(tool.World(), 30, tool.rules_with(1), tool.Drop(skill=1.0), 15, 4)
    assert found.gate >= 0.9
    assert 0.7 <= found.rule <= found.gate
    assert 0.02 < found.detectable < 0.15
