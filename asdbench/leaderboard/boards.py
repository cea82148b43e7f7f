"""Boards: entries that share all but the model, their ranks, and what can be told apart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec

from asdbench.leaderboard.entry import Entry, Figure, replicates_of
from asdbench.leaderboard.ranks import Ranks, rank

_DIRECTION = {"higher": True, "lower": False}


@dataclass(frozen=True)
class Board:
    """Entries on the same rows of the same data, under the same plan of the same suite, by the same protocol.

    Attributes:
        entries: Models first, by clean AP, then reference systems.
    """

    entries: tuple[Entry, ...]

    @property
    def first(self) -> Entry:
        """Any entry, for what all share."""
        return self.entries[0]

    @cached_property
    def models(self) -> tuple[Entry, ...]:
        """The entries that have ranks."""
        return tuple(entry for entry in self.entries if entry.kind == "model")

    @property
    def references(self) -> tuple[Entry, ...]:
        """The entries that have none."""
        return tuple(entry for entry in self.entries if entry.kind == "reference")

    @property
    def suite(self) -> str:
        """Name and version."""
        return f"{self.first.suite.name}@{self.first.suite.version}"

    @property
    def data(self) -> str:
        """Name of the data set, with its part where the name does not say it."""
        data = self.first.data
        return data.name if data.name.endswith(f"-{data.split}") else f"{data.name} {data.split}"

    @property
    def title(self) -> str:
        """What to call it."""
        return f"{self.data}, suite {self.suite}, protocol {self.first.data.protocol}"

    @property
    def key(self) -> str:
        """Eight signs that tell it from all others."""
        return hashlib.sha256(_shared(self.first)).hexdigest()[:8]

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """The figures that some entry has, in order, those of the first entry that has them."""
        found: dict[str, Figure] = {}
        for entry in self.entries:
            for figure in entry.figures:
                found.setdefault(figure.name, figure)
        return tuple(found.values())

    @cached_property
    def ranks(self) -> dict[str, Ranks]:
        """Figure to what can be told apart of the models."""
        return {figure.name: self._ranked(figure) for figure in self.figures}

    def _ranked(self, figure: Figure) -> Ranks:
        found = [(entry, entry.figure(figure.name)) for entry in self.models]
        resampled = [replicates_of(entry, each) if each is not None else None for entry, each in found]
        return rank(resampled, _DIRECTION[figure.better])


def boards_of(entries: Iterable[Entry]) -> tuple[Board, ...]:
    """Put entries on boards, sorted by data set and suite."""
    found: dict[bytes, list[Entry]] = {}
    for entry in entries:
        found.setdefault(_shared(entry), []).append(entry)
    boards = [Board(tuple(sorted(each, key=_order))) for each in found.values()]
    return tuple(sorted(boards, key=lambda board: (board.data, board.suite, board.first.data.protocol, board.key)))


def _order(entry: Entry) -> tuple[bool, float, str]:
    clean = entry.figure("clean.ava")
    value = None if clean is None else clean.value
    return entry.kind != "model", -(value if value is not None else -1.0), entry.name


def _shared(entry: Entry) -> bytes:
    """Return all that two entries must share to be compared; as ``report.comparison.require_comparable``."""
    data, suite, units = entry.data, entry.suite, entry.units
    parts: Sequence[object] = (
        data.fingerprint, data.media_digest, data.protocol, data.rows_sha256, sorted(data.rows.items()),
        suite.name, suite.version, suite.sha256, suite.plan_sha256, entry.dtype, entry.threshold,
        units.kind, units.count, units.effective, units.names_sha256, units.resamples, units.seed,
    )  # fmt: skip
    return msgspec.json.encode(parts)
