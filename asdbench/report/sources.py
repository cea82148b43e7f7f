"""The figures of each source: tables, figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.analysis.conditions import value_of
from asdbench.report.evidence import ends_of, figure_of, footnote, number_of, rate_of
from asdbench.report.plot import BLACK, BLUE, LIGHT, WIDE, Plot, framed, shortened
from asdbench.report.table import Column, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_LINES = 60
"""With more sources the figure shows how many have which value."""

_MOST_TESTS = 4
"""The table shows no more tests of synchrony than these, the figure half as many; ``metrics.json`` holds all."""

_FEW_ROWS = 100
"""Sources with fewer speaking rows are drawn hollow."""

_KINDS = {"source": "source", "block": "block of 60 s"}


@dataclass(frozen=True)
class _Panel:
    """One figure of all sources: values, the speaking or changed rows they rest on, and the value of all rows."""

    title: str
    values: Sequence[float | None]
    rows: Sequence[int]
    whole: float | None
    ends: tuple[float, float] | None
    factor: float = 100.0


def tables(metrics: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the tables of the section, none where ``metrics.json`` lacks it."""
    found = metrics.get("sources")
    if found is None:
        return
    shown = found["conditions"][:_MOST_TESTS]
    kind = _KINDS[found["kind"]]
    yield Table(
        "sources",
        f"Each {kind} on its own, at the threshold {found['threshold']} of the whole run. AP rises with the base "
        "rate, so APs of two of them do not compare. Alarms, retention and sync AUROC: of the speaking rows that the "
        "test changed. –: too few rows to have a value.",
        (
            Column("source", kind),
            Column("total", "n", "count"),
            Column("positive", "speaking", "count"),
            Column("negative", "silent", "count"),
            Column("ava", f"AP {metrics['protocol']} %", "percent"),
            Column("ap", "AP scikit-learn %", "percent"),
            Column("tpr", "TPR %", "share"),
            Column("fpr", "FPR %", "share"),
            *(column for name in shown for column in _test_columns(name)),
        ),
        tuple(_row(unit, shown) for unit in found["sources"]),
    )


def figures(model: str, metrics: Mapping[str, Any]) -> Iterator[Plot]:
    """Yield the figures of the section, none where ``metrics.json`` lacks it."""
    found = metrics.get("sources")
    if found is None or len(found["sources"]) < 2:
        return
    units = [unit for unit in found["sources"] if unit["rows"]["total"]]
    lines = len(units) if len(units) <= _MOST_LINES else 20
    yield Plot("sources", partial(_draw, model=model, metrics=metrics, units=units), (WIDE, 1.3 + 0.13 * lines))


def _test_columns(name: str) -> tuple[Column, ...]:
    return (
        Column(f"{name} rows", f"{name}: n", "count"),
        Column(f"{name} fa_changed", f"{name}: alarms %", "share"),
        Column(f"{name} retention", f"{name}: retention", "ratio"),
        Column(f"{name} sync_auroc", f"{name}: sync AUROC", "ratio"),
    )


def _row(unit: Mapping[str, Any], shown: Sequence[str]) -> dict[str, Any]:
    row = {"source": unit["name"], **unit["rows"]}
    row |= {key: value_of(value) for key, value in unit["metrics"].items()}
    for name in shown:
        test = unit["conditions"][name]
        row[f"{name} rows"] = test["rows"]
        row |= {f"{name} {key}": value_of(value) for key, value in test.items() if key != "rows"}
    return row


