"""The figure of a board: what each model reaches, how sure that is, and which rank it leaves open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from asdbench.leaderboard.boards import Board
from asdbench.leaderboard.entry import Entry, Figure
from asdbench.leaderboard.words import called, rank_words
from asdbench.report.plot import BLUE, GUIDE, WIDE, Plot, shortened, whisker

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
    for place, entry in enumerate(rows):
        found = entry.figure(figure.name)
        if found is None or found.value is None:
            axes.text(
                0.02, place, "undefined", transform=axes.get_yaxis_transform(), fontsize=6, va="center", color=GUIDE
            )
            continue
        model = entry.kind == "model"
        colour = BLUE if model else GUIDE
        if found.low is not None and found.high is not None:
            whisker(axes, place, (100 * found.low, 100 * found.high), colour, across=True)
        axes.plot(
            [100 * found.value], [place], linestyle="none", marker="o" if model else "D", color=colour,
            markersize=4 if model else 3.5, markerfacecolor=colour if model else "white", zorder=4,
        )  # fmt: skip
        _rank(axes, board, figure, place if model else None)
    axes.set_title(called(figure).replace(", ", "\n"))
    axes.set_xlabel(f"% ({_ARROW[figure.better]})")


def _rank(axes: Axes, board: Board, figure: Figure, place: int | None) -> None:
    """Write the rank beside the panel; there is none for a system without weights, nor where none can be told apart."""
    ranks = board.ranks[figure.name]
    if place is None or not ranks.pairs:
        return
    words = rank_words(ranks.intervals[place])
    if words:
        axes.text(1.03, place, words, transform=axes.get_yaxis_transform(), fontsize=7, va="center", ha="left")
