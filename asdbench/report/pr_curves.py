"""Precision against recall: a figure, and every point as CSV."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asdbench.analysis.conditions import value_of
from asdbench.analysis.pr_curves import defined_curves
from asdbench.atomic import write_text
from asdbench.metrics.precision_recall import PrecisionRecall
from asdbench.records.predictions import file_stem
from asdbench.report.evidence import footnote
from asdbench.report.panels import panels_of
from asdbench.report.plot import BLACK, Plot, framed, shortened
from asdbench.report.styles import family_style, family_words
from asdbench.report.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from asdbench.report.run import Run

_DASHES = ("-", "--", "-.", ":")
_SHADES = (1.0, 0.75, 0.55, 0.4)
"""Of the lines of one perturbation, from its largest proportion down."""

_BELOW, _BELOW_LABEL = -3, -24
"""Points from an axis to what stands below it, without and with the label of the axis."""

_TIGHT: dict[str, Any] = {"columnspacing": 0.8, "handlelength": 1.6, "handletextpad": 0.4, "labelspacing": 0.2}


def tables(metrics: Mapping[str, Any]) -> Iterator[Table]:
    """Yield no table: a curve is a figure, or a file of its own."""
    yield from ()


def figures(model: str, metrics: Mapping[str, Any]) -> Iterator[Plot]:
    """Yield the figure of the section, none where ``metrics.json`` lacks it."""
    curves = metrics.get("pr_curves", {}).get("curves", ())
    if curves:
        panels = _panels(curves)
        yield Plot("pr_curves", partial(_draw, model, metrics, curves[0], panels), _size(panels))


def write_curves(run: Run) -> list[Path]:
    """Write ``curves/pr-<condition>.csv`` into a run folder: every distinct point of each condition that has AP.

    Args:
        run: The run.

    Returns:
        The files.

    Raises:
        DataError: Predictions are missing or broken.
        ResourceError: The folder cannot be written.
    """
    written = []
    for name, curve in defined_curves(run.rows, run.metrics["conditions"]):
        path = run.path / "curves" / f"pr-{file_stem(name)}.csv"
        write_text(path, _csv(curve))
        written.append(path)
    return written


def _csv(curve: PrecisionRecall) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["score", "recall", "precision", "precision_envelope"])
    columns = (curve.score, curve.recall, curve.precision, curve.envelope)
    writer.writerows(zip(*(column.tolist() for column in columns), strict=True))
    return buffer.getvalue()


def _panels(curves: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the curves by perturbation; the clean one alone where there is no other."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for curve in curves[1:]:
        found.setdefault(curve["family"], []).append(curve)
    return found or {"": []}


def _draw(
    model: str,
    metrics: Mapping[str, Any],
    clean: Mapping[str, Any],
    panels: Mapping[str, Sequence[Mapping[str, Any]]],
    figure: Figure,
) -> None:
    from matplotlib.transforms import offset_copy

    by_name = {condition["name"]: condition for condition in metrics["conditions"]}
    grid = panels_of(len(panels))
    plots = grid.axes(figure)
    for axes, (family, curves) in zip(plots, panels.items(), strict=True):
        _line(axes, clean, by_name["clean"], BLACK, "-", 1.0, "clean")
        for index, curve in enumerate(curves):
            _changed(axes, family, curve, by_name[curve["condition"]], len(curves) - 1 - index)
        axes.set(xlim=(-0.02, 1.02), ylim=(0, 1.03), title=_title(family))
    grid.label(plots, "recall", "precision (envelope)")
    for axes in plots:
        below = offset_copy(axes.transAxes, figure, y=_BELOW_LABEL if axes.get_xlabel() else _BELOW, units="points")
        columns = 1 if grid.columns > 3 else 2
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below, ncols=columns, **_TIGHT)
    note = f"Numbers: AP ({metrics['protocol']}) in %, the area under the line. "
    if any(_blind(by_name[curve["condition"]]) for curves in panels.values() for curve in curves):
        note += "Dotted: a model that is perfect but blind to synchrony. "
    framed(figure, model, "precision against recall", note + footnote(metrics).partition("; bars")[0])


def _size(panels: Mapping[str, Sequence[Any]]) -> tuple[float, float]:
    grid = panels_of(len(panels))
    width, height = grid.size
    return width, height + (0.4 if grid.columns > 3 else 0.2 * grid.rows)


def _title(family: str) -> str:
    words = family_words(family)
    if not words:
        return shortened(family, 26) or "clean rows"
    return textwrap.fill(f"{words} ({family})", 24)


def _changed(axes: Axes, family: str, curve: Mapping[str, Any], condition: Mapping[str, Any], below: int) -> None:
    """Draw the curve of a condition; ``below`` of its perturbation have a larger proportion."""
    place, colour = min(below, len(_SHADES) - 1), family_style(family)["color"]
    name = str(curve["condition"])
    label = name.removeprefix(family) or name
    _line(axes, curve, condition, colour, _DASHES[place], _SHADES[place], shortened(label, 16))
    blind = _blind(condition)
    if blind is not None:
        axes.axhline(blind, color=colour, alpha=_SHADES[place], linestyle=(0, (1, 3)), linewidth=0.8, zorder=1)


def _blind(condition: Mapping[str, Any]) -> float | None:
    """Return the precision of a model that is perfect, but takes changed rows for speaking ones."""
    share = value_of(condition["metrics"].get("share_changed"))
    return 1 - share if share is not None and condition["labels"] == "negative" else None


def _line(
    axes: Axes,
    curve: Mapping[str, Any],
    condition: Mapping[str, Any],
    colour: str,
    dashes: str,
    shade: float,
    name: str,
) -> None:
    label = f"{name}: {100 * (value_of(condition['metrics']['ava']) or 0.0):.1f}"
    axes.plot(curve["recall"], curve["precision"], color=colour, linestyle=dashes, alpha=shade, label=label)
