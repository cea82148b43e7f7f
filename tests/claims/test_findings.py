"""What claims come to, from given figures: requirements, choices, verdicts of the shipped grid."""

from __future__ import annotations

from pathlib import Path

import pytest

from asdbench.claims.findings import Findings, find, quantities
from asdbench.claims.grid import Grid, load_grid
from asdbench.metrics.measured import Measured

SEEDS = (1, 2, 3, 4, 5)
SMALL = """
name = "small"
version = 1
summary = "Small."
train = "t"
val = "v"
suite = "claims"
seeds = [1, 2, 3]
minutes = 8
recipes = ["plain", "other", "third"]
[choice.hard]
among = ["hard-1", "hard-2"]
arm = "plain"
figure = "ap"
low = 0.6
high = 0.9
otherwise = "not in range"
[[claim]]
id = "a1"
text = "Fooled."
source = "Us"
kind = "level"
arm = "plain"
quantity = "m.retention"
bound = { at_least = 0.7 }
[[claim]]
id = "c1"
text = "Part."
source = "Us"
kind = "part"
arm = "third"
against = "plain"
full = "other"
share = 0.5
quantity = "m.retention>=400ms"
bound = { below = 0 }
[[claim.requires]]
kind = "drop"
arm = "other"
against = "plain"
quantity = "m.retention>=400ms"
bound = { above = 0 }
by = "interval"
otherwise = "no drop"
[[claim]]
id = "d"
text = "Raises."
source = "Us"
kind = "rise"
arm = "other"
against = "plain"
quantity = "hard.ap"
bound = { above = 0 }
"""

Arm = dict[int, dict[str, Measured]]


def arm(seeds: tuple[int, ...] = (1, 2, 3), **values: float) -> Arm:
    """A recipe's figures: the given ones, which spread by a hundredth over seeds."""
    names = {"m": "m.retention", "long": "m.retention>=400ms", "h1": "hard-1.ap", "h2": "hard-2.ap"}
    return {seed: {names[k]: v + 0.01 * (seed - 2) * (k != "m") for k, v in values.items()} for seed in seeds}


@pytest.fixture
def grid(tmp_path: Path) -> Grid:
    path = tmp_path / "small.toml"
    path.write_text(SMALL, encoding="utf-8")
    return load_grid(path)


def verdicts(found: Findings) -> dict[str, str]:
    return {each.claim.id: each.verdict for each in found.findings}


def test_what_must_be_read_of_a_run(grid: Grid) -> None:
    assert [each.text for each in quantities(grid)] == [
        "m.retention", "m.retention>=400ms", "hard-1.ap", "hard-2.ap",
    ]  # fmt: skip


def test_everything_holds(grid: Grid) -> None:
    plain, other = arm(m=0.9, long=0.9, h1=0.95, h2=0.8), arm(m=0.5, long=0.3, h1=0.95, h2=0.9)
    found = find(grid, {"plain": plain, "other": other, "third": arm(long=0.8)})
    assert verdicts(found) == {"a1": "reproduced", "c1": "reproduced", "d": "reproduced"}
    assert found.chosen[0].condition == "hard-2"
    part = found.findings[1]
    assert part.found.mean == pytest.approx(0.1 - 0.5 * 0.6)
    assert part.part_left == pytest.approx(1 / 6)
    assert found.findings[2].found.mean == pytest.approx(0.1)
    assert found.listed["plain"]["hard-2.ap"].by_seed == pytest.approx({1: 0.79, 2: 0.8, 3: 0.81})


def test_the_first_severity_in_range_is_taken_whatever_the_others_would_say(grid: Grid) -> None:
    plain, other = arm(m=0.9, long=0.9, h1=0.85, h2=0.7), arm(m=0.5, long=0.3, h1=0.80, h2=0.9)
    found = find(grid, {"plain": plain, "other": other})
    assert found.chosen[0].condition == "hard-1"
    assert verdicts(found)["d"] == "not reproduced"


def test_without_a_severity_in_range_the_claim_cannot_be_tested(grid: Grid) -> None:
    found = find(grid, {"plain": arm(m=0.9, h1=0.99, h2=0.95), "other": arm(m=0.9, h1=1.0, h2=1.0)})
    assert found.chosen[0].condition is None
    assert (found.findings[2].verdict, found.findings[2].reason) == ("cannot be tested here", "not in range")


def test_a_part_of_no_drop_cannot_be_tested(grid: Grid) -> None:
    measured = {"plain": arm(m=0.9, long=0.9), "other": arm(long=0.95), "third": arm(long=0.2)}
    found = find(grid, measured).findings[1]
    assert (found.verdict, found.reason) == ("cannot be tested here", "no drop")
    assert found.part_left is None


def test_before_anything_is_measured(grid: Grid) -> None:
    found = find(grid, {})
    assert set(verdicts(found).values()) == {"not separable"}
    assert "0 seeds of plain, by which the condition is chosen" in found.findings[2].reason
    assert "plain is not measured" in found.findings[0].reason


def test_two_seeds_are_too_few_for_any_verdict(grid: Grid) -> None:
    measured = {"plain": arm((1, 2), m=0.9, long=0.9, h1=0.99, h2=0.99), "other": arm((1, 2), long=0.9, h1=0.8)}
    assert set(verdicts(find(grid, measured)).values()) == {"not separable"}


