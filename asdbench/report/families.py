"""Which conditions belong together in a table or figure: by severity, by offset, by draw, by publication."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from asdbench.analysis.conditions import value_of

SEVERITIES = (1, 2, 3, 4, 5)

_SEVERITY = re.compile(r"(?P<kind>.+)@s(?P<severity>[1-5])")
_Condition = Mapping[str, Any]


def base(condition: _Condition) -> str:
    """Return the name of a condition's perturbation without a version; empty for the clean one."""
    return str(condition["perturbation"] or "").partition("@")[0]


def severity_of(condition: _Condition) -> tuple[str, int] | None:
    """Return kind and severity of a condition named such as ``babble@s3`` that keeps its labels."""
    found = _SEVERITY.fullmatch(condition["name"])
    if found is None or condition["labels"] != "keep":
        return None
    return found["kind"], int(found["severity"])


def offset_of(condition: _Condition) -> float | None:
    """Return the offset in ms of a point of a synchrony curve."""
    if condition["role"] != "diagnostic":
        return None
    return value_of(condition["metrics"].get("offset_ms"))


def drops_by_severity(conditions: Sequence[_Condition]) -> dict[str, dict[int, Any]]:
    """Return kind -> severity -> drop of AP, in the order of the conditions."""
    found: dict[str, dict[int, Any]] = {}
    for condition in conditions:
        place = severity_of(condition)
        if place is not None:
            found.setdefault(place[0], {})[place[1]] = condition["metrics"].get("ap_drop")
    return found


def mean_drop(drops: Mapping[int, Any]) -> float | None:
    """Return the mean over severities, ``None`` where one of them is undefined."""
    values = [value_of(drop) for drop in drops.values()]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def curve(conditions: Sequence[_Condition]) -> list[tuple[float, _Condition]]:
    """Return the points of a synchrony curve in the order of their offsets."""
    points = [(offset, condition) for condition in conditions if (offset := offset_of(condition)) is not None]
    return sorted(points, key=lambda point: point[0])


def has_place(condition: _Condition) -> bool:
    """Whether a condition is one of many in a table of its own, so that a short listing leaves it out."""
    return severity_of(condition) is not None or offset_of(condition) is not None