def _panels(metrics: Mapping[str, Any], units: Sequence[Mapping[str, Any]]) -> list[_Panel]:
    by_name = {condition["name"]: condition for condition in metrics["conditions"]}
    clean = metrics["conditions"][0]
    panels = [
        _panel(f"AP ({metrics['protocol']}), %", figure_of(clean, "ava"), [(u["metrics"]["ava"], u) for u in units]),
        _panel("TPR, %", rate_of(clean, "tpr"), [(u["metrics"]["tpr"], u) for u in units]),
        _panel("FPR, %", rate_of(clean, "fpr"), [(u["metrics"]["fpr"], u) for u in units], "negative"),
    ]
    tests = [name for name in metrics["sources"]["conditions"] if "sync_auroc" in units[0]["conditions"][name]]
    for name in tests[: _MOST_TESTS // 2]:
        whole = figure_of(by_name[name], "sync_auroc")
        values = [value_of(unit["conditions"][name]["sync_auroc"]) for unit in units]
        rows = [unit["conditions"][name]["rows"] for unit in units]
        panels.append(_Panel(f"sync AUROC\n{shortened(name, 18)}", values, rows, number_of(whole), ends_of(whole), 1.0))
    return panels


def _panel(title: str, whole: Any, cells: Sequence[tuple[Any, Mapping[str, Any]]], rows: str = "positive") -> _Panel:
    values = [value_of(value) for value, _ in cells]
    return _Panel(title, values, [unit["rows"][rows] for _, unit in cells], number_of(whole), ends_of(whole))


def _draw(figure: Figure, model: str, metrics: Mapping[str, Any], units: Sequence[Mapping[str, Any]]) -> None:
    kind = f"{_KINDS[metrics['sources']['kind']]}s".replace("block of 60 ss", "blocks of 60 s")
    units = sorted(units, key=lambda unit: (value_of(unit["metrics"]["ava"]) is None, value_of(unit["metrics"]["ava"])))
    panels = _panels(metrics, units)
    single = len(units) <= _MOST_LINES
    plots = figure.subplots(1, len(panels), sharey=single, squeeze=False)[0]
    for axes, panel in zip(plots, panels, strict=True):
        _guides(axes, panel)
        (_dots if single else _histogram)(axes, panel)
        axes.set_xlabel(panel.title)
    if single:
        plots[0].set_yticks(range(len(units)), [shortened(unit["name"], 24) for unit in units])
        plots[0].set_ylim(len(units) - 0.3, -0.7)
    else:
        plots[0].set_ylabel(kind)
    hollow = f" Hollow: fewer than {_FEW_ROWS} rows." if single else ""
    note = f"Line: all rows. {footnote(metrics, 'gray')}.{hollow}"
    title = f"each of {len(units):,} {kind} with clean rows, at {metrics['sources']['threshold']}"
    framed(figure, model, title, note)


def _guides(axes: Axes, panel: _Panel) -> None:
    if panel.ends is not None:
        axes.axvspan(panel.factor * panel.ends[0], panel.factor * panel.ends[1], color=LIGHT, alpha=0.6, linewidth=0)
    if panel.whole is not None:
        axes.axvline(panel.factor * panel.whole, color=BLACK, linewidth=0.9)


def _dots(axes: Axes, panel: _Panel) -> None:
    places = [place for place, value in enumerate(panel.values) if value is not None]
    values = [panel.factor * value for value in panel.values if value is not None]
    fills = ["white" if panel.rows[place] < _FEW_ROWS else BLUE for place in places]
    _scale(axes, panel)
    axes.scatter(values, places, s=14, c=fills, edgecolors=BLUE, linewidths=0.8, zorder=3)
    axes.grid(visible=True, axis="y", linewidth=0.3)


def _scale(axes: Axes, panel: _Panel) -> None:
    """Show at least one point of a scale, for all sources may have one value."""
    shown = [value for value in (*panel.values, panel.whole, *(panel.ends or ())) if value is not None]
    low, high = panel.factor * min(shown, default=0.0), panel.factor * max(shown, default=0.0)
    margin = 0.06 * max(high - low, 0.01 * panel.factor)
    axes.set_xlim(low - margin, high + margin)


def _histogram(axes: Axes, panel: _Panel) -> None:
    values = panel.factor * np.array([value for value in panel.values if value is not None])
    axes.hist(values, bins=20, color=BLUE, alpha=0.75, zorder=2)
