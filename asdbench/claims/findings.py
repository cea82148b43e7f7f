"""From figures of cells to findings: which condition an alias stands for, what each claim comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from asdbench.claims.claim import MIN_SEEDS, Claim, Requirement
from asdbench.claims.grid import Choice, Grid
from asdbench.claims.quantity import Quantity, read_quantity
from asdbench.claims.verdict import Figures, Spread, Verdict, judge, lies_there, paired, spread
from asdbench.metrics.measured import Measured

Measurements = Mapping[str, Mapping[int, Mapping[str, Measured]]]
"""Recipe to seed to text of a quantity to its value."""


@dataclass(frozen=True)
class Chosen:
    """What an alias of a condition stands for.

    Attributes:
        alias: The alias.
        choice: The rule.
        means: Condition to the figure over seeds, in the order in which they are tried.
        condition: The one that was taken; ``None`` where none is in range.
    """

    alias: str
    choice: Choice
    means: Mapping[str, Spread]
    condition: str | None


@dataclass(frozen=True)
class Met:
    """What a claim requires, and whether it holds.

    Attributes:
        requirement: What must hold.
        found: The number.
        holds: Whether it does.
    """

    requirement: Requirement
    found: Spread
    holds: bool


@dataclass(frozen=True)
class Finding:
    """What a claim comes to.

    Attributes:
        claim: The claim.
        verdict: Of the four.
        reason: Why, in a few words.
        found: Its number over seeds.
        arms: Figure of each arm over the seeds that are paired.
        requirements: In order.
        condition: What the claim's figure is of, after aliases; ``None`` where an alias stands for nothing.
    """

    claim: Claim
    verdict: Verdict
    reason: str
    found: Spread
    arms: Mapping[str, Spread]
    requirements: tuple[Met, ...]
    condition: str | None

    @property
    def part_left(self) -> float | None:
        """With ``part``, which share of the whole drop is left, as a ratio of means; ``None`` without a whole drop."""
        claim = self.claim
        if claim.kind != "part":
            return None
        against, full, arm = (self.arms[str(name)].mean for name in (claim.against, claim.full, claim.arm))
        if against is None or full is None or arm is None or against - full <= 0:
            return None
        return (against - arm) / (against - full)


@dataclass(frozen=True)
class Findings:
    """Everything that a grid came to.

    Attributes:
        grid: The grid.
        seeds: Those that count.
        chosen: Of each alias.
        findings: One per claim, in the grid's order.
        listed: Recipe to quantity to its values over seeds, for all quantities that are listed.
    """

    grid: Grid
    seeds: tuple[int, ...]
    chosen: tuple[Chosen, ...]
    findings: tuple[Finding, ...]
    listed: Mapping[str, Mapping[str, Spread]]


def quantities(grid: Grid) -> tuple[Quantity, ...]:
    """Return every quantity that must be read of each run: aliases stand for all that they may stand for."""
    texts = [each.quantity for claim in grid.claims for each in (claim, *claim.requires)] + list(grid.shown)
    texts += [f"{alias}.{choice.figure}" for alias, choice in grid.choices.items()]
    found: dict[Quantity, None] = {}
    for text in texts:
        quantity = read_quantity(text)
        choice = grid.choices.get(quantity.condition)
        for condition in choice.among if choice else (quantity.condition,):
            found[Quantity(quantity.figure, condition, quantity.shift_ms)] = None
    return tuple(found)


def find(grid: Grid, measured: Measurements, seeds: Sequence[int] | None = None) -> Findings:
    """Judge every claim.

    Args:
        grid: What is claimed.
        measured: The figures of all cells that are finished.
        seeds: Those that count; all of the grid by default.
    """
    wanted = tuple(grid.seeds if seeds is None else seeds)
    chosen = tuple(_choose(alias, choice, measured, wanted) for alias, choice in grid.choices.items())
    stands_for = {each.alias: each.condition for each in chosen}
    return Findings(
        grid,
        wanted,
        chosen,
        tuple(_finding(claim, grid, measured, wanted, stands_for) for claim in grid.claims),
        {recipe: _listed(grid, measured.get(recipe, {}), wanted) for recipe in grid.recipes},
    )


def _choose(alias: str, choice: Choice, measured: Measurements, seeds: Sequence[int]) -> Chosen:
    means = {
        condition: paired(_figures(measured, Quantity(choice.figure, condition)), {choice.arm: 1.0}, seeds)
        for condition in choice.among
    }
    inside = (name for name, found in means.items() if _within(found.mean, choice))
    return Chosen(alias, choice, means, next(inside, None))


def _within(mean: float | None, choice: Choice) -> bool:
    return mean is not None and choice.low <= mean <= choice.high


def _finding(
    claim: Claim, grid: Grid, measured: Measurements, seeds: Sequence[int], stands_for: Mapping[str, str | None]
) -> Finding:
    condition = stands_for.get(claim.figure.condition, claim.figure.condition)
    figures = {} if condition is None else _figures(measured, _of(claim.figure, condition))
    found = paired(figures, claim.weights, seeds)
    arms = {arm: paired(figures, {arm: 1.0}, tuple(found.by_seed)) for arm in claim.weights}
    met = tuple(_met(each, measured, seeds, stands_for) for each in claim.requires)
    verdict, reason = _verdict(claim, found, met)
    if condition is None:
        verdict, reason = _without_condition(grid.choices[claim.figure.condition], measured, seeds)
    return Finding(claim, verdict, reason, found, arms, met, condition)


def _verdict(claim: Claim, found: Spread, met: Sequence[Met]) -> tuple[Verdict, str]:
    failed = next((each for each in met if not each.holds), None)
    if failed is not None and len(found.by_seed) >= MIN_SEEDS:
        return "cannot be tested here", failed.requirement.otherwise
    return judge(found, claim.bound)


def _without_condition(choice: Choice, measured: Measurements, seeds: Sequence[int]) -> tuple[Verdict, str]:
    there = sum(seed in measured.get(choice.arm, {}) for seed in seeds)
    if there >= MIN_SEEDS:
        return "cannot be tested here", choice.otherwise
    return (
        "not separable",
        f"{there} seeds of {choice.arm}, by which the condition is chosen, where {MIN_SEEDS} are the least",
    )


def _met(each: Requirement, measured: Measurements, seeds: Sequence[int], stands_for: Mapping[str, str | None]) -> Met:
    condition = stands_for.get(each.figure.condition, each.figure.condition)
    figures = {} if condition is None else _figures(measured, _of(each.figure, condition))
    found = paired(figures, each.weights, seeds)
    return Met(each, found, lies_there(found, each, each.by))


def _of(quantity: Quantity, condition: str) -> Quantity:
    return Quantity(quantity.figure, condition, quantity.shift_ms)


def _figures(measured: Measurements, quantity: Quantity) -> Figures:
    text = quantity.text
    return {
        recipe: {seed: values[text] for seed, values in by_seed.items() if text in values}
        for recipe, by_seed in measured.items()
    }


def _listed(grid: Grid, by_seed: Mapping[int, Mapping[str, Measured]], seeds: Sequence[int]) -> dict[str, Spread]:
    found = {}
    for quantity in quantities(grid):
        values = {seed: by_seed[seed].get(quantity.text) for seed in seeds if seed in by_seed}
        numbers = {seed: value for seed, value in values.items() if isinstance(value, float)}
        missing = {seed: value["undefined"] for seed, value in values.items() if isinstance(value, dict)}
        found[quantity.text] = spread(numbers, missing)
    return found
