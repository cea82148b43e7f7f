"""Writes what people look at into the run folder: tables, figures, a page of Markdown and one of HTML."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from asdbench.atomic import write_text
from asdbench.report import cost
from asdbench.report.figures import write_figures
from asdbench.report.paper import paper_table
from asdbench.report.report_page import report_page
from asdbench.report.run import Run
from asdbench.report.table import Table
from asdbench.report.writers import WRITERS, markdown_text, to_markdown

KINDS = ("html", "md", "latex", "csv")
"""What can be written, each on its own."""

_EXTENSIONS = {"md": "md", "latex": "tex", "csv": "csv"}
_WITH_FIGURES = ("html", "md")


def write_report(run: Run, kinds: Collection[str] = KINDS) -> None:
    """Write ``tables/*.{md,csv,tex}``, ``plots/*.{png,svg,pdf}``, ``report.md`` and ``report.html``.

    Among the tables for LaTeX is a narrow one, ``paper.tex``.

    Equal numbers give equal bytes. What the run cost, which differs from start to start, is in the files named ``cost``
    and in ``report.html``, which shows what ``run.json`` says.

    Args:
        run: A finished run.
        kinds: Which of ``KINDS``; figures come with the two pages.
    """
    for table in _tables(run):
        for kind in kinds:
            if kind in _EXTENSIONS:
                extension = _EXTENSIONS[kind]
                write_text(run.path / "tables" / f"{table.name}.{extension}", WRITERS[extension](table))
    if "latex" in kinds:
        table = paper_table(run.tables["robustness"], run.model, run.record, run.metrics)
        write_text(run.path / "tables" / f"{table.name}.tex", WRITERS["tex"](table))
    if any(kind in kinds for kind in _WITH_FIGURES):
        write_figures(run.path / "plots", run.model, run.metrics, run.record)
    if "md" in kinds:
        write_text(run.path / "report.md", _page(run))
    if "html" in kinds:
        write_text(run.path / "report.html", report_page(run, run.path / "plots"))


def _tables(run: Run) -> Iterator[Table]:
    yield from run.tables.values()
    yield from cost.tables(run.record)


def _page(run: Run) -> str:
    suite, data = run.record["suite"], run.record["data"]
    sections = [f"## {table.name.capitalize()}\n\n{to_markdown(table)}" for table in run.tables.values()]
    plots = [f"![{path.stem}](plots/{path.name})" for path in _pictures(run)]
    label = markdown_text(f"{suite['name']}@{suite['version']}")
    title = f"# {markdown_text(run.model)} on {markdown_text(data['name'])}, suite {label}"
    notes = "\n".join(f"- {markdown_text(warning)}" for warning in run.warnings)
    parts = [title, markdown_text(run.conclusion), *([notes] if notes else []), *plots, *sections]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _pictures(run: Run) -> list[Path]:
    return [path for path in sorted((run.path / "plots").glob("*.png")) if path.stem != cost.NAME]
