"""What the numbers of a run rest on, in words for captions: rows, recordings, how intervals came about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from asdbench.analysis.conditions import HEADLINE
from asdbench.report.table import UNDEFINED, Estimate, estimate

_KINDS = {"source": "sources", "block": "blocks of 60 s of a single source"}


def figure_of(condition: Mapping[str, Any], key: str) -> Any:
    """Return a figure of a condition of ``metrics.json`` with its interval, as a cell of a table."""
    return estimate(condition["metrics"], condition.get("intervals", {}), key)


def rate_of(condition: Mapping[str, Any], key: str, threshold: str = HEADLINE) -> Any:
    """Return a rate of a condition at a threshold with its interval, as a cell of a table."""
    ends = condition.get("intervals", {}).get("at", {}).get(threshold, {})
    return estimate(condition["metrics"]["at"][threshold], ends, key)


def ends_of(cell: Any) -> tuple[float, float] | None:
    """Return the interval of a cell, ``None`` where it has none."""
    if not isinstance(cell, Estimate) or cell.low is None or cell.high is None:
        return None
    return cell.low, cell.high


def number_of(cell: Any) -> float | None:
    """Return the number of a cell, ``None`` where it is undefined or absent."""
    value = cell.value if isinstance(cell, Estimate) else cell
    return float(value) if isinstance(value, (int, float)) else None


def percent(cell: Any) -> str:
    """Return a share with its interval for a sentence: ``46 % [38, 55]``."""
    return _said(cell, 0, " %")


def points(cell: Any) -> str:
    """Return a difference of shares in points: ``4.6 [3.9, 5.2]``."""
    return _said(cell, 1, "")


def _said(cell: Any, digits: int, unit: str) -> str:
    """Return 100 times a number and its interval, which is rounded outwards so that it still holds the number."""
    value, ends, step = number_of(cell), ends_of(cell), 10**digits
    if value is None:
        return UNDEFINED
    text = f"{round(100 * value, digits) + 0.0:.{digits}f}{unit}"
    if ends is None:
        return text
    low, high = math.floor(100 * step * ends[0] + 1e-6), math.ceil(100 * step * ends[1] - 1e-6)
    return f"{text} [{low / step + 0.0:.{digits}f}, {high / step + 0.0:.{digits}f}]"


def basis(metrics: Mapping[str, Any]) -> str:
    """Return the sentence that says what the brackets of a conclusion are, or why it has none."""
    units = metrics.get("units")
    if not units:
        return ""
    if not has_intervals(metrics):
        return f"No intervals: {units['reason'].rstrip('.')}."
    indicative = ", indicative only" if is_indicative(metrics) else ""
    return (
        f"Brackets: {100 * units['level']:.0f} % intervals over {units['count']:,} {_KINDS[units['kind']]}{indicative}."
    )


def interval_note(metrics: Mapping[str, Any]) -> str:
    """Return what the brackets in a table are, or why there are none; empty for runs that know of no intervals.

    Args:
        metrics: Content of ``metrics.json``.
    """
    units = metrics.get("units")
    if not units:
        return ""
    if units["status"] == "none":
        return f"No intervals: {units['reason'].rstrip('.')}."
    note = (
        f"In brackets: {100 * units['level']:.0f} % intervals, {_resampled(units)} resampled "
        f"{units['resamples']:,} times."
    )
    return f"{note} Fewer than 20 of them: the intervals are indicative only." if is_indicative(metrics) else note


def has_intervals(metrics: Mapping[str, Any]) -> bool:
    """Whether the run's figures have intervals."""
    return bool(metrics.get("units", {}).get("status", "none") != "none")


def is_indicative(metrics: Mapping[str, Any]) -> bool:
    """Whether the intervals rest on too few units to be taken at their word."""
    return bool(metrics.get("units", {}).get("status") == "indicative")


def footnote(metrics: Mapping[str, Any], bars: str = "bars") -> str:
    """Return the line below a figure: rows, recordings, what the bars or bands are.

    Args:
        metrics: Content of ``metrics.json``.
        bars: How the figure draws its intervals.
    """
    clean = metrics["conditions"][0]["rows"]
    rows = f"n = {clean['positive'] + clean['negative']:,} rows, {clean['positive']:,} speaking"
    units = metrics.get("units")
    if not units:
        return rows
    if units["status"] == "none":
        return f"{rows}; {units['count']:,} {_KINDS[units['kind']]}, no intervals"
    ends = f"{100 * units['level']:.0f} % intervals" + (", indicative" if is_indicative(metrics) else "")
    return f"{rows}; {units['count']:,} {_KINDS[units['kind']]}; {bars}: {ends}"


def _resampled(units: Mapping[str, Any]) -> str:
    many = f"{units['count']:,} {_KINDS[units['kind']]}"
    effective = units.get("effective")
    if effective is None or effective == units["count"]:
        return many
    return f"{many} (of uneven length, as good as {effective:,} equal ones)"
