"""``report.html``: all of a run on one page that opens offline and can be sent around."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

import asdbench
from asdbench.analysis.conditions import HEADLINE
from asdbench.report import cost
from asdbench.report.evidence import figure_of, interval_note, rate_of
from asdbench.report.figures import run_plots
from asdbench.report.layout import GROUPS, arranged, explained
from asdbench.report.pages import picture, render_page, table_html
from asdbench.report.provenance import command_of, facts_of, settings_of
from asdbench.report.run import Run
from asdbench.report.table import Column, Estimate, Kind, Table, format_value
from asdbench.report.tables import left_out
from asdbench.report.terms import terms_of

_TILES: tuple[tuple[str, str, Kind, str], ...] = (
    ("mismatch@1.00", "fa_changed", "share", "still “speaking” with another person’s voice"),
    ("misalign@1.00", "fa_changed", "share", "still “speaking” with their own voice shifted"),
    ("mismatch@1.00", "retention", "ratio", "retention under mismatch@1.00: 1 never notices, 0 always does"),
    ("mismatch@1.00", "sync_auroc", "ratio", "sync AUROC under mismatch@1.00: 0.5 cannot tell, 1 always can"),
)


@dataclass(frozen=True)
class Tile:
    """A key figure.

    Attributes:
        value: With its unit.
        ends: Its interval, if it has one.
        words: What it is.
    """

    value: str
    ends: str
    words: str


@dataclass(frozen=True)
class Item:
    """A table or figure of a page.

    Attributes:
        key: The ``id`` in the page.
        title: Heading.
        about: What it is, in one line.
        parts: The figure, the table, or both.
    """

    key: str
    title: str
    about: str
    parts: tuple[Markup, ...]


def report_page(run: Run, plots: Path) -> str:
    """Return the page of a run; equal content of the run folder gives equal bytes.

    Args:
        run: A finished run.
        plots: Folder with its figures as SVG.
    """
    suite, data = run.record["suite"], run.record["data"]
    label = f"{suite['name']}@{suite['version']}"
    return render_page(
        "report.html",
        f"{run.model} on {data['name']}, {label}",
        {
            "model": run.model,
            "data": data["name"],
            "suite": label,
            "conclusion": run.conclusion,
            "warnings": run.warnings,
            "tiles": [*_tiles(run.metrics)],
            "notes": [note for note in (interval_note(run.metrics), left_out(run.metrics).strip()) if note],
            "groups": [*_groups(run, plots)],
            "terms": _terms(run),
            "facts": facts_of(run.record),
            "command": command_of(run.record),
            "settings": table_html(_settings(run.record)) if run.record.get("config") else "",
            "version": asdbench.__version__,
        },
    )


def _tiles(metrics: Mapping[str, Any]) -> Iterator[Tile]:
    conditions = {condition["name"]: condition for condition in metrics["conditions"]}
    clean = metrics["conditions"][0]
    yield _tile(figure_of(clean, "ava"), "percent", "AP on clean data")
    found = [each for each in _TILES if each[0] in conditions]
    if not found:
        yield _tile(rate_of(clean, "tpr"), "share", f"of speech found at {HEADLINE}, clean data")
        yield _tile(rate_of(clean, "fpr"), "share", "of silent rows called speaking, clean data")
    for name, figure, kind, words in found:
        read = figure_of if figure == "sync_auroc" else rate_of
        yield _tile(read(conditions[name], figure), kind, words)


def _tile(cell: Any, kind: Kind, words: str) -> Tile:
    text = format_value(cell, kind, intervals=False)
    ends = format_value(cell, kind)[len(text) :].strip() if isinstance(cell, Estimate) else ""
    unit = " %" if kind in ("percent", "share") and text[-1:].isdigit() else ""
    return Tile(text + unit, ends, words)


def _groups(run: Run, plots: Path) -> Iterator[dict[str, Any]]:
    drawn = (*run_plots(run.model, run.metrics), *cost.figures(run.model, run.record))
    figures = {plot.name: plots / f"{plot.name}.svg" for plot in drawn}
    tables = {table.name: _trimmed(table, run.metrics) for table in (*run.tables.values(), *cost.tables(run.record))}
    placed = arranged([*tables, *figures])
    for group in GROUPS:
        if group.key in placed:
            items = [_item(name, figures.get(name), tables.get(name)) for name in placed[group.key]]
            yield {"key": group.key, "title": group.title, "lead": group.lead, "items": items}


def _item(name: str, figure: Path | None, table: Table | None) -> Item:
    title, about = explained(name)
    parts = (
        *([picture(figure, f"{title}: figure")] if figure else []),
        *([table_html(table, name=f"table-{name}")] if table else []),
    )
    return Item(f"item-{name}", title, about, parts)


def _trimmed(table: Table, metrics: Mapping[str, Any]) -> Table:
    """Return a table without the notes that all of them share, which a page says once."""
    note = "" if table.note == interval_note(metrics) else table.note
    return replace(table, caption=table.caption.removesuffix(left_out(metrics)), note=note)


def _terms(run: Run) -> list[tuple[str, str]]:
    columns = {column.key for table in run.tables.values() for column in table.shown}
    perturbations = {(c.perturbation or "").partition("@")[0] for c in run.conditions.values()}
    return terms_of(columns, set(run.tables), perturbations)


def _settings(record: Mapping[str, Any]) -> Table:
    rows = tuple({"name": name, "value": value, "source": source} for name, value, source in settings_of(record))
    columns = (Column("name", "setting"), Column("value", "value"), Column("source", "from"))
    return Table("settings", "Of paths only the last part is shown.", columns, rows)
