"""A table: plain data, to be shown in a terminal, a notebook, Markdown, CSV or LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "count", "percent", "share", "ratio", "log-odds"]
_DIGITS: dict[Kind, tuple[float, int]] = {"percent": (100, 2), "share": (100, 1), "ratio": (1, 3), "log-odds": (1, 3)}

UNDEFINED = "–"
"""Shown where a metric has no value; the reason stands below the table."""


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
        rows: By column key; a value is text, a number, ``None``, or ``{"undefined": reason}``.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Any], ...]

    @property
    def shown(self) -> tuple[Column, ...]:
        """The columns in which some row has something to say; people need no others, machines get all."""
        return tuple(column for column in self.columns if any(row.get(column.key) is not None for row in self.rows))

    def cells(self) -> Iterator[list[str]]:
        """Yield the formatted cells of each row, in the shown columns."""
        for row in self.rows:
            yield [format_value(row.get(column.key), column.kind) for column in self.shown]

    def reasons(self) -> list[str]:
        """Return why cells are undefined, each reason once with the rows it concerns."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            for column in self.columns:
                value = row.get(column.key)
                if isinstance(value, Mapping):
                    names = found.setdefault(value["undefined"], [])
                    name = str(row[self.columns[0].key])
                    if name not in names:
                        names.append(name)
        return [f"{', '.join(names)}: {reason.rstrip('.')}" for reason, names in found.items()]

    def to_frame(self) -> pd.DataFrame:
        """Return the raw values as a DataFrame, undefined ones as missing."""
        import pandas as pd

        rows = [
            {c.key: None if isinstance(row.get(c.key), Mapping) else row.get(c.key) for c in self.columns}
            for row in self.rows
        ]
        return pd.DataFrame(rows, columns=[column.key for column in self.columns])


def format_value(value: Any, kind: Kind) -> str:
    """Return a value as text."""
    if value is None or isinstance(value, Mapping):
        return UNDEFINED
    if kind in _DIGITS:
        factor, digits = _DIGITS[kind]
        return f"{value * factor:.{digits}f}"
    return f"{value:,}" if kind == "count" else str(value)
