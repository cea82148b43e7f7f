"""A grid of trainings and the claims that it decides, as ``baselines/claims/*.toml`` says them (docs/claims.md).

Everything that a verdict hangs on stands in the file: arms, figures, thresholds, what must hold for a claim to be
testable. It is fixed before anything is trained, and its hash is printed with the verdicts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from asdbench.claims.quantity import Quantity, read_quantity
from asdbench.errors import UnknownNameError, UsageError
from asdbench.registry import unknown_name
from asdbench.resources import read_toml, resource_folder

_FOLDER = "baselines/claims"
MIN_SEEDS = 3
"""Fewer paired seeds give no verdict."""

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", max_length=60)]
Finite = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Bound(_Part, frozen=True, kw_only=True):
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


class Statistic(_Part, frozen=True, kw_only=True):
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


class Choice(_Part, frozen=True, kw_only=True):
    """Which of several conditions an alias stands for: the first one under which a figure of an arm lies in a range.

    Attributes:
        among: The conditions, in the order in which they are tried.
        arm: Whose figure counts.
        figure: Its name.
        low: Least mean over seeds.
        high: Greatest.
        otherwise: Why claims about the alias cannot be tested where none does.
    """

    among: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    arm: Name
    figure: str
    low: Finite
    high: Finite
    otherwise: str


class Grid(_Part, frozen=True, kw_only=True):
    """Cells, and what they decide.

    Attributes:
        name: Also the file's name.
        version: Raised with each change that may move a number or a verdict.
        summary: One sentence.
        train: Data set to train on.
        train_split: Part of it.
        val: Data set to measure on.
        val_split: Part of it.
        suite: What is measured.
        seeds: Of the trainings; arms are paired by them.
        minutes: What a cell may take; those that take longer are marked.
        recipes: What is trained and measured; also what no claim speaks of.
        shown: Figures that are listed for every recipe beside those of the claims.
        choices: Alias of a condition to the rule by which it is chosen.
        claims: In the order of the table.
    """

    name: Name
    version: Annotated[int, msgspec.Meta(ge=1)]
    summary: str
    train: str
    train_split: str = "train"
    val: str
    val_split: str = "val"
    suite: str
    seeds: Annotated[tuple[Annotated[int, msgspec.Meta(ge=0)], ...], msgspec.Meta(min_length=1)]
    minutes: Annotated[float, msgspec.Meta(gt=0)]
    recipes: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)]
    shown: tuple[str, ...] = ()
    choices: Mapping[str, Choice] = {}
    claims: Annotated[tuple[Claim, ...], msgspec.Meta(min_length=1)]

    @property
    def sha256(self) -> str:
        """Hash of all that it says."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()

    @property
    def label(self) -> str:
        """Name and version."""
        return f"{self.name}@{self.version}"

    def only(self, ids: Sequence[str]) -> Grid:
        """Return the grid of some claims, and of the recipes that they need.

        Args:
            ids: Of claims; a letter alone stands for all that begin with it.

        Raises:
            UnknownNameError: There is no such claim.
        """
        known = {claim.id for claim in self.claims}
        for each in ids:
            if not any(name == each or name[0] == each for name in known):
                raise unknown_name("claim", each, sorted(known | {name[0] for name in known}))
        claims = tuple(claim for claim in self.claims if claim.id in ids or claim.id[0] in ids)
        aliases = {each.figure.condition for claim in claims for each in (claim, *claim.requires)}
        arms = {arm for claim in claims for arm in claim.arms}
        arms |= {choice.arm for alias, choice in self.choices.items() if alias in aliases}
        return msgspec.structs.replace(
            self,
            claims=claims,
            recipes=tuple(name for name in self.recipes if name in arms),
            choices={alias: choice for alias, choice in self.choices.items() if alias in aliases},
        )


def grid_names() -> list[str]:
    """Return the names of the grids that are shipped, sorted."""
    return sorted(path.stem for path in resource_folder(_FOLDER).glob("*.toml"))


def load_grid(name: str | Path) -> Grid:
    """Load a grid.

    Args:
        name: A shipped grid, or the path of a file that ends with ``.toml``.

    Raises:
        UnknownNameError: No such grid.
        UsageError: The file is not a valid one; the message has file and key.
    """
    text = str(name)
    if text.endswith(".toml"):
        path = Path(text)
    elif text in grid_names():
        path = resource_folder(_FOLDER) / f"{text}.toml"
    else:
        error = unknown_name("grid", text, grid_names())
        raise UnknownNameError(f"{error} A grid of your own is named by its file, which ends with .toml.")
    content = read_toml(path, "grid of claims")
    try:
        grid = msgspec.convert(_written_out(content), Grid)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: not a valid grid ({error}).") from error
    for problem in _problems(grid):
        raise UsageError(f"{path}: {problem}.")
    return grid


def _written_out(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file says under the names of the structs: ``claim`` and ``choice`` are singular in TOML."""
    plural = {"claim": "claims", "choice": "choices"}
    return {plural.get(key, key): value for key, value in content.items() if key not in plural.values()} | {
        key: "write [[claim]] or [choice.NAME]" for key in plural.values() if key in content
    }


def _problems(grid: Grid) -> Iterator[str]:
    ids = [claim.id for claim in grid.claims]
    listed: dict[str, Sequence[object]] = {"claim": ids, "seed": grid.seeds, "recipe": grid.recipes}
    for name, values in listed.items():
        yield from (f"the {name} {each} stands there twice" for each in values if values.count(each) > 1)
    for claim in grid.claims:
        yield from (f"claim {claim.id}: {arm!r} is none of recipes" for arm in claim.arms if arm not in grid.recipes)
    for alias, choice in grid.choices.items():
        if choice.arm not in grid.recipes:
            yield f"choice {alias}: {choice.arm!r} is none of recipes"
        if choice.low > choice.high:
            yield f"choice {alias}: low = {choice.low:g} lies above high = {choice.high:g}"
        yield from _unreadable(f"{choice.among[0]}.{choice.figure}", f"choice {alias}")
    for text in grid.shown:
        yield from _unreadable(text, "shown")


def _unreadable(text: str, where: str) -> Iterator[str]:
    try:
        read_quantity(text)
    except ValueError as error:
        yield f"{where}: {error}"
