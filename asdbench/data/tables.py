"""Tables of text that anyone may have written: read whole, checked, each complaint with file and line."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from asdbench.data.ids import is_safe
from asdbench.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_MAX_SECONDS = 1e7
_MAX_FRAMES = 1e9
_SHOWN = 250  # signs; ids have 200 bytes at most


@dataclass(frozen=True, eq=False)
class Lines:
    """On which lines of a file the rows of a table stand.

    Attributes:
        path: The file.
        header_lines: How many lines stand above the first row: 1, or 0 where the file has no header.
        rows: How many rows there are.
    """

    path: Path
    header_lines: int
    rows: int

    @cached_property
    def numbers(self) -> NDArray[np.int64]:
        """``[rows]`` lines of the file, counted from 1; blank lines are no rows. Found when they are asked for."""
        counted = np.arange(self.rows, dtype=np.int64) + 1 + self.header_lines
        try:
            with self.path.open("rb") as file:
                filled = np.flatnonzero([bool(line.strip()) for line in file])
        except OSError:
            return counted
        # With line breaks within quotes, lines and rows do not correspond; counting is then near enough.
        return filled[self.header_lines :] + 1 if len(filled) == self.rows + self.header_lines else counted


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it was read.

    Attributes:
        path: The file.
        frame: Its rows, all text.
        header_lines: How many lines stand above the first row: 1, or 0 where the file has no header.
    """

    path: Path
    frame: pd.DataFrame
    header_lines: int = 1

    @cached_property
    def lines(self) -> Lines:
        """Where the rows stand."""
        return Lines(self.path, self.header_lines, len(self.frame))

    def line(self, row: int) -> int:
        """Return the line of the file, counted from 1, on which a row stands."""
        return int(self.lines.numbers[row])

    def refuse(self, bad: NDArray[np.bool_], column: str, problem: str) -> None:
        """Raise ``DataError`` for the first of the ``bad`` rows, if there is one."""
        rows = np.flatnonzero(bad)
        if len(rows):
            more = f" ({len(rows)} such rows)" if len(rows) > 1 else ""
            value = shown(self.frame[column].iloc[int(rows[0])])
            raise DataError(f"{self.path}, line {self.line(int(rows[0]))}: the {column} {value} {problem}{more}.")

    def numbers(self, column: str) -> NDArray[np.float64]:
        """Return a column as numbers, NaN where it is none."""
        import pandas as pd

        return pd.to_numeric(self.frame[column], errors="coerce").to_numpy(np.float64)

    def milliseconds(self, column: str) -> NDArray[np.int64]:
        """Return a column of seconds as whole milliseconds."""
        seconds = self.numbers(column)
        self.refuse(~((seconds >= 0) & (seconds < _MAX_SECONDS)), column, "is not a time in seconds")
        return np.rint(seconds * 1000).astype(np.int64)

    def refuse_unsafe(self, *columns: str) -> None:
        """Refuse ids that could leave their folder."""
        for column in columns:
            unsafe = [name for name in self.frame[column].unique() if not is_safe(name)]
            self.refuse(
                self.frame[column].isin(unsafe).to_numpy(),
                column,
                "cannot name a file (empty, over 200 bytes, with a slash or a control character)",
            )

    def tracks(self, times: NDArray[np.int64]) -> Iterator[tuple[str, str, NDArray[np.int64]]]:
        """Yield (video_id, entity_id, rows by time) of every face track, sorted by the two ids."""
        videos, video_names = _codes(self.frame["video_id"])
        entities, entity_names = _codes(self.frame["entity_id"])
        order = np.lexsort((times, entities, videos))
        videos, entities, times = videos[order], entities[order], times[order]
        new_track = (np.diff(videos) != 0) | (np.diff(entities) != 0)
        repeated = np.flatnonzero(~new_track & (np.diff(times) == 0))
        if len(repeated):
            first, second = sorted(int(row) for row in order[[repeated[0], repeated[0] + 1]])
            raise DataError(
                f"{self.path}, line {self.line(second)}: the same video, entity and time as line {self.line(first)} "
                f"({len(repeated)} duplicate keys); remove one of each."
            )
        bounds = [0, *(np.flatnonzero(new_track) + 1).tolist(), len(order)]
        for start, stop in itertools.pairwise(bounds):
            yield video_names[videos[start]], entity_names[entities[start]], order[start:stop]


def read_table(path: Path, required: Sequence[str], without_header: Sequence[str] = ()) -> Table:
    """Read a csv file, every field as text.

    Args:
        path: The file.
        required: Columns that must be there.
        without_header: Names of the columns of a file that has no header, in which the last may be missing unless
            they are required; by default a header is expected.

    Raises:
        DataError: The file cannot be read, lacks a column, or has no rows.
    """
    import pandas as pd

    try:
        headed = not without_header or _has_header(path, without_header)
        frame = pd.read_csv(
            path, dtype=str, keep_default_na=False, encoding="utf-8-sig", header="infer" if headed else None
        )
    except OSError as error:
        raise DataError(f"{path}: the file cannot be read ({error.strerror}).") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable csv file ({str(error).strip()}).") from error
    if not isinstance(frame.index, pd.RangeIndex):  # pandas takes surplus first fields for the names of rows
        raise DataError(f"{path}, line 2: more fields than in the header; every row needs as many as the header.")
    if not headed:
        names = list(without_header[: len(frame.columns)])
        if len(names) < len(frame.columns) or not set(required) <= set(names):
            raise DataError(
                f"{path}, line 1: {len(frame.columns)} fields and no header; expected a header with "
                f"{', '.join(required)}, or these {len(without_header)} fields, separated by commas: "
                f"{', '.join(without_header)}."
            )
        return Table(path, frame.set_axis(names, axis="columns"), header_lines=0)
    missing = [column for column in required if column not in frame.columns]
    if missing:
        raise DataError(
            f"{path}, line 1: no column {', '.join(missing)}; expected a header with {', '.join(required)}, "
            f"found {', '.join(map(str, frame.columns))[:200]}."
        )
    if frame.empty:
        raise DataError(f"{path}: no rows below the header.")
    return Table(path, frame)


def is_frame(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which values can be numbers of frames: whole, from 0."""
    return np.array((values == np.rint(values)) & (values >= 0) & (values < _MAX_FRAMES), dtype=np.bool_)


def shown(value: str) -> str:
    """Return what somebody's file holds for a message: in quotes, and cut off where it is long."""
    return repr(value) if len(value) <= _SHOWN else f"{value[:_SHOWN]!r}..."


def _has_header(path: Path, names: Sequence[str]) -> bool:
    with path.open(encoding="utf-8-sig", newline="") as file:
        fields = file.readline().strip().split(",")
    return bool({field.strip('" ') for field in fields} & set(names))


def _codes(column: pd.Series[str]) -> tuple[NDArray[np.int64], list[str]]:
    import pandas as pd

    codes, names = pd.factorize(column, sort=True)
    return codes.astype(np.int64), [str(name) for name in names]
