"""The figure of a board: what each model reaches, how sure that is, and which rank it leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from asdbench.leaderboard.boards import Board
from asdbench.leaderboard.entry import Entry, Figure
from asdbench.leaderboard.words import called, rank_words
from asdbench.report.plot import BLUE, GUIDE, SMALL, WIDE, Plot, shortened, whisker

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_PANELS = ("ava", "retention", "fa_changed", "ap_drop")
_MOST_PANELS = 4
_MOST_ROWS = 30
_ARROW = {"higher": "more is better", "lower": "less is better"}


def board_plot(board: Board) -> Plot:
    """Return the figure of a board: one panel per figure that has ranks, models above, reference systems below."""
    rows = (*board.models[:_MOST_ROWS], *board.references)
    panels = [figure for figure in board.figures if figure.figure in _PANELS][:_MOST_PANELS]
    height = 0.75 + 0.2 * len(rows)
    return Plot(f"board-{board.key}", lambda canvas: _draw(canvas, board, panels, rows), (WIDE, height))


def _draw(canvas: Canvas, board: Board, panels: Sequence[Figure], rows: Sequence[Entry]) -> None:
    axes = canvas.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for each, figure in zip(axes, panels, strict=True):
        _panel(each, board, figure, rows)
    axes[0].set_yticks(range(len(rows)), [shortened(entry.model.name, 24) for entry in rows])
    axes[0].set_ylim(len(rows) - 0.4, -0.6)


def _panel(axes: Axes, board: Board, figure: Figure, rows: Sequence[Entry]) -> None:
    axes.grid(visible=False, axis="y")
    models = len(rows) - len(board.references)
    if 0 < models < len(rows):
        axes.axhline(models - 0.5, color=GUIDE, linewidth=0.6, linestyle=":")
    low, high = _range(rows, figure)
    for place, entry in enumerate(rows):
        found = entry.figure(figure.name)
        if found is None or found.value is None:
            _beside(axes, place, "undefined")
        elif low <= 100 * found.value <= high:
            _mark(axes, place, found, entry.kind == "model")
        else:
            # What models differ by would be lost on an axis that holds every system without weights.
            under = 100 * found.value < low
            axes.plot([low if under else high], [place], marker="<" if under else ">", color=GUIDE, markersize=4)
            _beside(axes, place, f"{100 * found.value:.0f}")
        if entry.kind == "model":
            _rank(axes, board, figure, place)
    axes.set_xlim(low, high)
    axes.set_title(called(figure).replace(", ", "\n"))
    axes.set_xlabel(f"% ({_ARROW[figure.better]})")


def _range(rows: Sequence[Entry], figure: Figure) -> tuple[float, float]:
    """Return what an axis shows: all models with their intervals, or all systems where there is no model."""
    chosen = [entry for entry in rows if entry.kind == "model"] or rows
    found = [each for entry in chosen if (each := entry.figure(figure.name)) is not None]
    ends = [100 * end for each in found for end in (each.value, each.low, each.high) if end is not None]
    low, high = min(ends, default=0.0), max(ends, default=100.0)
    margin = 0.07 * (high - low) or 1.0
    return low - margin, high + margin


def _mark(axes: Axes, place: int, found: Figure, model: bool) -> None:
    colour = BLUE if model else GUIDE
    if found.low is not None and found.high is not None:
        whisker(axes, place, (100 * found.low, 100 * found.high), colour, across=True)
    axes.plot(
        [100 * (found.value or 0.0)], [place], linestyle="none", marker="o" if model else "D", color=colour,
        markersize=4 if model else 3.5, markerfacecolor=colour if model else "white", zorder=4,
    )  # fmt: skip


def _beside(axes: Axes, place: int, words: str) -> None:
    axes.text(0.1, place, words, transform=axes.get_yaxis_transform(), fontsize=SMALL, va="center", color=GUIDE)


def _rank(axes: Axes, board: Board, figure: Figure, place: int) -> None:
    """Write the rank beside the panel; there is none where nothing can be told apart."""
    ranks = board.ranks[figure.name]
    words = rank_words(ranks.intervals[place]) if ranks.pairs else None
    if words:
        axes.text(1.03, place, words, transform=axes.get_yaxis_transform(), fontsize=SMALL, va="center", ha="left")
