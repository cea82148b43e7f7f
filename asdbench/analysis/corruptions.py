"""The mean drops of AP under corruptions (docs/method.md, section 5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from asdbench.analysis.conditions import value_of
from asdbench.analysis.intervals import interval_record
from asdbench.analysis.rows import RunRows
from asdbench.metrics import combine
from asdbench.metrics.inputs import Float64Array
from asdbench.metrics.measured import Measured

_SEVERITY = re.compile(r"(?P<kind>.+)@s(?P<severity>[1-5])")
_Names = dict[str, dict[int, str]]


def severity_of(condition: Mapping[str, Any]) -> tuple[str, int] | None:
    """Return kind and severity of a condition named such as ``babble@s3`` that keeps its labels."""
    found = _SEVERITY.fullmatch(condition["name"])
    if found is None or condition["labels"] != "keep":
        return None
    return found["kind"], int(found["severity"])


def section(rows: RunRows, conditions: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the section of ``metrics.json``, ``None`` where the run has no corruptions.

    A kind counts in the mean of all as the mean of its severities, however many it has.

    Args:
        rows: The rows of the run.
        conditions: The conditions of ``metrics.json``, with their point values.

    Returns:
        ``kinds`` (mean drop over severities by corruption), ``severities`` (over corruptions by severity), ``mean``
        (over kinds), and their ``intervals``.
    """
    names = _names(conditions)
    if not names:
        return None
    drops = {condition["name"]: condition["metrics"].get("ap_drop") for condition in conditions}
    groups = _groups(names)
    kinds = {kind: _mean([drops[name] for name in groups[kind]]) for kind in names}
    severities = {key: _mean([drops[name] for name in each]) for key, each in groups.items() if key not in names}
    found = {"kinds": kinds, "severities": severities, "mean": _mean(list(kinds.values()))}
    return found | {"intervals": _intervals(rows, names, groups)}


def _names(conditions: Iterable[Mapping[str, Any]]) -> _Names:
    """Return kind -> severity -> name of the condition."""
    names: _Names = {}
    for condition in conditions:
        place = severity_of(condition)
        if place is not None:
            names.setdefault(place[0], {})[place[1]] = condition["name"]
    return names


def _groups(names: _Names) -> dict[str, list[str]]:
    """Return kind, or severity, to the names of its conditions."""
    groups = {kind: list(found.values()) for kind, found in names.items()}
    for severity in sorted({severity for found in names.values() for severity in found}):
        groups[str(severity)] = [found[severity] for found in names.values() if severity in found]
    return groups


def _mean(drops: Sequence[Measured | None]) -> Measured:
    """Return the mean, or the reason why one of them has no value."""
    for drop in drops:
        if isinstance(drop, dict):
            return drop
    values = [value for drop in drops if (value := value_of(drop)) is not None]
    return sum(values) / len(values)


def _intervals(rows: RunRows, names: _Names, groups: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    known = {name: found["ap_drop",] for name, found in rows.replicated.items() if ("ap_drop",) in found}
    intervals: dict[str, Any] = {"kinds": {}, "severities": {}}
    for key, each in groups.items():
        if all(name in known for name in each):
            record = interval_record(combine(_average, *(known[name] for name in each)))
            intervals["kinds" if key in names else "severities"][key] = record
    if len(intervals["kinds"]) == len(names):
        means = (combine(_average, *(known[name] for name in groups[kind])) for kind in names)
        intervals["mean"] = interval_record(combine(_average, *means))
    return intervals


def _average(*parts: Float64Array) -> Float64Array:
    return np.asarray(np.mean(parts, axis=0))
