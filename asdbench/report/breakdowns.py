"""The clean figures on parts of the rows: tables, figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.analysis.conditions import value_of
from asdbench.metrics.units import MIN_UNITS
from asdbench.report.evidence import has_intervals
from asdbench.report.plot import SMALL, WIDE, Plot, framed, shortened
from asdbench.report.table import Column, Estimate, Table, estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FIGURES = {"ava": "AP", "auroc": "AUROC", "tpr": "TPR", "fpr": "FPR"}
_MOST_CATEGORIES = 12
"""The figure shows no more categories than these, those with the most rows; the table shows all."""

_LIGHT = 0.45
"""Cells darker than this share of the scale have white text."""

_SMALLEST_SCALE = 5.0
"""Points at which the colour scale ends at least, so that a model without weak spots looks like one."""


def tables(metrics: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the tables of the section, none where ``metrics.json`` lacks it."""
    found = metrics.get("breakdowns")
    if found is None:
        return
    yield Table(
        "breakdowns",
        _caption(metrics, found),
        (
            Column("part", "rows"),
            Column("total", "n", "count"),
            Column("positive", "speaking", "count"),
            Column("negative", "silent", "count"),
            Column("units", _units(metrics), "count"),
            Column("base_rate", "base rate %", "share"),
            Column("ava", f"AP ({metrics['protocol']})", "percent"),
            Column("ap", "AP (ap)", "percent"),
            Column("auroc", "AUROC", "ratio"),
            Column("tpr", "TPR %", "share"),
            Column("fpr", "FPR %", "share"),
        ),
        (_row("all rows", found["all"]), *(_row(_name(factor, part), part) for factor, part in _parts(found))),
    )


def figures(model: str, metrics: Mapping[str, Any]) -> Iterator[Plot]:
    """Yield the figures of the section, none where ``metrics.json`` lacks it."""
    found = metrics.get("breakdowns")
    if found is not None and found["factors"]:
        lines = _lines(found)
        height = 0.95 + 0.17 * max(len(lines), 9)
        yield Plot("breakdowns", partial(_draw, model=model, metrics=metrics, lines=lines), (WIDE, height))


def _caption(metrics: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    notes = [
        f"Parts of the clean rows, at the threshold {found['threshold']} of all rows. AP rises with the base rate, so "
        "APs of two parts do not compare; AUROC, TPR and FPR do."
    ]
    notes += [
        f"{factor['name'].capitalize()} is estimated from the sound, not annotated."
        for factor in found["factors"]
        if factor["estimated"]
    ]
    notes += [
        f"{factor['name'].capitalize()} is not known of {factor['left_out']:,} rows."
        for factor in found["factors"]
        if factor["left_out"] and factor["name"] != "category"
    ]
    if found["unknown"]:
        notes.append("Absent: " + "; ".join(f"{name}, {reason}" for name, reason in found["unknown"].items()) + ".")
    if has_intervals(metrics):
        notes.append(
            f"No interval where fewer than {MIN_UNITS} {_units(metrics)} have rows of the kind that a figure counts, "
            "or where too many resamples have none."
        )
    return " ".join(notes)


def _units(metrics: Mapping[str, Any]) -> str:
    return "blocks" if metrics.get("units", {}).get("kind") == "block" else "sources"


def _parts(found: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for factor in found["factors"]:
        for part in factor["cells"]:
            yield factor, part


def _name(factor: Mapping[str, Any], part: Mapping[str, Any]) -> str:
    return f"{factor['name']}: {part['name']}"


def _row(name: str, part: Mapping[str, Any]) -> dict[str, Any]:
    figures = {key: _cell(part, key) for key in part["metrics"]}
    base_rate = {"base_rate": part["base_rate"]} if "ava" in figures else {}  # of one class it says nothing
    return {"part": name, "units": part["units"], **base_rate, **part["rows"], **figures}


def _cell(part: Mapping[str, Any], key: str) -> Any:
    """Return a figure; one without an interval alone, for the caption says why, once for all parts."""
    found = estimate(part["metrics"], part["intervals"], key)
    return found.value if isinstance(found, Estimate) and found.low is None else found


def _lines(found: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any] | None]]:
    """Return the lines of the figure: name and part, or the heading of a factor and ``None``."""
    lines: list[tuple[str, Mapping[str, Any] | None]] = [("all rows", found["all"])]
    for factor in found["factors"]:
        parts = [part for part in factor["cells"] if part["rows"]["total"]]
        if factor["name"] == "category":
            parts = sorted(parts, key=lambda part: -part["rows"]["total"])[:_MOST_CATEGORIES]
        heading = f"{factor['name']} (estimated)" if factor["estimated"] else factor["name"]
        lines += [(heading, None), *((part["name"], part) for part in parts)]
    return lines


