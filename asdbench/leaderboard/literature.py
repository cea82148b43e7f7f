"""The tables of the literature: one per data set, part and protocol, so that no column mixes two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from asdbench.leaderboard.published import Meaning, Number, Published
from asdbench.report.table import Column, Kind, Table

_PLAIN = ("clean", "overall", "average over speakers")
_MOST_COLUMNS = 8
_GAIN = "gain"
_AS_PRINTED: Kind = "count"
"""Published numbers keep the digits that they were published with."""


@dataclass(frozen=True)
class Source:
    """A document, or a document as somebody else quotes it.

    Attributes:
        name: What it is called.
        url: Its address, empty where it has none.
        quoted_by: Where its numbers were read, empty where they were read in it.
    """

    name: str
    url: str
    quoted_by: str

    def __str__(self) -> str:
        return f"{self.name}, quoted by {self.quoted_by}" if self.quoted_by else self.name


@dataclass(frozen=True)
class Sources:
    """The sources of all numbers, numbered in the order of their first use."""

    all: tuple[Source, ...]

    def short(self, number: Number) -> str:
        """Return ``S3, Table 1``."""
        return f"S{self.all.index(_source(number)) + 1}, {number.where}"


def sources_of(published: Published) -> Sources:
    """Return the sources of all numbers."""
    return Sources(tuple(dict.fromkeys(_source(number) for number in published.numbers)))


def tables_of(published: Published, dataset: str) -> Iterator[tuple[str, Table]]:
    """Yield heading and table of what is known on a data set, but for differences that sources state without values."""
    sources = sources_of(published)
    for (name, split, protocol), numbers in published.columns.items():
        meaning = published.meanings[protocol]
        if name == dataset and not is_gain(protocol):
            called = _heading(dataset, split, meaning)
            caption = f"{called} ({protocol}): {meaning.means}"
            caption += " Less is better." if meaning.better == "lower" else ""
            made = _Column(f"{_slug(dataset)}-{_slug(split)}-{protocol}", caption, meaning, published, sources)
            yield from ((f"{called}{part}", table) for part, table in made.tables(numbers))


def datasets_of(published: Published) -> tuple[str, ...]:
    """Return the names of all data sets, those with most numbers first, ``none`` last."""
    counts: dict[str, int] = {}
    for number in published.numbers:
        counts[number.dataset] = counts.get(number.dataset, 0) + 1
    return tuple(sorted(counts, key=lambda name: (name == "none", -counts[name])))


def is_gain(protocol: str) -> bool:
    """Whether numbers of a protocol are differences."""
    return f"-{_GAIN}-" in protocol


def gains(published: Published, dataset: str) -> Iterator[str]:
    """Yield in words the differences that sources state without their values."""
    sources = sources_of(published)
    for number in published.numbers:
        if number.dataset == dataset and is_gain(number.protocol):
            meaning = published.meanings[number.protocol]
            unit = "points" if meaning.unit == "points" else "%"
            where = "" if number.split == "not stated" else f" {number.split}"
            yield (
                f"{number.system}: {meaning.metric} {number.value:g} {unit} on {dataset}{where} "
                f"({sources.short(number)}; {number.confidence})"
            )


def every_number(published: Published) -> Table:
    """Return all numbers in one table with a column per protocol: the csv file of the literature."""
    fixed = ("system", "variant", "dataset", "split", "condition", "trained_on")
    about = ("source", "where", "url", "confidence", "quoted_by", "note")
    used = [name for name in published.meanings if any(number.protocol == name for number in published.numbers)]
    columns = [
        *(Column(name, name) for name in fixed),
        *(Column(name, name, _AS_PRINTED) for name in used),
        *(Column(name, name) for name in about),
    ]
    rows = [
        {**{name: getattr(number, name) for name in (*fixed, *about)}, number.protocol: number.value}
        for number in published.numbers
    ]
    return Table("published", "Results from the literature, one column per protocol.", tuple(columns), tuple(rows))


@dataclass(frozen=True)
class _Column:
    """Numbers that may share a column, made tables."""

    name: str
    caption: str
    meaning: Meaning
    published: Published
    sources: Sources

    def tables(self, numbers: Sequence[Number]) -> Iterator[tuple[str, Table]]:
        conditions = {number.condition for number in numbers}
        if len(conditions) == 1:
            yield "", self._listed(numbers)
        elif len(conditions) <= _MOST_COLUMNS:
            yield "", self._wide(numbers, sorted(conditions, key=self._order(numbers)))
        else:
            yield "", self._listed([number for number in numbers if number.condition in _PLAIN])
            grids = self._grids([number for number in numbers if number.condition not in _PLAIN])
            yield from ((", under corruptions", table) for table in grids)

    def _listed(self, numbers: Sequence[Number], name: str = "", caption: str = "") -> Table:
        mixed = len({number.condition for number in numbers}) > 1
        columns = (
            *_about_systems(),
            *((Column("condition", "condition"),) if mixed else ()),
            Column("value", self._header, _AS_PRINTED),
            Column("parameters", "parameters", "count"),
            *_about_sources(),
        )
        ordered = sorted(numbers, key=lambda number: -number.value if self.meaning.better == "higher" else number.value)
        rows = tuple({**self._row(number), "condition": number.condition, "value": number.value} for number in ordered)
        return Table(name or self.name, caption or self.caption, columns, rows)

    def _wide(self, numbers: Sequence[Number], conditions: Sequence[str]) -> Table:
        """One row per system and training, one column per category."""
        rows: dict[tuple[str, ...], dict[str, Any]] = {}
        for number in numbers:
            row = rows.setdefault(_who(number), self._row(number))
            row[number.condition] = number.value
        columns = (
            *_about_systems(),
            *(Column(name, f"{name}{self._unit}", _AS_PRINTED) for name in conditions),
            Column("parameters", "parameters", "count"),
            *_about_sources(),
        )
        return Table(self.name, self.caption, columns, tuple(rows.values()))

    def _grids(self, numbers: Sequence[Number]) -> Iterator[Table]:
        """One row per condition, one column per system, for systems that one source tested under many conditions."""
        by_variant: dict[str, list[Number]] = {}
        for number in numbers:
            by_variant.setdefault(number.variant, []).append(number)
        rest: list[Number] = []
        for place, (variant, each) in enumerate(by_variant.items()):
            systems = list(dict.fromkeys(number.system for number in each))
            if len(systems) > 1:
                yield self._grid(each, systems, f"{self.name}-grid-{place}", variant)
            else:
                rest += each
        if rest:
            yield self._listed(rest, f"{self.name}-parts", f"{self.caption} Under corruptions, parts of systems.")

    def _grid(self, numbers: Sequence[Number], systems: Sequence[str], name: str, variant: str) -> Table:
        rows: dict[tuple[str, str], dict[str, Any]] = {}
        for number in numbers:
            key = (number.condition, self.sources.short(number))
            row = rows.setdefault(key, {"condition": key[0], **self._about(number)})
            row[number.system] = number.value
        columns = (
            Column("condition", "condition"),
            *(Column(system, f"{system}{self._unit}", _AS_PRINTED) for system in systems),
            *_about_sources(),
        )
        trained = " and ".join(sorted({number.trained_on for number in numbers}))
        caption = f"{self.caption} Under corruptions; trained on {trained}{f', {variant}' if variant else ''}."
        return Table(name, caption, columns, tuple(rows.values()))

    def _row(self, number: Number) -> dict[str, Any]:
        parameters = self.published.parameters.get(number.system)
        return {
            "system": number.system,
            "variant": number.variant or None,
            "parameters": None if parameters is None else round(parameters),
            "trained_on": number.trained_on,
            **self._about(number),
        }

    def _about(self, number: Number) -> dict[str, Any]:
        source, note = self.sources.short(number), number.note or None
        return {"source": source, "confidence": number.confidence, "note": note}

    @property
    def _unit(self) -> str:
        return {"percent": " %", "points": " (points)", "GB": " (GB)"}[self.meaning.unit]

    @property
    def _header(self) -> str:
        return f"{self.meaning.metric}{self._unit}"

    def _order(self, numbers: Sequence[Number]) -> Any:
        places = {condition: place for place, condition in enumerate(dict.fromkeys(n.condition for n in numbers))}
        return lambda condition: (condition not in _PLAIN, places[condition])


def _source(number: Number) -> Source:
    return Source(number.source, number.url, number.quoted_by)


def _about_systems() -> tuple[Column, ...]:
    return Column("system", "system"), Column("variant", "variant"), Column("trained_on", "trained on")


def _about_sources() -> tuple[Column, ...]:
    return Column("source", "source"), Column("confidence", "confidence"), Column("note", "note")


def _who(number: Number) -> tuple[str, ...]:
    """Return what makes numbers of one row: the same system, trained and published alike."""
    return (
        number.system, number.variant, number.trained_on, number.source, number.confidence, number.quoted_by,
        number.where, number.note,
    )  # fmt: skip


def _slug(text: str) -> str:
    return "".join(sign.lower() if sign.isalnum() else "-" for sign in text)


def _heading(dataset: str, split: str, meaning: Meaning) -> str:
    """Return what to call the numbers of a data set's part."""
    part = " (part not stated)" if split == "not stated" else "" if split in ("none", "all") else f" {split}"
    return f"{dataset}{part}, {meaning.metric}" if dataset != "none" else meaning.metric
