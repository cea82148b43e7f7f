"""Two finished runs on the same rows: what differs, and whether the data can tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from asdbench.analysis.comparison import compare_runs, find_figure
from asdbench.analysis.conditions import value_of
from asdbench.atomic import write_json, write_text
from asdbench.errors import NotComparableError, UsageError
from asdbench.records.comparable import differing, short
from asdbench.report.comparison_page import comparison_page
from asdbench.report.drawing import write_plot
from asdbench.report.evidence import interval_note
from asdbench.report.forest import forest
from asdbench.report.run import Run, open_run
from asdbench.report.table import Column, Table
from asdbench.report.writers import WRITERS, markdown_text, to_markdown

NAMES = {
    "ava": "AP",
    "ap": "AP (scikit-learn)",
    "ap_drop": "AP drop",
    "tpr_drop": "TPR drop",
    "fpr": "FPR",
    "fa_changed": "fa_changed",
    "retention": "retention",
    "sync_auroc": "sync AUROC",
}
"""The figures of the table and what they are called there; JSON has all."""

_TESTED = (("mismatch@1.00", "retention"), ("misalign@1.00", "retention"))
_SHOWN_IN_FULL = 60
"""A terminal gets so many rows; of more, those that can be told apart."""


@dataclass(frozen=True)
class Comparison:
    """Two runs on the same rows.

    Attributes:
        old: What is compared with, A.
        new: What is compared, B.
        found: From ``analysis.comparison.compare_runs``.
    """

    old: Run
    new: Run
    found: Mapping[str, Any]

    @property
    def names(self) -> tuple[str, str]:
        """What to call the two: their models, or their folders where the models have the same name."""
        if self.old.model != self.new.model:
            return self.old.model, self.new.model
        return self.old.path.name or str(self.old.path), self.new.path.name or str(self.new.path)

    @cached_property
    def table(self) -> Table:
        """One row per condition and figure."""
        first, (old, new) = self.old.record, self.names
        columns = (
            Column("condition", "condition"),
            Column("figure", "figure"),
            Column("old", "A %", "percent"),
            Column("new", "B %", "percent"),
            Column("difference", "B - A", "percent"),
            Column("low", "low", "percent"),
            Column("high", "high", "percent"),
            Column("verdict", "B is"),
            Column("sources", "wins-ties-losses"),
        )
        return Table(
            "comparison",
            f"A: {old}; B: {new}. Suite {first['suite']['name']}@{first['suite']['version']} on "
            f"{first['data']['name']}; everything in percent, differences in points, rates at the threshold "
            f"{self.found['headline']} of each run's clean rows.",
            columns,
            tuple(self._rows()),
            self._note,
        )

    @property
    def _note(self) -> str:
        units = self.found["units"]
        if units["status"] == "none":
            return interval_note(self.found)
        kind = "sources" if units["kind"] == "source" else "blocks of 60 s"
        few = ", too few for more than an indication" if units["status"] == "indicative" else ""
        return (
            f"Low and high: {100 * units['level']:.0f} % interval of the difference, the same {units['count']:,} "
            f"{kind} resampled for both {units['resamples']:,} times{few}; each interval for itself, not corrected "
            f"for their number. Wins, ties, losses: {kind} on which B is better, equal, worse."
        )

    @property
    def shown(self) -> Table:
        """The table for a terminal: of a long one only what can be told apart."""
        if len(self.table.rows) <= _SHOWN_IN_FULL:
            return self.table
        rows = tuple(row for row in self.table.rows if row["verdict"] in ("better", "worse", "differs"))
        hidden = f" {len(self.table.rows) - len(rows)} more rows that are not separable: --out FOLDER, or --json."
        return replace(self.table, rows=rows, caption=self.table.caption + hidden)

    def _rows(self) -> Iterator[dict[str, Any]]:
        for condition in self.found["conditions"]:
            for figure, header in NAMES.items():
                record = find_figure(self.found, condition["name"], figure)
                if record is not None and _matters(condition, figure, record):
                    yield {"condition": condition["name"], "figure": header, **_cells(record)}

    @cached_property
    def counts(self) -> Counter[str]:
        """How many of the table's figures are better, worse and not separable."""
        return Counter(row["verdict"] for row in self.table.rows if row["verdict"])

    @cached_property
    def conclusion(self) -> str:
        """One sentence."""
        old, new = self.names
        parts = [self._said("clean", "ava", "clean AP")]
        for condition, figure in _TESTED:
            parts.append(self._said(condition, figure, f"{figure} under {condition}"))
        return f"{new} compared with {old}: {'; '.join([*filter(None, parts), self._counted])}."

    @property
    def _counted(self) -> str:
        units, words = self.found["units"], ("better", "worse", "not separable")
        found = [f"{self.counts[word]} {word}" for word in words if self.counts[word]]
        if found:
            few = ", indicative only" if units["status"] == "indicative" else ""
            total = sum(self.counts[word] for word in words)
            return f"of {total} figures {', '.join(found)} ({100 * units['level']:.0f} % intervals{few})"
        return f"no verdict, since {units['reason'].rstrip('.') or 'none of the figures has a better direction'}"

    def _said(self, condition: str, figure: str, words: str) -> str:
        record = find_figure(self.found, condition, figure)
        difference = value_of(record["difference"]) if record else None
        if record is None or difference is None:
            return ""
        ends = record["interval"]
        interval = f" [{100 * ends['low']:+.1f}, {100 * ends['high']:+.1f}]" if ends and ends["low"] is not None else ""
        verdict = f" ({record['verdict']})" if record["verdict"] else ""
        return f"{words} {100 * difference:+.1f} points{interval}{verdict}"

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the numbers must not overlook."""
        both = [warning for warning in self.old.warnings if warning in self.new.warnings]
        own = [
            f"{name}: {warning}"
            for name, run in zip(self.names, (self.old, self.new), strict=True)
            for warning in run.warnings
            if warning not in both
        ]
        alone = self.found["left_out"]
        left_out = [f"only one of the runs has {', '.join(alone)}, which is not compared"] if alone else []
        return (*left_out, *both, *own)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``comparison.json`` holds and ``--json`` prints."""
        return {
            "old": _identified(self.old),
            "new": _identified(self.new),
            "conclusion": self.conclusion,
            "warnings": self.warnings,
            **self.found,
        }


