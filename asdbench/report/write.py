"""Writes what people look at into the run folder: tables, figures, a page of Markdown."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from asdbench.atomic import write_text
from asdbench.perturb.dubbed import DUBBED
from asdbench.report.figures import write_figures
from asdbench.report.run import Run
from asdbench.report.writers import WRITERS, markdown_text, to_markdown
from asdbench.types import Condition, Float32Array

_DRAWN = 5  # more distributions over one another say nothing


def write_report(run: Run) -> None:
    """Write ``tables/*.{md,csv,tex}``, ``plots/*.{png,svg}`` and ``report.md``; equal numbers give equal bytes."""
    for table in run.tables.values():
        for extension, writer in WRITERS.items():
            write_text(run.path / "tables" / f"{table.name}.{extension}", writer(table))
    write_figures(run.path / "plots", run.model, run.metrics, _scores(run))
    write_text(run.path / "report.md", _page(run))


def _scores(run: Run) -> dict[str, Float32Array]:
    """Return the scores to draw: speaking rows clean, changed at each perturbation's largest proportion, and dubbed."""
    clean = run.read("clean")
    groups: dict[str, Float32Array] = {
        "negative": clean.score[clean.label_after == 0],
        "clean": clean.score[clean.label == 1],
    }
    for name, condition in _largest(run.conditions.values()).items():
        rows = run.read(condition.name)
        dubbed = name == DUBBED.perturbation  # no row of it was ever positive
        changed = rows.score[rows.changed & (rows.label_after == 0) if dubbed else rows.paired]
        groups |= {name: changed} if len(changed) else {}
    return {name: np.asarray(scores) for name, scores in groups.items()}


def _largest(conditions: Iterable[Condition]) -> dict[str, Condition]:
    """Return the condition with the largest proportion of each graded perturbation, the first ones of a long suite."""
    largest: dict[str, Condition] = {}
    for condition in conditions:
        graded = condition.role == "control" or (condition.role == "test" and condition.labels == "negative")
        name = (condition.perturbation or "").partition("@")[0]
        if name and graded and condition.proportion >= getattr(largest.get(name), "proportion", 0.0):
            largest[name] = condition
    dubbed = {name: condition for name, condition in largest.items() if name == DUBBED.perturbation}
    return dict(list(largest.items())[:_DRAWN]) | dubbed


def _page(run: Run) -> str:
    suite, data = run.record["suite"], run.record["data"]
    sections = [f"## {table.name.capitalize()}\n\n{to_markdown(table)}" for table in run.tables.values()]
    plots = [f"![{path.stem}](plots/{path.name})" for path in sorted((run.path / "plots").glob("*.png"))]
    title = f"# {markdown_text(run.model)} on {markdown_text(data['name'])}, suite {suite['name']}@{suite['version']}"
    notes = "\n".join(f"- {markdown_text(warning)}" for warning in run.warnings)
    parts = [title, markdown_text(run.conclusion), *([notes] if notes else []), *plots, *sections]
    return "\n\n".join(part.strip() for part in parts) + "\n"
