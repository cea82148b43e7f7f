"""Which conditions belong together in a table or figure: by severity, by offset, by draw, by publication."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from asdbench.analysis.conditions import value_of
from asdbench.analysis.corruptions import severity_of
from asdbench.report.table import estimate

SEVERITIES = (1, 2, 3, 4, 5)

_Condition = Mapping[str, Any]


def base(condition: _Condition) -> str:
    """Return the name of a condition's perturbation without a version; empty for the clean one."""
    return str(condition["perturbation"] or "").partition("@")[0]


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


def mean_drops(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the mean drop by corruption, by severity (``s1``) and of all (``mean``), as cells of a table."""
    found = metrics.get("corruptions")
    if found is None:  # runs of earlier releases
        return {}
    ends = found["intervals"]
    cells = {kind: estimate(found["kinds"], ends["kinds"], kind) for kind in found["kinds"]}
    cells |= {f"s{key}": estimate(found["severities"], ends["severities"], key) for key in found["severities"]}
    return cells | {"mean": estimate(found, ends, "mean")}


def curve(conditions: Sequence[_Condition]) -> list[tuple[float, _Condition]]:
    """Return the points of a synchrony curve in the order of their offsets."""
    points = [(offset, condition) for condition in conditions if (offset := offset_of(condition)) is not None]
    return sorted(points, key=lambda point: point[0])


def has_place(condition: _Condition) -> bool:
    """Whether a condition is one of many in a table of its own, so that a short listing leaves it out."""
    return severity_of(condition) is not None or offset_of(condition) is not None
