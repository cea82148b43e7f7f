"""A claim as a grid says it: arms, figure, threshold, and what must hold for it to be testable."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from asdbench.claims.quantity import Quantity, read_quantity

MIN_SEEDS = 3
"""Fewer paired seeds give no verdict."""

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", max_length=60)]
Finite = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a grid's file."""


class Bound(Part, frozen=True, kw_only=True):
    """On which side of a threshold a number is said to lie; exactly one of the four.

    Attributes:
        at_least: ``value >= threshold``.
        at_most: ``value <= threshold``.
        above: ``value > threshold``.
        below: ``value < threshold``.
    """

    at_least: Finite | None = None
    at_most: Finite | None = None
    above: Finite | None = None
    below: Finite | None = None

    def __post_init__(self) -> None:
        if sum(each is not None for each in self._sides.values()) != 1:
            raise ValueError("a bound is one of at_least, at_most, above and below")

    @property
    def _sides(self) -> dict[str, float | None]:
        return {side: getattr(self, side) for side in ("at_least", "at_most", "above", "below")}

    @property
    def side(self) -> str:
        """Which of the four."""
        return next(side for side, value in self._sides.items() if value is not None)

    @property
    def threshold(self) -> float:
        """The number."""
        return next(value for value in self._sides.values() if value is not None)

    @property
    def upwards(self) -> bool:
        """Whether the claim's side lies above the threshold."""
        return self.side in ("at_least", "above")

    @property
    def strict(self) -> bool:
        """Whether the threshold itself lies on the other side."""
        return self.side in ("above", "below")

    @property
    def words(self) -> str:
        """The bound as text."""
        sign = {"at_least": "≥", "at_most": "≤", "above": ">", "below": "<"}[self.side]
        return f"{sign} {self.threshold:g}"


class Statistic(Part, frozen=True, kw_only=True):
    """A number per seed, and where it is said to lie.

    Attributes:
        kind: ``level``: the figure of ``arm``. ``rise``: of ``arm`` minus that of ``against``. ``drop``: the other way
            round. ``part``: the drop of ``arm`` minus ``share`` of the drop of ``full``, both against ``against``,
            so below 0 where less than that share of the drop is left. A difference, since a ratio of two noisy drops
            has no interval where the lower one may be 0.
        arm: A recipe.
        against: The recipe that it is paired with, seed by seed.
        full: With ``part``, the recipe whose drop is the whole.
        share: With ``part``, the share of it.
        quantity: Which figure; see `read_quantity`.
        bound: Where the number is said to lie.
    """

    kind: Literal["level", "rise", "drop", "part"]
    arm: Name
    against: Name | None = None
    full: Name | None = None
    share: Share | None = None
    quantity: str
    bound: Bound

    def __post_init__(self) -> None:
        wanted = {"level": (), "rise": ("against",), "drop": ("against",), "part": ("against", "full", "share")}
        for key in ("against", "full", "share"):
            needed = key in wanted[self.kind]
            if (getattr(self, key) is not None) != needed:
                raise ValueError(f"kind {self.kind!r} {'needs' if needed else 'has no'} {key}")
        named = [each for each in (self.arm, self.against, self.full) if each is not None]
        if len(set(named)) < len(named):
            raise ValueError("the arms of a comparison must be different recipes")
        read_quantity(self.quantity)

    @property
    def figure(self) -> Quantity:
        """The figure, taken apart."""
        return read_quantity(self.quantity)

    @property
    def weights(self) -> dict[str, float]:
        """Arm to the factor of its figure: the number of a seed is their weighted sum."""
        if self.kind == "level":
            return {self.arm: 1.0}
        against, full, share = str(self.against), str(self.full), float(self.share or 0.0)
        if self.kind == "part":
            return {self.arm: -1.0, against: 1.0 - share, full: share}
        sign = 1.0 if self.kind == "rise" else -1.0
        return {self.arm: sign, against: -sign}


class Requirement(Statistic, frozen=True, kw_only=True):
    """What must hold for a claim to be testable at all.

    Attributes:
        by: ``interval``: all of the interval over seeds lies there. ``mean``: the mean does.
        otherwise: Why the claim cannot be tested where it does not.
    """

    by: Literal["mean", "interval"] = "mean"
    otherwise: str


class Claim(Statistic, frozen=True, kw_only=True):
    """A claim.

    Attributes:
        id: A letter and perhaps a number, such as ``c1``.
        text: What is claimed, in one sentence.
        source: Paper and section.
        requires: What must hold for it to be testable.
    """

    id: Annotated[str, msgspec.Meta(pattern=r"^[a-z][0-9]?$")]
    text: str
    source: str
    requires: tuple[Requirement, ...] = ()

    @property
    def arms(self) -> tuple[str, ...]:
        """Every recipe that it needs, each once."""
        return tuple(dict.fromkeys(arm for each in (self, *self.requires) for arm in each.weights))