def test_only_the_seeds_that_are_asked_for_count(grid: Grid) -> None:
    plain = arm((1, 2, 3), m=0.9) | {4: {"m.retention": 0.0}}
    assert find(grid, {"plain": plain}, [1, 2, 3]).findings[0].verdict == "reproduced"
    assert find(grid, {"plain": plain}, [1, 2, 3, 4]).findings[0].verdict == "not separable"


def test_an_undefined_figure_leaves_its_seed_out(grid: Grid) -> None:
    plain: Arm = {seed: {"m.retention": 0.9} for seed in (1, 2)}
    plain[3] = {"m.retention": {"undefined": "only 3 of 100 rows reach the threshold."}}
    found = find(grid, {"plain": plain}).findings[0]
    assert found.verdict == "not separable"
    assert "only 3 of 100 rows" in found.reason


# --- the shipped grid --------------------------------------------------------------------------------------------


def shipped(**changes: float) -> dict[str, dict[int, dict[str, Measured]]]:
    """Figures under which every shipped claim is reproduced, but for changes, each named RECIPE__QUANTITY."""
    grid = load_grid("demo")
    base = {
        "clean.ap": 0.95, "mismatch@1.00.retention": 0.95, "misalign@1.00.retention": 0.9,
        "misalign@1.00.retention>=400ms": 0.9, "hard-1.ap": 0.95, "hard-2.ap": 0.8, "hard-3.ap": 0.5, "phi_gap": 0.5,
        "resplice@1.00.retention": 0.99, "phi_audio": 0.2, "phi_video": 0.7,
    }  # fmt: skip
    own = {
        ("sync-talknet.demo", "mismatch@1.00.retention"): 0.4,
        ("sync-talknet.demo", "misalign@1.00.retention>=400ms"): 0.4,
        ("sync-talknet-no-positions.demo", "misalign@1.00.retention>=400ms"): 0.8,
        ("talknce.demo", "hard-2.ap"): 0.85,
        ("pair-net.demo", "phi_gap"): 0.3,
        ("lip.demo", "clean.ap"): 0.8,
        ("vad-lip.demo", "clean.ap"): 0.94,
    } | {(recipe, quantity): value for name, value in changes.items() for recipe, quantity in [name.split("__")]}
    return {
        recipe: {seed: {q: own.get((recipe, q), v) + 0.001 * seed for q, v in base.items()} for seed in SEEDS}
        for recipe in grid.recipes
    }


def test_the_shipped_grid_can_be_reproduced_in_full() -> None:
    found = find(load_grid("demo"), shipped())
    assert set(verdicts(found).values()) == {"reproduced"}
    assert list(verdicts(found)) == ["a1", "a2", "a3", "a4", "b1", "b2", "c1", "c2", "d", "e1", "e2", "f"]
    assert found.chosen[0].condition == "hard-2"


@pytest.mark.parametrize(
    ("change", "value", "expected"),
    [
        ("talknet.demo__mismatch@1.00.retention", 0.5, {"a1": "not reproduced"}),
        ("light-asd.demo__misalign@1.00.retention", 0.5, {"a4": "not reproduced"}),
        ("light-asd.demo__clean.ap", 0.5, dict.fromkeys(("a3", "a4"), "cannot be tested here")),
        ("sync-talknet.demo__misalign@1.00.retention>=400ms", 0.85,
         {"b2": "not reproduced", "c1": "not reproduced", "c2": "reproduced"}),
        ("sync-talknet.demo__misalign@1.00.retention>=400ms", 0.95,
         {"b2": "not reproduced", "c1": "cannot be tested here", "c2": "cannot be tested here"}),
        ("sync-talknet-no-positions.demo__misalign@1.00.retention>=400ms", 0.5, {"c1": "not reproduced"}),
        ("sync-talknet-no-negatives.demo__misalign@1.00.retention>=400ms", 0.7, {"c2": "not reproduced"}),
        ("talknet.demo__misalign@1.00.retention>=400ms", 0.2,
         {"b2": "cannot be tested here", "c1": "cannot be tested here", "c2": "cannot be tested here"}),
        ("talknce.demo__hard-2.ap", 0.7, {"d": "not reproduced"}),
        ("talknet.demo__hard-2.ap", 0.95, {"d": "cannot be tested here"}),
        ("pair-net.demo__phi_gap", 0.6, {"e1": "not reproduced"}),
        ("pair-net-plain.demo__phi_gap", 0.05, {"e1": "cannot be tested here"}),
        ("pair-net.demo__clean.ap", 0.93, {"e2": "not reproduced"}),
        ("vad-lip.demo__clean.ap", 0.9, {"f": "not reproduced"}),
        ("lip.demo__clean.ap", 0.94, {"f": "cannot be tested here"}),
    ],
)  # fmt: skip
def test_each_shipped_claim_falls_by_its_own_figures(change: str, value: float, expected: dict[str, str]) -> None:
    found = verdicts(find(load_grid("demo"), shipped(**{change: value})))
    assert {claim: verdict for claim, verdict in found.items() if verdict != "reproduced"} == {
        claim: verdict for claim, verdict in expected.items() if verdict != "reproduced"
    }
