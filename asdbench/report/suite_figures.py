"""Figures that only some suites have: drops by corruption and severity, the synchrony curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.analysis.conditions import HEADLINE, value_of
from asdbench.report.families import SEVERITIES, mean_drop

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LATE_MS, EARLY_MS = 125, -45
"""From where on people notice that sound is late or early (ITU-R BT.1359-1)."""

_GUIDE, _OWN, _SHIFTED = "#666666", "#000000", "#0072B2"
_LIGHT = 0.45
"""Cells darker than this share of the scale have white text."""


def draw_corruptions(figure: Figure, model: str, drops: Mapping[str, Mapping[int, Any]]) -> None:
    """Draw drops of AP as a matrix: corruptions down, severities and their mean across.

    Args:
        figure: Where to.
        model: Name of the model.
        drops: Corruption to severity to drop of AP.
    """
    kinds = list(drops)
    used = [severity for severity in SEVERITIES if any(severity in drops[kind] for kind in kinds)]
    values = np.full((len(kinds), len(used) + 1), np.nan)
    for row, kind in enumerate(kinds):
        found = [value_of(drops[kind].get(severity)) for severity in used]
        values[row] = [np.nan if value is None else 100 * value for value in (*found, mean_drop(drops[kind]))]
    known = values[~np.isnan(values)]
    top = max(float(known.max()) if len(known) else 1.0, 1.0)
    axes = figure.subplots()
    shown = axes.imshow(np.ma.masked_invalid(values), cmap="cividis_r", vmin=0, vmax=top, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        text = "–" if np.isnan(value) else f"{round(float(value), 1) + 0.0:.1f}"
        dark = not np.isnan(value) and value > _LIGHT * top
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if dark else "black")
    axes.axvline(len(used) - 0.5, color="white", linewidth=3)
    axes.set_xticks(range(len(used) + 1), [*map(str, used), "mean"])
    axes.set_yticks(range(len(kinds)), kinds)
    axes.set(xlabel="severity", title=f"{model}\ndrop of AP in points")
    axes.grid(visible=False)
    figure.colorbar(shown, ax=axes, label="points of AP", shrink=0.8)


def draw_curve(figure: Figure, model: str, points: Sequence[tuple[float, Mapping[str, Any]]]) -> None:
    """Draw what becomes of speaking rows when all sound comes late or early.

    Args:
        figure: Where to.
        model: Name of the model.
        points: Offset in ms and condition, ascending.
    """
    said, scored = figure.subplots(1, 2)
    rates = [(offset, condition["metrics"]["at"][HEADLINE]) for offset, condition in points]
    _line(said, [(offset, each["tpr_same_rows"]) for offset, each in rates], "own time", _OWN, "--", "")
    _line(said, [(offset, each["fa_changed"]) for offset, each in rates], "shifted", _SHIFTED, "-", "o")
    said.set(ylabel="share called speaking", ylim=(0, 1.02), title=f"at {HEADLINE}")
    means = [(offset, condition["metrics"]) for offset, condition in points]
    _line(scored, [(offset, each["score_same_rows"]) for offset, each in means], "own time", _OWN, "--", "")
    _line(scored, [(offset, each["score_changed"]) for offset, each in means], "shifted", _SHIFTED, "-", "o")
    scored.set(ylabel="mean score (log-odds)", title="scores")
    for axes in (said, scored):
        for place in (EARLY_MS, LATE_MS):
            axes.axvline(place, color=_GUIDE, linestyle=":", linewidth=1)
        axes.set(xlabel="offset in ms, + is late")
    handles, labels = said.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    figure.suptitle(f"{model}\nspeaking rows, all sound shifted (diagnostic; dotted: −45 and +125 ms)")


def _line(axes: Axes, series: Sequence[tuple[float, Any]], label: str, colour: str, dashes: str, marker: str) -> None:
    known = [(offset, number) for offset, value in series if (number := value_of(value)) is not None]
    axes.plot(*zip(*known, strict=True) if known else ([], []), label=label, color=colour, linestyle=dashes,
              marker=marker, markersize=3)  # fmt: skip
