"""What the numbers of a run rest on, in words for captions: rows, recordings, how intervals came about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_KINDS = {"source": "sources", "block": "blocks of 60 s of a single source"}


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
