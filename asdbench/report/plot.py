"""A figure that is still to be drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Plot:
    """A figure by name.

    Attributes:
        name: File name without extension.
        draw: Fills the figure.
        size: Width and height in inches.
    """

    name: str
    draw: Callable[[Figure], None]
    size: tuple[float, float] = (7.2, 4.2)
