"""A figure that is still to be drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GRAY = "#666666"


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


def whisker(axes: Axes, place: float, ends: tuple[float, float], colour: str, across: bool = False) -> None:
    """Draw an interval.

    Args:
        axes: Where to.
        place: Its place on the other axis.
        ends: Lower and upper end.
        colour: Of the line.
        across: Along x instead of along y.
    """
    style = {"color": colour, "linewidth": 1.1, "markersize": 4.5, "markeredgewidth": 1.1, "zorder": 3}
    if across:
        axes.plot(ends, (place, place), marker="|", **style)  # type: ignore[arg-type]
    else:
        axes.plot((place, place), ends, marker="_", **style)  # type: ignore[arg-type]


def add_footnote(figure: Figure, text: str) -> None:
    """Write a line in small gray print below everything: rows, recordings, what the bars are."""
    figure.supxlabel(text, fontsize=8, color=_GRAY)


def legend_below(figure: Figure, handles: Sequence[Any], labels: Sequence[str], note: str) -> None:
    """Put a legend below all axes, and a footnote over it, for the two cannot share the lower edge.

    Args:
        figure: Where to.
        handles: What is drawn.
        labels: What it is.
        note: As for ``add_footnote``.
    """
    found = figure.legend(handles, labels, loc="outside lower center", ncols=2, title=note, title_fontsize=8)
    found.get_title().set_color(_GRAY)