def compare(old: str | Path | Run, new: str | Path | Run, *, out: str | Path | None = None) -> Comparison:
    """Compare two finished runs on the same rows.

    Args:
        old: Run folder, or run, that is compared with.
        new: Run folder, or run, that is compared.
        out: Folder for ``comparison.{html,md,csv,tex,json,png,svg,pdf}``; nothing is written by default.

    Raises:
        DataError: Not a finished run, or its predictions are missing or broken.
        NotComparableError: They differ in data, protocol, plan, rows or precision.

    Example:
        >>> asdbench.compare("runs/old", "runs/new").table.to_frame()  # doctest: +SKIP
    """
    runs = [each if isinstance(each, Run) else open_run(each) for each in (old, new)]
    require_comparable(*runs)
    found = Comparison(runs[0], runs[1], compare_runs(runs[0].rows, runs[1].rows))
    if out is not None:
        write_comparison(found, Path(out))
    return found


def require_comparable(old: Run, new: Run) -> None:
    """Refuse runs whose numbers differ by more than the models.

    Raises:
        NotComparableError: They differ in data, protocol, plan, limit, precision, or in the media that were scored.
    """
    found = differing(old.record, new.record)
    if found:
        named = ", ".join(f"{part} ({short(one)} and {short(other)})" for part, (one, other) in found.items())
        raise NotComparableError(
            f"{old.path} and {new.path} differ in {named}; compare runs of one plan on the same data."
        )


def write_comparison(found: Comparison, folder: Path) -> None:
    """Write ``comparison.{html,md,csv,tex,json,png,svg,pdf}``; equal numbers give equal bytes.

    Raises:
        UsageError: Something else of one of these names is there.
    """
    strange = [path for path in folder.glob("comparison.*") if not (folder / "comparison.json").is_file()]
    if strange:
        raise UsageError(f"{strange[0]}: is there, and no comparison of runs; choose another --out.")
    for extension in ("csv", "tex"):
        write_text(folder / f"comparison.{extension}", WRITERS[extension](found.table))
    write_json(folder / "comparison.json", found.to_dict())
    write_plot(folder, forest(found.found, found.names))
    write_text(folder / "comparison.md", _page(found))
    write_text(folder / "comparison.html", comparison_page(found))


def _page(found: Comparison) -> str:
    parts = [
        f"# {markdown_text(found.names[1])} compared with {markdown_text(found.names[0])}",
        markdown_text(found.conclusion),
        "\n".join(f"- {markdown_text(warning)}" for warning in found.warnings),
        "![differences](comparison.png)",
        to_markdown(replace(found.table, caption=markdown_text(found.table.caption))),
        "\n".join(
            f"- {letter}: {markdown_text(str(run.path))}" for letter, run in (("A", found.old), ("B", found.new))
        ),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _identified(run: Run) -> dict[str, Any]:
    return {"run": str(run.path), "model": run.record["model"], "fingerprint": run.record.get("fingerprint")}


def _matters(condition: Mapping[str, Any], figure: str, record: Mapping[str, Any]) -> bool:
    """Whether a figure says something under a condition that no other row says: the table is for people."""
    if value_of(record["old"]) is None and value_of(record["new"]) is None:
        return False
    if condition["perturbation"] is None:
        return figure in ("ava", "ap", "fpr")
    if condition["labels"] == "keep":
        return figure in ("ap_drop", "tpr_drop") or (figure == "retention" and condition["role"] == "diagnostic")
    return figure in ("fa_changed", "retention", "sync_auroc") or (figure == "ava" and record["better"] is not None)


def _cells(record: Mapping[str, Any]) -> dict[str, Any]:
    ends, sources = record["interval"] or {}, record["sources"]
    verdict = record["verdict"] or {True: "differs", False: "not separable", None: None}[record["separable"]]
    counted = "-".join(str(sources[word]) for word in ("wins", "ties", "losses")) if sources else None
    return {
        **{key: record[key] for key in ("old", "new", "difference")},
        "low": ends.get("low"),
        "high": ends.get("high"),
        "verdict": verdict,
        "sources": counted,
    }
