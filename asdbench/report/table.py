"""A table: plain data, to be shown in a terminal, a notebook, Markdown, CSV or LaTeX."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "count", "percent", "share", "ratio", "log-odds", "ms"]
_DIGITS: dict[Kind, tuple[float, int]] = {
    "percent": (100, 2),
    "share": (100, 1),
    "ratio": (1, 3),
    "log-odds": (1, 3),
    "ms": (1, 1),
}

UNDEFINED = "–"
"""Shown where a metric has no value; the reason stands below the table."""


@dataclass(frozen=True)
class Estimate:
    """A number with the ends of its interval.

    Attributes:
        value: The number.
        low: Lower end, ``None`` where there is no interval.
        high: Upper end.
        reason: Why there is no interval.
    """

    value: float
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True)
class Column:
    """One column: ``percent`` has two decimals, ``share`` one, ``ratio`` three and no factor of 100."""

    key: str
    header: str
    kind: Kind = "text"


@dataclass(frozen=True)
class Table:
    """Rows of raw values and how to show them.

    Attributes:
        name: File name without extension.
        caption: One line that says what is shown, at which threshold, with which n.
        columns: In order.
        rows: By column key; a value is text, a number, an ``Estimate``, ``None``, or ``{"undefined": reason}``.
        note: What the intervals are, shown after the caption where they are shown.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Any], ...]
    note: str = ""

    @property
    def legend(self) -> str:
        """Caption and note."""
        return f"{self.caption} {self.note}".strip()

    @cached_property
    def has_intervals(self) -> bool:
        """Whether some cell has an interval."""
        return any(isinstance(value, Estimate) and value.low is not None for row in self.rows for value in row.values())

    @cached_property
    def shown(self) -> tuple[Column, ...]:
        """The columns in which some row has something to say; people need no others, machines get all."""
        return tuple(column for column in self.columns if any(row.get(column.key) is not None for row in self.rows))

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The columns for machines: one with intervals is followed by ``<key>_low`` and ``<key>_high``."""
        found: list[str] = []
        for column in self.columns:
            ends = any(isinstance(row.get(column.key), Estimate) for row in self.rows)
            found += [column.key, f"{column.key}_low", f"{column.key}_high"] if ends else [column.key]
        return tuple(found)

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield the raw values of each row under ``keys``."""
        for row in self.rows:
            found: dict[str, Any] = {}
            for column in self.columns:
                value = row.get(column.key)
                if isinstance(value, Estimate):
                    ends = {f"{column.key}_low": value.low, f"{column.key}_high": value.high}
                    found |= {column.key: value.value, **ends}
                else:
                    found[column.key] = value
            yield found

    def cells(self, intervals: bool = True) -> Iterator[list[str]]:
        """Yield the formatted cells of each row, in the shown columns.

        Args:
            intervals: Whether numbers are followed by their intervals.
        """
        for row in self.rows:
            yield [format_value(row.get(column.key), column.kind, intervals) for column in self.shown]

    def reasons(self) -> list[str]:
        """Return why cells have no value, or alone among others no interval, each reason once with its rows."""
        found: dict[str, dict[str, None]] = {}
        for row in self.rows:
            for column in self.columns:
                value = row.get(column.key)
                if isinstance(value, Mapping):
                    found.setdefault(value["undefined"], {})[str(row[self.columns[0].key])] = None
                elif isinstance(value, Estimate) and value.low is None and self.has_intervals:
                    reason = f"no interval of {column.header}, since {value.reason}"
                    found.setdefault(reason, {})[str(row[self.columns[0].key])] = None
        return [f"{', '.join(names)}: {reason.rstrip('.')}" for reason, names in found.items()]

    def to_frame(self) -> pd.DataFrame:
        """Return the raw values as a DataFrame, undefined ones as missing."""
        import pandas as pd

        rows = [
            {key: None if isinstance(value, Mapping) else value for key, value in record.items()}
            for record in self.records()
        ]
        return pd.DataFrame(rows, columns=list(self.keys))


def estimate(values: Mapping[str, Any], intervals: Mapping[str, Any], key: str) -> Any:
    """Return a cell of a table: a number with its interval where it has one, else what ``values`` says.

    Args:
        values: ``metrics`` of a condition in ``metrics.json``, or a part of them.
        intervals: The same part of its ``intervals``.
        key: Name of the figure.
    """
    value, found = values.get(key), intervals.get(key)
    if found is None or value is None or isinstance(value, Mapping):
        return value
    return Estimate(value, found["low"], found["high"], found.get("reason", ""))


def format_value(value: Any, kind: Kind, intervals: bool = True) -> str:
    """Return a value as text."""
    if value is None or isinstance(value, Mapping):
        return UNDEFINED
    if isinstance(value, Estimate):
        text = format_value(value.value, kind)
        return text + _format_ends(value, kind) if intervals else text
    if kind in _DIGITS:
        factor, digits = _DIGITS[kind]
        # What rounds to zero has no sign.
        return f"{round(value * factor, digits) + 0.0:.{digits}f}"
    return f"{value:,}" if kind == "count" else str(value)


def _format_ends(estimate: Estimate, kind: Kind) -> str:
    """Return an interval with a digit less than its number, rounded outwards so that it still holds the number."""
    if estimate.low is None or estimate.high is None:
        return ""
    factor, digits = _DIGITS[kind]
    digits = max(digits - 1, 1)
    step = 10**digits
    # What stands a rounding error beyond a printed digit is that digit.
    low = math.floor(estimate.low * factor * step + 1e-6) / step
    high = math.ceil(estimate.high * factor * step - 1e-6) / step
    return f" [{low + 0.0:.{digits}f}, {high + 0.0:.{digits}f}]"
