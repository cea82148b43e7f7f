"""The headline figures of a run as a flat list: what loggers, model cards and tidy tables are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from asdbench.atomic import replacing
from asdbench.report.run import Run

_WHOLE = ("ava", "ap", "ap_drop", "sync_auroc")
_AT_THRESHOLD = ("tpr", "fpr", "tpr_drop", "fa_changed", "retention")


@dataclass(frozen=True)
class Figure:
    """One figure of one condition, as a share.

    Attributes:
        run: SHA-256 that identifies the run.
        model: Name of the model.
        data: Name of the data set.
        protocol: Whose rule AP follows: that of the data set, or ``scikit-learn`` for ``ap``.
        suite: Name and version of the suite.
        condition: Name of the condition.
        role: What the condition is for: ``reference``, ``test``, ``control`` or ``diagnostic``.
        figure: Its key in ``metrics.json``.
        threshold: Name of the threshold of a rate; empty where no threshold enters.
        value: The number; ``None`` where it is undefined.
        low: Lower end of its interval; ``None`` where it has none.
        high: Upper end.
        reason: Why there is no value, or no interval.
    """

    run: str
    model: str
    data: str
    protocol: str
    suite: str
    condition: str
    role: str
    figure: str
    threshold: str
    value: float | None
    low: float | None
    high: float | None
    reason: str


def headline_figures(run: Run) -> tuple[Figure, ...]:
    """Return AP, drops, synchrony and rates at the headline threshold, under every condition, in the suite's order."""
    return tuple(
        _figure(run, condition, place)
        for condition in run.metrics["conditions"]
        for place in _places(run.metrics["headline"])
        if _at(condition["metrics"], place) is not None
    )


def write_figures_parquet(runs: Iterable[Run], path: Path) -> int:
    """Write the headline figures of runs as one table, one row per run, condition and figure; return their number.

    Raises:
        ResourceError: The file cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers = ("value", "low", "high")
    schema = pa.schema(
        [(each.name, pa.float64() if each.name in numbers else pa.string()) for each in fields(Figure)]
    )  # fmt: skip
    rows = [vars(figure) for run in runs for figure in headline_figures(run)]
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), temporary, compression="zstd")
    return len(rows)


def _places(headline: str) -> Iterator[tuple[str, ...]]:
    yield from ((name,) for name in _WHOLE)
    yield from (("at", headline, name) for name in _AT_THRESHOLD)


def _at(tree: Any, place: tuple[str, ...]) -> Any:
    for key in place:
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree


def _figure(run: Run, condition: Mapping[str, Any], place: tuple[str, ...]) -> Figure:
    value, ends = _at(condition["metrics"], place), _at(condition["intervals"], place) or {}
    undefined = value["undefined"] if isinstance(value, Mapping) else ""
    suite = run.record["suite"]
    return Figure(
        run=str(run.record["fingerprint"]),
        model=run.model,
        data=run.record["data"]["name"],
        protocol="scikit-learn" if place == ("ap",) else run.metrics["protocol"],
        suite=f"{suite['name']}@{suite['version']}",
        condition=condition["name"],
        role=condition["role"],
        figure=place[-1],
        threshold=place[1] if len(place) > 1 else "",
        value=None if undefined else float(value),
        low=ends.get("low"),
        high=ends.get("high"),
        reason=undefined or ends.get("reason") or ("" if ends else _no_intervals(run)),
    )


def _no_intervals(run: Run) -> str:
    units: Mapping[str, Any] = run.metrics.get("units") or {}
    return str(units.get("reason") or "the figure has no interval.")
