"""A figure that is still to be drawn, and what all figures share: sizes, colours, title, legend, note.

Figures have the widths of a two-column paper and are drawn at the size they are printed in, so that a font size is what
a reader gets: 8 points for titles and axes, 7 for ticks, legends and notes.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asdbench.report.text import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE, NARROW = 6.875, 3.3125
"""Inches: both columns of a paper, and one of them."""

TEXT, SMALL = 8, 7
"""Font sizes in points: of titles and axes; of ticks, legends and notes."""

# Okabe & Ito, Color Universal Design: told apart with any colour vision; markers, dashes and fills do so in gray.
BLUE, ORANGE, GREEN, PINK, SKY, AMBER = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"
BLACK, GUIDE, LIGHT = "#000000", "#666666", "#BBBBBB"

_SIGN = 0.545
"""Mean width of a sign, as a share of the font size."""

_LINE = 1.3
"""Distance of lines, as a share of the font size."""

_PAD, _HANDLE = 0.05, 0.5
"""Inches: between the parts of a figure; what a legend adds to the width of a label."""


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
    size: tuple[float, float] = (WIDE, 3.2)


def whisker(axes: Axes, place: float, ends: tuple[float, float], colour: str, across: bool = False) -> None:
    """Draw an interval.

    Args:
        axes: Where to.
        place: Its place on the other axis.
        ends: Lower and upper end.
        colour: Of the line.
        across: Along x instead of along y.
    """
    style = {"color": colour, "linewidth": 0.9, "markersize": 3.5, "markeredgewidth": 0.9, "zorder": 3}
    if across:
        axes.plot(ends, (place, place), marker="|", **style)  # type: ignore[arg-type]
    else:
        axes.plot((place, place), ends, marker="_", **style)  # type: ignore[arg-type]


def shortened(name: str, signs: int = 30) -> str:
    """Return a name from anyone's files on one line, without its middle where it is longer than a label may be.

    Args:
        name: The name.
        signs: How long a label may be.
    """
    text = printable(name)
    if len(text) <= signs:
        return text
    tail = (signs - 1) // 3  # names differ at their ends
    return f"{text[: signs - 1 - tail]}…{text[len(text) - tail :]}"


def framed(
    figure: Figure,
    model: str,
    title: str,
    note: str = "",
    legend: tuple[Sequence[Any], Sequence[str]] = ((), ()),
) -> None:
    """Put a title above all axes; legend and note below them. The axes take the room between.

    Args:
        figure: Holds the axes.
        model: Whose numbers they are; no name at all leaves it out.
        title: What the figure shows.
        note: On what it rests: rows, recordings, what the bars are.
        legend: What is drawn, and what each is called.
    """
    width, height = (float(side) for side in figure.get_size_inches())
    head = _headline(model, title, width)
    top = _PAD + _lines(head) * _tall(TEXT) + _PAD
    figure.text(_PAD / width, 1 - _PAD / height, head, ha="left", va="top", fontsize=TEXT)
    bottom = _PAD
    if note:
        text = _wrapped(note, max(20, int((width - 2 * _PAD) / _wide(1, SMALL))))
        figure.text(_PAD / width, bottom / height, text, ha="left", va="bottom", fontsize=SMALL, color=GUIDE)
        bottom += _lines(text) * _tall(SMALL) + _PAD
    handles, labels = legend
    if labels:
        columns = _columns(labels, width)
        below = (0.5, bottom / height)
        figure.legend(handles, labels, loc="lower center", bbox_to_anchor=below, ncols=columns, borderaxespad=0)
        bottom += -(-len(labels) // columns) * 1.15 * _tall(SMALL) + 2 * _PAD
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(rect=(0, bottom / height, 1, 1 - (top + bottom) / height))  # type: ignore[call-arg]


def _wrapped(text: str, signs: int) -> str:
    """Break a text into lines, but no number from its unit."""
    held = text.replace(" %", "\xa0%").replace(" = ", "\xa0=\xa0")
    return textwrap.fill(held, signs, break_on_hyphens=False).replace("\xa0", " ")


def _headline(model: str, title: str, width: float) -> str:
    room = int((width - 2 * _PAD) / _wide(1, TEXT))
    name = shortened(model, room - 2)
    if not name:
        return textwrap.fill(title, room)
    line = f"{name}: {title}"
    return line if len(line) <= room else f"{name}\n{textwrap.fill(title, room)}"


def _columns(labels: Sequence[str], width: float) -> int:
    """Return how many columns of a legend fit, no more of them than its rows need."""
    fit = max(1, int((width - 2 * _PAD) / (_HANDLE + max(_wide(len(label), SMALL) for label in labels))))
    rows = -(-len(labels) // min(fit, len(labels)))
    return -(-len(labels) // rows)


def _wide(signs: int, size: float) -> float:
    return signs * _SIGN * size / 72


def _tall(size: float) -> float:
    return _LINE * size / 72


def _lines(text: str) -> int:
    return text.count("\n") + 1
