"""The headline figures of a run with their resamples: what an entry holds, and what a board shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

import numpy as np

from asdbench.analysis.comparison import better_direction
from asdbench.analysis.conditions import HEADLINE
from asdbench.analysis.corruptions import severity_of
from asdbench.analysis.intervals import condition_replicates
from asdbench.analysis.rows import Figure as Place
from asdbench.analysis.rows import RunRows
from asdbench.leaderboard.entry import Figure, encoded
from asdbench.metrics import combine, interval
from asdbench.metrics.bootstrap import Replicates
from asdbench.metrics.inputs import Float64Array
from asdbench.perturb.dubbed import DUBBED
from asdbench.types import Suite

CLEAN = "clean"

Better = Literal["higher", "lower"]

RATES = ("fpr", "retention", "fa_changed")
"""Figures at the headline threshold."""

_UNKNOWN = "the run has no value for it."


def headline_figures(rows: RunRows, metrics: Mapping[str, Any]) -> tuple[Figure, ...]:
    """Return the figures of a run that a leaderboard shows.

    Clean AP and FPR; under each test whose changed rows become negative, at its largest proportion, retention and
    ``sync_auroc``; the false alarms on dubbed tracks; the drop of AP under each corruption, as the mean over its
    severities. Diagnostics and controls are in no order of models, so they are left out.

    Args:
        rows: The rows of the run.
        metrics: Content of ``metrics.json``.
    """
    named = {condition["name"]: condition for condition in metrics["conditions"]}
    clean = next(iter(named))
    found = [_single(rows, named, clean, "ava", CLEAN), _single(rows, named, clean, "fpr", CLEAN)]
    for name in _largest_tests(metrics["conditions"]):
        found += [_single(rows, named, name, key) for key in _keys(named[name]["perturbation"])]
    for kind, names in _corruptions(metrics["conditions"]).items():
        if len(names) == 1:
            found.append(_single(rows, named, names[0], "ap_drop"))
        else:
            found.append(_mean(rows, named, kind, names))
    return tuple(found)


def figures_of(suite: Suite) -> dict[str, tuple[Better, tuple[str, ...]]]:
    """Return the figures that an entry of a suite can have: name to better direction and the conditions averaged."""
    named = {condition.name: condition for condition in (*suite.conditions, DUBBED)}
    records = [asdict(condition) for condition in named.values()]
    found: dict[str, tuple[Better, tuple[str, ...]]] = {f"{CLEAN}.ava": ("higher", ()), f"{CLEAN}.fpr": ("lower", ())}
    for name in _largest_tests(records):
        for key in _keys(named[name].perturbation):
            found[f"{name}.{key}"] = _better(better_direction(named[name], key)), ()
    for kind, names in _corruptions(records).items():
        averaged = tuple(names) if len(names) > 1 else ()
        found[f"{kind if averaged else names[0]}.ap_drop"] = "lower", averaged
    return found


def _largest_tests(conditions: Sequence[Mapping[str, Any]]) -> list[str]:
    largest: dict[str, Mapping[str, Any]] = {}
    for condition in conditions[1:]:
        kind = condition["perturbation"]
        if condition["role"] != "test" or condition["labels"] != "negative":
            continue
        if kind not in largest or condition["proportion"] > largest[kind]["proportion"]:
            largest[kind] = condition
    return [condition["name"] for condition in largest.values()]


def _keys(perturbation: str | None) -> tuple[str, ...]:
    """Return the figures of a test whose changed rows become negative."""
    return ("fa_changed",) if perturbation == DUBBED.perturbation else ("retention", "sync_auroc")


def _better(direction: int) -> Better:
    return "higher" if direction > 0 else "lower"


def _corruptions(conditions: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the tests that keep their labels, those of one kind and several severities together."""
    found: dict[str, list[str]] = {}
    for condition in conditions[1:]:
        if condition["role"] == "test" and condition["labels"] == "keep":
            place = severity_of(condition)
            found.setdefault(condition["name"] if place is None else place[0], []).append(condition["name"])
    return found


def _single(
    rows: RunRows, conditions: Mapping[str, Mapping[str, Any]], name: str, key: str, label: str | None = None
) -> Figure:
    metrics = conditions[name]["metrics"]
    value = metrics["at"][HEADLINE].get(key) if key in RATES else metrics.get(key)
    place: Place = ("at", HEADLINE, key) if key in RATES else (key,)
    resampled = _replicates(rows, name, place)
    return _figure(label or name, key, _direction(rows, name, key), value, resampled)


def _mean(rows: RunRows, conditions: Mapping[str, Mapping[str, Any]], kind: str, names: Sequence[str]) -> Figure:
    values = [conditions[name]["metrics"].get("ap_drop") for name in names]
    without = next((value for value in values if not isinstance(value, float)), None)
    numbers = [value for value in values if isinstance(value, float)]
    value = float(np.mean(numbers)) if len(numbers) == len(names) else without
    parts = [part for name in names if (part := _replicates(rows, name, ("ap_drop",))) is not None]
    resampled = combine(_mean_of, *parts) if len(parts) == len(names) else None
    return _figure(kind, "ap_drop", _direction(rows, names[0], "ap_drop"), value, resampled, tuple(names))


def _mean_of(*values: Float64Array) -> Float64Array:
    mean: Float64Array = np.mean(values, axis=0)
    return mean


def _replicates(rows: RunRows, name: str, place: Place) -> Replicates | None:
    predictions = rows.clean if name == next(iter(rows.conditions)) else rows.read(name)
    return condition_replicates(rows, rows.conditions[name], predictions).get(place)


def _direction(rows: RunRows, name: str, key: str) -> int:
    return better_direction(rows.conditions[name], key)


def _figure(
    condition: str, key: str, direction: int, value: Any, resampled: Replicates | None, mean_of: tuple[str, ...] = ()
) -> Figure:
    number = value if isinstance(value, float) else None
    undefined = "" if number is not None else (value or {}).get("undefined", _UNKNOWN)
    ends = None if resampled is None or number is None else interval(resampled)
    has_values = resampled is not None and number is not None and len(resampled.resampled) > 0
    return Figure(
        condition=condition,
        figure=key,
        better=_better(direction),
        value=number,
        undefined=undefined,
        low=ends.low if ends else None,
        high=ends.high if ends else None,
        reason=ends.reason if ends and ends.low is None else "",
        mean_of=mean_of,
        replicates=encoded(resampled.resampled) if resampled is not None and has_values else None,
    )


def source_figures(metrics: Mapping[str, Any]) -> Iterator[tuple[str, int, int, dict[str, float | None]]]:
    """Yield name, speaking rows, other rows, and figures by ``condition.figure`` of each recording alone.

    Args:
        metrics: Content of ``metrics.json``.
    """
    for source in metrics["sources"]["sources"]:
        found = {f"{CLEAN}.{key}": _number(source["metrics"].get(key)) for key in ("ava", "fpr")}
        for name, figures in source["conditions"].items():
            found |= {f"{name}.{key}": _number(value) for key, value in figures.items() if key != "rows"}
        yield source["name"], source["rows"]["positive"], source["rows"]["negative"], found


def _number(value: Any) -> float | None:
    return round(value, 6) if isinstance(value, float) else None
