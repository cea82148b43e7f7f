"""Small panels of one kind side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asdbench.report.plot import NARROW, WIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEIGHT = {1: 2.1, 2: 2.3, 3: 1.75, 4: 1.4}
"""Inches of one row, by the number of panels in it."""


@dataclass(frozen=True)
class Panels:
    """A grid of panels that share both axes.

    Attributes:
        count: How many panels.
        columns: How many side by side.
    """

    count: int
    columns: int

    @property
    def rows(self) -> int:
        """How many one above the other."""
        return -(-self.count // self.columns)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the figure in inches, with room for title and note."""
        return (NARROW if self.count == 1 else WIDE), 1.0 + self.rows * _HEIGHT[self.columns]

    def axes(self, figure: Figure) -> list[Axes]:
        """Return the panels, row by row; what the last row has too many stays empty."""
        found = list(figure.subplots(self.rows, self.columns, sharex=True, sharey=True, squeeze=False).reshape(-1))
        for spare in found[self.count :]:
            spare.set_axis_off()
        for above in found[max(0, self.count - self.columns) : self.count]:
            above.tick_params(labelbottom=True)  # also where the panel below is empty
        return found[: self.count]

    def label(self, axes: Sequence[Axes], across: str, along: str) -> None:
        """Name the axes of the lowest and of the leftmost panels."""
        for number, each in enumerate(axes):
            if number + self.columns >= self.count:
                each.set_xlabel(across)
            if number % self.columns == 0:
                each.set_ylabel(along)


def panels_of(count: int) -> Panels:
    """Return the grid for a number of panels: four side by side, more of them in rows of three."""
    return Panels(count, count if count <= 4 else 3)
