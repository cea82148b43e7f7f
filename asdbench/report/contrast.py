"""Several finished runs side by side: one table, one figure, one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

import numpy as np

from asdbench.analysis.conditions import HEADLINE, value_of
from asdbench.atomic import write_json, write_text
from asdbench.errors import NotComparableError
from asdbench.report.figures import write_figure
from asdbench.report.run import Run
from asdbench.report.table import Column, Kind, Table
from asdbench.report.writers import markdown_text, to_csv, to_markdown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS: tuple[tuple[str, str, Kind], ...] = (
    ("ava", "AP %", "percent"),
    ("fa_changed", "fa_changed %", "share"),
    ("retention", "retention", "ratio"),
    ("sync_auroc", "sync AUROC", "ratio"),
)
_TESTED = (
    ("mismatch@1.00", "that carry somebody else's voice"),
    ("misalign@1.00", "that hear their own voice early or late"),
)
_LIKE = 0.05
"""Retentions closer than this are not told apart; there are no intervals yet."""

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")  # Okabe & Ito
_HATCHES = ("", "///", "...", "xxx")


@dataclass(frozen=True)
class Contrast:
    """Runs of several models on the same rows.

    Attributes:
        runs: In the order of the columns.
    """

    runs: tuple[Run, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(run.model for run in self.runs)

    @cached_property
    def table(self) -> Table:
        """One row per condition; four columns per model, named ``<model>.<metric>``."""
        return self._table([_short(model, self.models) for model in self.models])

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
            for key, header, kind in _COLUMNS
            for model, label in zip(self.models, labels, strict=True)
        ]
        return Table(
            "contrast",
            f"Suite {first['suite']['name']}@{first['suite']['version']} on {first['data']['name']}; rates at the "
            f"threshold {HEADLINE} of each model's clean run. fa_changed: changed speaking rows still called speaking; "
            "retention: their share of the same rows with their own sound. sync AUROC: 0.5 is no reaction.",
            (Column("condition", "condition"), *columns),
            tuple(self._row(name) for name in self.conditions),
        )

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
                {"condition": name, "models": {model: _numbers(c[name]) for model, c in self._measured.items()}}
                for name in self.conditions
            ],
        }

    @cached_property
    def _measured(self) -> dict[str, dict[str, Any]]:
        return {run.model: {c["name"]: c for c in run.metrics["conditions"]} for run in self.runs}

    @cached_property
    def conditions(self) -> list[str]:
        """Names of the conditions that every run has."""
        first, *others = self._measured.values()
        return [name for name in first if all(name in other for other in others)]

    def _row(self, name: str) -> dict[str, Any]:
        numbers = {
            f"{model}.{key}": value
            for model, conditions in self._measured.items()
            for key, value in _numbers(conditions[name]).items()
        }
        return {"condition": name, **numbers}

    def values(self, condition: str, key: str) -> dict[str, float]:
        """Return model to value, without those that are undefined."""
        found = {model: value_of(_numbers(c[condition])[key]) for model, c in self._measured.items()}
        return {model: value for model, value in found.items() if value is not None}

    def _retained(self, name: str, words: str) -> str:
        fa, kept = self.values(name, "fa_changed"), self.values(name, "retention")
        if len(kept) < len(self.runs):
            return f"Too few speaking frames {words} for a comparison."
        rates = [f"{model} on {100 * fa[model]:.0f} % (retention {kept[model]:.2f})" for model in self.models]
        least, most = min(self.models, key=kept.__getitem__), max(self.models, key=kept.__getitem__)
        verdict = f"{least} is misled least" if len(self.runs) > 2 else f"{least} is misled less often than {most}"
        same = kept[most] - kept[least] < _LIKE
        found = "they hardly differ" if same else verdict
        return f"Of the speaking frames {words}, still called speaking: {', '.join(rates)}; {found}."


def contrast(runs: Sequence[Run]) -> Contrast:
    """Put finished runs side by side.

    Args:
        runs: At least one; of different models, on the same rows, changed in the same way.

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
    return Contrast(tuple(runs))


def _comparable(run: Run) -> dict[str, Any]:
    """Return all that runs must share for their numbers to differ by the model alone."""
    identity = run.record["identity"]
    parts = {part: identity[part] for part in ("data", "suite", "plan_sha256", "limit")}
    return {**parts, "dtype": identity["model"]["dtype"], "media": run.record["data"]["media_digest"]}


def write_contrast(found: Contrast, folder: Path) -> None:
    """Write ``contrast.{md,csv,json,png,svg}``; equal numbers give equal bytes."""
    write_text(folder / "contrast.csv", to_csv(found.table))
    write_json(folder / "contrast.json", found.to_dict())
    write_figure(folder / "contrast", lambda figure: _draw(figure, found))
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
    return {key: metrics.get(key, rates.get(key)) for key, _, _ in _COLUMNS}


def _short(model: str, models: Sequence[str]) -> str:
    """Return what follows the architecture in a name, where all models share it."""
    architectures = {name.partition(".")[0] for name in models}
    return model.partition(".")[2] or model if len(architectures) == 1 else model


def _draw(figure: Figure, found: Contrast) -> None:
    """Draw the retention of each condition at its largest proportion; without one, AP."""
    largest = {c.perturbation: c.name for c in sorted(found.runs[0].conditions.values(), key=lambda c: c.proportion)}
    key = "retention"
    names = [name for name in found.conditions if name in largest.values() and found.values(name, key)]
    if not names:
        key, names = "ava", found.conditions
    axes = figure.subplots()
    height = 0.8 / len(found.models)
    for index, model in enumerate(found.models):
        values = [found.values(name, key).get(model) for name in names]
        places = np.arange(len(names)) + (index - (len(found.models) - 1) / 2) * height
        style: dict[str, Any] = {"color": _COLOURS[index % 4], "hatch": _HATCHES[index % 4], "edgecolor": "white"}
        axes.barh(places, [value or 0.0 for value in values], height=0.92 * height, label=model, **style)
        for place, value in zip(places, values, strict=True):
            axes.text((value or 0.0) + 0.01, place, "undefined" if value is None else f"{value:.2f}", va="center")
    axes.set_yticks(np.arange(len(names)), names)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set(xlim=(0, 1.25), xlabel=f"retention at {HEADLINE}: 1 never notices" if key == "retention" else "AP")
    figure.legend(loc="outside lower center", ncols=2)
    figure.suptitle("what is still called speaking when sound or picture is changed" if key == "retention" else "AP")
