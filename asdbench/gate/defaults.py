"""The rules that a run is held to where none are given: few, and of no diagnostic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from asdbench.analysis.conditions import value_of
from asdbench.analysis.corruptions import severity_of
from asdbench.gate.rules import Rules, parse_rule
from asdbench.report.run import Run, open_run

_CLEAN = ("ap:-1pt", "tpr:-1pt", "fpr:+1pt")
_SYNCHRONY = ("fa_changed:+2pt", "sync_auroc:-2pt")
_CORRUPTION = ("ap_drop:+3pt",)
_SEVERITY = 3


def default_rules(run: str | Path | Run) -> Rules:
    """Return the rules that a run is held to where none are given.

    ``clean``: AP, and TPR and FPR at the baseline's threshold, by 1 point. Each test of synchrony, at its largest
    proportion, and ``dubbed``: fa_changed and sync_auroc, by 2 points. Each corruption of severity 3: the drop of AP,
    by 3 points. Only where the run has such a figure.

    Args:
        run: The baseline, folder or run.

    Raises:
        DataError: Not a finished run.
    """
    opened = run if isinstance(run, Run) else open_run(run)
    conditions = opened.metrics["conditions"]
    return Rules(tuple(map(parse_rule, _texts(conditions, opened.metrics["headline"]))))


def _texts(conditions: list[Mapping[str, Any]], headline: str) -> Iterator[str]:
    largest = _largest(conditions[1:])
    for condition in conditions:
        wanted: tuple[str, ...] = ()
        if condition is conditions[0]:
            wanted = _CLEAN
        elif condition["role"] == "test" and condition["labels"] == "negative":
            wanted = _SYNCHRONY if condition["name"] == largest[condition["perturbation"]] else ()
        elif condition["role"] == "test" and (severity_of(condition) or ("", 0))[1] == _SEVERITY:
            wanted = _CORRUPTION
        metrics = condition["metrics"]
        for each in wanted:
            figure = each.partition(":")[0]
            if value_of(metrics.get(figure, metrics["at"][headline].get(figure))) is not None:
                yield f"{condition['name']}.{each}"


def _largest(conditions: list[Mapping[str, Any]]) -> dict[str, str]:
    """Return the condition of each perturbation's largest proportion, the first of several."""
    found: dict[str, Mapping[str, Any]] = {}
    for condition in conditions:
        name = condition["perturbation"]
        if name not in found or condition["proportion"] > found[name]["proportion"]:
            found[name] = condition
    return {name: condition["name"] for name, condition in found.items()}
