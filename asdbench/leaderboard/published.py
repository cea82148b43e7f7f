"""Results from the literature: ``baselines/published``, every number with its source and what it means."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec

from asdbench.errors import DataError
from asdbench.resources import read_toml, resource_folder

_T = TypeVar("_T")
_Word = Annotated[str, msgspec.Meta(min_length=1)]
_Link = Annotated[str, msgspec.Meta(pattern="^(https://[!-~]+)?$")]


class Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One number as somebody published it.

    Attributes:
        system: What it is called in its paper.
        variant: Which form of it, whose training.
        dataset: Name of the data set, ``none`` for what has none.
        split: Which part; ``not stated`` where the source does not say.
        condition: ``clean``, ``overall``, a category, or a corruption.
        protocol: Key of ``protocols.toml``: what the number means.
        value: As printed.
        trained_on: On which data.
        source: Which document.
        where: In which part of it.
        url: Its address, where it has one.
        confidence: ``verified`` (read there) or ``secondary`` (read where others quote it).
        quoted_by: Those others.
        note: What a reader must know of this number.
    """

    system: _Word
    variant: str
    dataset: _Word
    split: _Word
    condition: _Word
    protocol: _Word
    value: float
    trained_on: _Word
    source: _Word
    where: _Word
    url: _Link
    confidence: Literal["verified", "secondary"]
    quoted_by: str
    note: str


class Meaning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the numbers of a protocol mean.

    Attributes:
        metric: What the field calls it.
        means: One sentence.
        unit: Of the values.
        better: Which direction.
        here: The rule of asdbench that gives such a number, if one does.
    """

    metric: _Word
    means: _Word
    unit: Literal["percent", "points", "GB"] = "percent"
    better: Literal["higher", "lower"] = "higher"
    here: str = ""


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A contradiction between sources, or something that does not compare.

    Attributes:
        id: Its name.
        title: In one line.
        text: What there is to know.
        datasets: Which data sets it is about; empty for all.
        shown: ``always`` above all tables, or ``below`` those of its data sets.
    """

    id: _Word
    title: _Word
    text: _Word
    datasets: tuple[str, ...] = ()
    shown: Literal["always", "below"] = "below"


class System(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a system: ``models.csv``. Empty where nobody says it."""

    system: _Word
    year: str
    venue: str
    parameters_M: float | None  # noqa: N815 - a column of a table
    at_least: Literal["", "yes"]
    flops_G: str  # noqa: N815
    input: str
    audio: str
    sees_other_faces: str
    weights: str
    code: str
    licence: str
    note: str


class _Notes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    note: tuple[Note, ...]


@dataclass(frozen=True)
class Published:
    """All of it.

    Attributes:
        numbers: In the order of the file.
        meanings: Protocol to what its numbers mean.
        notes: In the order of the file.
        systems: What is known of the systems.
    """

    numbers: tuple[Number, ...]
    meanings: Mapping[str, Meaning]
    notes: tuple[Note, ...]
    systems: tuple[System, ...]

    @cached_property
    def parameters(self) -> dict[str, float]:
        """System to its number of parameters, a lower bound for some."""
        return {each.system: each.parameters_M * 1e6 for each in self.systems if each.parameters_M is not None}

    @cached_property
    def columns(self) -> dict[tuple[str, str, str], tuple[Number, ...]]:
        """(data set, split, protocol) to the numbers that may share a column, in the order of the file."""
        found: dict[tuple[str, str, str], list[Number]] = {}
        for number in self.numbers:
            found.setdefault((number.dataset, number.split, number.protocol), []).append(number)
        return {key: tuple(each) for key, each in found.items()}

    def notes_on(self, dataset: str) -> tuple[Note, ...]:
        """Return the notes that stand below the tables of a data set."""
        return tuple(note for note in self.notes if dataset in note.datasets and note.shown == "below")


def read_published(folder: Path | None = None) -> Published:
    """Read the literature.

    Args:
        folder: With ``results.csv``, ``models.csv``, ``protocols.toml`` and ``notes.toml``; the shipped one by default.

    Raises:
        DataError: A row has no source, no such protocol, or is none; the message names its line.
        UsageError: A TOML file cannot be read.
    """
    folder = folder or resource_folder("baselines/published")
    meanings = _converted(folder / "protocols.toml", read_toml(folder / "protocols.toml", "list"), dict[str, Meaning])
    notes = _converted(folder / "notes.toml", read_toml(folder / "notes.toml", "list of notes"), _Notes).note
    numbers = _table(folder / "results.csv", Number)
    systems = _table(folder / "models.csv", System)
    for line, number in enumerate(numbers, 2):
        if number.protocol not in meanings:
            raise DataError(f"{folder / 'results.csv'}, row {line}: there is no protocol {number.protocol!r}.")
        if (number.confidence == "secondary") != bool(number.quoted_by):
            raise DataError(f"{folder / 'results.csv'}, row {line}: who quotes it belongs to secondary numbers only.")
    return Published(numbers, meanings, notes, systems)


def _table(path: Path, kind: type[_T]) -> tuple[_T, ...]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read ({error}).") from error
    return tuple(_converted(f"{path}, row {line}", _row(row), kind) for line, row in enumerate(rows, 2))


def _row(row: Mapping[str, str]) -> dict[str, str | None]:
    return {key: None if key == "parameters_M" and not value else value for key, value in row.items()}


def _converted(where: object, content: object, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(content, kind, strict=False)
    except msgspec.ValidationError as error:
        raise DataError(f"{where}: {error}.") from error
