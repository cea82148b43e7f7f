"""A grid of trainings and the claims that it decides, as ``baselines/claims/*.toml`` says them (docs/claims.md).

Everything that a verdict hangs on stands in the file: arms, figures, thresholds, what must hold for a claim to be
testable. It is fixed before the grid is trained, and its hash is printed with the verdicts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from asdbench.claims.claim import Claim, Finite, Name, Part
from asdbench.claims.quantity import read_quantity
from asdbench.errors import UnknownNameError, UsageError
from asdbench.registry import unknown_name
from asdbench.resources import read_toml, resource_folder

_FOLDER = "baselines/claims"


class Choice(Part, frozen=True, kw_only=True):
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


class Grid(Part, frozen=True, kw_only=True):
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