def _draw(
    figure: Figure, model: str, metrics: Mapping[str, Any], lines: Sequence[tuple[str, Mapping[str, Any] | None]]
) -> None:
    everything = lines[0][1]
    worse = np.array([[_worse(part, everything, key) for key in _FIGURES] for _, part in lines])
    top = max(_SMALLEST_SCALE, float(np.nanmax(worse, initial=0.0)))
    axes = figure.subplots()
    shown = axes.imshow(np.ma.masked_invalid(worse), cmap="Blues", vmin=-0.05 * top, vmax=top, aspect="auto")
    for (line, column), points in np.ndenumerate(worse):
        part, key = lines[line][1], list(_FIGURES)[column]
        if part is not None and part["metrics"].get(key) is not None:
            colour = "white" if points > _LIGHT * top else "black"
            axes.text(column, line, _text(part, key), ha="center", va="center", fontsize=SMALL, color=colour)
    axes.set_xticks(range(len(_FIGURES)), [f"{name} %" for name in _FIGURES.values()])
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(lines)), [shortened(name, 34) for name, _ in lines])
    for tick, (_, part) in zip(axes.get_yticklabels(), lines, strict=True):
        tick.set_fontweight("bold" if part is None else "normal")
    axes.set_yticks(np.arange(len(lines) - 1) + 0.5, minor=True)
    axes.set_xticks(np.arange(len(_FIGURES) - 1) + 0.5, minor=True)
    axes.grid(visible=False)
    axes.grid(visible=True, which="minor", color="white", linewidth=2, alpha=1)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    bar = figure.colorbar(shown, ax=axes, label="points worse than on all rows", shrink=0.7, aspect=30, pad=0.02)
    bar.outline.set_visible(False)
    note = (
        "n: rows that the figure rests on, for AP that of AUROC. AP has no colour, for it rises with the base rate (in "
        "brackets, %)."
    )
    framed(figure, model, f"clean figures on parts of the rows, at {metrics['headline']}", note)


def _worse(part: Mapping[str, Any] | None, everything: Mapping[str, Any] | None, key: str) -> float:
    """How many points a part lies on the bad side of all rows; NaN where this says nothing."""
    if part is None or everything is None or key == "ava":
        return np.nan
    value, whole = value_of(part["metrics"].get(key)), value_of(everything["metrics"].get(key))
    if value is None or whole is None:
        return np.nan
    return max(0.0, 100 * (value - whole) * (1 if key == "fpr" else -1))


def _text(part: Mapping[str, Any], key: str) -> str:
    rows = part["rows"][{"tpr": "positive", "fpr": "negative"}.get(key, "total")]
    value, base = value_of(part["metrics"][key]), value_of(part["base_rate"])
    number = "–" if value is None else f"{100 * value + 0.0:.1f}"
    if key == "ava":  # of the same rows as AUROC
        return f"{number} ({100 * base:.0f})" if value is not None and base is not None else number
    return f"{number}, n {rows:,}"
