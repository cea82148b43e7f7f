"""Several finished runs side by side: one table, one figure, one sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from string import ascii_uppercase
from typing import Any

from asdbench.analysis.comparison import compare_runs, find_figure
from asdbench.analysis.conditions import HEADLINE, value_of
from asdbench.atomic import write_json, write_text
from asdbench.errors import NotComparableError
from asdbench.report.contrast_figure import CONTRAST_COLUMNS, contrast_cells, contrast_plot
from asdbench.report.drawing import write_plot
from asdbench.report.evidence import basis, has_intervals, interval_note
from asdbench.report.run import Run
from asdbench.report.table import Column, Estimate, Table
from asdbench.report.writers import markdown_text, to_csv, to_markdown

_TESTED = (
    ("mismatch@1.00", "that carry somebody else's voice"),
    ("misalign@1.00", "that hear their own voice early or late"),
)
_LIKE = 0.05
"""Retentions closer than this are not told apart where there are no intervals."""

_DIFFERENCES = (
    Column("figure", "figure"),
    Column("difference", "second − first", "ratio"),
    Column("separable", "separable"),
)
_SEPARABLE = {True: "yes", False: "no", None: None}


@dataclass(frozen=True)
class Contrast:
    """Runs of several models on the same rows.

    Attributes:
        runs: In the order of the columns.
        compare: Compares the rows of two runs; ``None`` where their figures have no intervals.
    """

    runs: tuple[Run, ...]
    compare: Callable[[Run, Run], Mapping[str, Any] | None]

    @property
    def models(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(run.model for run in self.runs)

    @cached_property
    def table(self) -> Table:
        """One row per condition; four columns per model, named ``<model>.<metric>``, and how far two models differ."""
        table = self._table([_short(model, self.models) for model in self.models])
        if self.paired is None:
            return table
        rows = tuple({**row, **self._differences(row["condition"])} for row in table.rows)
        return replace(table, columns=(*table.columns, *_DIFFERENCES), rows=rows)

    def _differences(self, condition: str) -> dict[str, Any]:
        """Return by how much the second model's retention, or AP, differs, and whether that is separable from 0."""
        for figure in ("retention", "ava"):
            found = None if self.paired is None else find_figure(self.paired, condition, figure)
            if found is not None and found["interval"] is not None:
                ends = found["interval"]
                difference = Estimate(found["difference"], ends["low"], ends["high"], ends["reason"])
                named = {"retention": "retention", "ava": "AP"}[figure]
                return {"figure": named, "difference": difference, "separable": _SEPARABLE[found["separable"]]}
        return {}

    @cached_property
    def narrow_table(self) -> Table:
        """The same with letters in place of the models' names, for 80 columns."""
        letters = ascii_uppercase[: len(self.models)]
        legend = ", ".join(f"{letter}: {model}" for letter, model in zip(letters, self.models, strict=True))
        table = self._table(letters)
        return replace(table, caption=f"{legend}. {table.caption}")

    def _table(self, labels: Sequence[str]) -> Table:
        first = self.runs[0].record
        columns = [
            Column(f"{model}.{key}", f"{label} {header}", kind)
            for key, header, kind in CONTRAST_COLUMNS
            for model, label in zip(self.models, labels, strict=True)
        ]
        return Table(
            "contrast",
            f"Suite {first['suite']['name']}@{first['suite']['version']} on {first['data']['name']}; rates at the "
            f"threshold {HEADLINE} of each model's clean run. fa_changed: changed speaking rows still called speaking; "
            "retention: their share of the same rows with their own sound. sync AUROC: 0.5 is no reaction.",
            (Column("condition", "condition"), *columns),
            tuple(self._row(name) for name in self.conditions),
            interval_note(self.runs[0].metrics) if has_intervals(self.runs[0].metrics) else "",
        )

    @cached_property
    def paired(self) -> Mapping[str, Any] | None:
        """The second of two runs compared with the first on the same resamples; ``None`` without intervals."""
        return self.compare(*self.runs) if len(self.runs) == 2 else None

    @cached_property
    def conclusion(self) -> str:
        """One sentence that says how the models differ."""
        for name, words in _TESTED:
            if name in self.conditions:
                return self._retained(name, words)
        values = [f"{100 * ap:.1f} % for {model}" for model, ap in self.values("clean", "ava").items()]
        return f"AP on the clean data: {', '.join(values) or 'undefined'}."

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the numbers must not overlook; what holds for some models only bears their names."""
        shared = [warning for warning in self.runs[0].warnings if all(warning in run.warnings for run in self.runs)]
        own = [f"{run.model}: {warning}" for run in self.runs for warning in run.warnings if warning not in shared]
        return (*shared, *own)

    def to_dict(self) -> dict[str, Any]:
        """Return what ``contrast.json`` holds and ``--json`` prints."""
        return {
            "runs": {run.model: str(run.path) for run in self.runs},
            "suite": {key: self.runs[0].record["suite"][key] for key in ("name", "version", "sha256")},
            "data": self.runs[0].record["data"],
            "threshold": HEADLINE,
            "conclusion": self.conclusion,
            "warnings": self.warnings,
            "conditions": [
                {"condition": name, "models": {model: _numbers(c[name]) for model, c in self.measured.items()}}
                for name in self.conditions
            ],
            "comparison": self.paired,
        }

    @cached_property
    def measured(self) -> dict[str, dict[str, Any]]:
        """Model to condition to what ``metrics.json`` says of it."""
        return {run.model: {c["name"]: c for c in run.metrics["conditions"]} for run in self.runs}

    @cached_property
    def conditions(self) -> list[str]:
        """Names of the conditions that every run has."""
        first, *others = self.measured.values()
        return [name for name in first if all(name in other for other in others)]

    def _row(self, name: str) -> dict[str, Any]:
        numbers = {
            f"{model}.{key}": value
            for model, conditions in self.measured.items()
            for key, value in contrast_cells(conditions[name]).items()
        }
        return {"condition": name, **numbers}

    def values(self, condition: str, key: str) -> dict[str, float]:
        """Return model to value, without those that are undefined."""
        found = {model: value_of(_numbers(c[condition])[key]) for model, c in self.measured.items()}
        return {model: value for model, value in found.items() if value is not None}

    def _retained(self, name: str, words: str) -> str:
        fa, kept = self.values(name, "fa_changed"), self.values(name, "retention")
        if len(kept) < len(self.runs):
            return f"Too few speaking frames {words} for a comparison."
        rates = [f"{model} on {100 * fa[model]:.0f} % (retention {kept[model]:.2f})" for model in self.models]
        said = f"Of the speaking frames {words}, still called speaking: {', '.join(rates)};"
        least, second, *_ = sorted(self.models, key=kept.__getitem__)
        runs = {run.model: run for run in self.runs}
        paired = self.paired or self.compare(runs[second], runs[least])
        found = None if paired is None else find_figure(paired, name, "retention")
        misled = f"{least} is misled least" if len(self.runs) > 2 else f"{least} is misled less often than {second}"
        if found is None or found["interval"] is None or found["separable"] is None:
            differ = "they hardly differ" if kept[second] - kept[least] < _LIKE else misled
            return f"{said} {differ}. {basis(self.runs[0].metrics)}".strip()
        sign = -1 if found["difference"] < 0 else 1
        low, high = sorted(sign * found["interval"][end] for end in ("low", "high"))
        difference = f"difference of retention {abs(found['difference']):.2f}, 95 % interval {low:.2f} to {high:.2f}"
        return f"{said} {misled if found['separable'] else 'the two are not separable'} ({difference})."


def paired_runs(first: Run, second: Run) -> Mapping[str, Any] | None:
    """Return the second run compared with the first (``analysis.comparison``), ``None`` without intervals."""
    if not (has_intervals(first.metrics) and has_intervals(second.metrics)):
        return None
    return compare_runs(first.rows, second.rows)


def contrast(runs: Sequence[Run], compare: Callable[[Run, Run], Mapping[str, Any] | None] = paired_runs) -> Contrast:
    """Put finished runs side by side.

    Args:
        runs: At least one; of different models, on the same rows, changed in the same way.
        compare: Compares the rows of two runs.

    Raises:
        NotComparableError: They are not.
    """
    first = runs[0]
    wanted = _comparable(first)
    for other in runs[1:]:
        for part, value in _comparable(other).items():
            # Nobody knows what media predictions of other code were made on, but for the set that names its plan.
            unknown = part == "media" and None in (value, wanted[part])
            if value != wanted[part] and not unknown:
                raise NotComparableError(
                    f"{other.path} and {first.path} differ in {part}; compare runs of one plan on the same media."
                )
    if len({run.model for run in runs}) < len(runs):
        raise NotComparableError(f"two of the runs are of the same model ({first.model}); compare different ones.")
    return Contrast(tuple(runs), compare)


def _comparable(run: Run) -> dict[str, Any]:
    """Return all that runs must share for their numbers to differ by the model alone."""
    identity = run.record["identity"]
    parts = {part: identity[part] for part in ("data", "suite", "plan_sha256", "limit")}
    return {**parts, "dtype": identity["model"]["dtype"], "media": run.record["data"]["media_digest"]}


def write_contrast(found: Contrast, folder: Path) -> None:
    """Write ``contrast.{md,csv,json,png,svg,pdf}``; equal numbers give equal bytes."""
    write_text(folder / "contrast.csv", to_csv(found.table))
    write_json(folder / "contrast.json", found.to_dict())
    write_plot(folder, contrast_plot(found))
    write_text(folder / "contrast.md", _page(found))


def _page(found: Contrast) -> str:
    parts = [
        f"# {markdown_text(' and '.join(found.models))}",
        markdown_text(found.conclusion),
        "\n".join(f"- {markdown_text(warning)}" for warning in found.warnings),
        "![contrast](contrast.png)",
        to_markdown(found.table),
        "\n".join(f"- {markdown_text(run.model)}: `{run.path.name}/report.md`" for run in found.runs),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _numbers(condition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the four numbers of a condition, ``None`` where it is not measured."""
    metrics = condition["metrics"]
    rates = metrics["at"][HEADLINE]
    return {key: metrics.get(key, rates.get(key)) for key, _, _ in CONTRAST_COLUMNS}


def _short(model: str, models: Sequence[str]) -> str:
    """Return what follows the architecture in a name, where all models share it."""
    architectures = {name.partition(".")[0] for name in models}
    return model.partition(".")[2] or model if len(architectures) == 1 else model
