"""A baseline: what a gate needs of a run, in a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from asdbench.analysis.conditions import value_of
from asdbench.atomic import write_json
from asdbench.errors import NotComparableError, ResourceError, UsageError
from asdbench.gate.comparable import check_allow, unusual
from asdbench.records.comparable import strictly_differing
from asdbench.records.predictions import predictions_path, read_predictions, write_predictions
from asdbench.report.run import Run, open_run
from asdbench.report.table import Column, Table

MARK = "baseline.json"
"""Stands in every baseline: without it a folder is somebody's run, and not replaced."""

_SHOWN = ("ap", "tpr", "fpr", "ap_drop", "tpr_drop", "fa_changed", "retention", "sync_auroc")
"""The figures of the table, by the names that rules have for them."""

_PREDICTIONS = predictions_path(Path(), "any").parts[0]
_COPIED = ("run.json", "metrics.json", "skipped.csv")


@dataclass(frozen=True)
class Update:
    """What became of a baseline.

    Attributes:
        baseline: Its folder.
        run: The run that it holds now.
        conditions: Those whose predictions were copied: the clean one, and those that a rule can name.
        size: Of all its files, in bytes.
        table: Old and new figures; of a first baseline, or one that differs in more than the model, the new ones alone.
        differing: In what old and new baseline differ by more than their models, such as ``plan``.
    """

    baseline: Path
    run: Run
    conditions: tuple[str, ...]
    size: int
    table: Table
    differing: tuple[str, ...] = ()


def update_baseline(run: str | Path | Run, baseline: str | Path, *, allow: Collection[str] = ()) -> Update:
    """Make a run the baseline of future gates.

    The folder holds copies of ``run.json``, ``metrics.json`` and ``skipped.csv``, the predictions of all conditions
    that a rule can name, without the columns that no rule needs, and ``baseline.json``. It opens as a run does. It is
    written beside its place and renamed, so that there is always a whole one.

    Args:
        run: A finished run, or its folder.
        baseline: The folder: new, empty, or an earlier baseline.
        allow: What keeps a run from being a baseline, but shall not here: ``custom``, ``dtype``.

    Raises:
        DataError: Not a finished run, or its predictions are missing or broken.
        NotComparableError: No run can be held against it: it is custom, or not in full precision.
        UsageError: The folder holds something else, or is the run itself.
        ResourceError: The disk is full, or the folder cannot be written.
    """
    check_allow(allow)
    run = run if isinstance(run, Run) else open_run(run)
    # Of a link it is the target that is replaced; "." alone has no name to put another folder in the place of.
    folder = Path(baseline).resolve()
    alone = unusual(run, allow)
    if alone:
        raise NotComparableError(f"{run.path}: cannot be a baseline, since it {' and '.join(alone)}.")
    _restore(folder)
    earlier = _earlier(folder)
    conditions = tuple(name for name, each in run.conditions.items() if each.role in ("reference", "test"))
    _replace(run, folder, conditions)
    differing = () if earlier is None else tuple(strictly_differing(earlier[0], run.record))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    old = None if earlier is None or differing else earlier[1]
    return Update(Path(baseline), run, conditions, size, _table(run, conditions, old), differing)


def _earlier(folder: Path) -> tuple[Any, Any] | None:
    """Return record and metrics of the baseline that is there."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    if not (folder / MARK).is_file():
        what = "holds a run, which an update would replace" if (folder / "run.json").is_file() else "is no baseline"
        raise UsageError(f"{folder}: {what}; choose a folder for the baseline alone, such as baselines/main.")
    strays = sorted(path.name for path in folder.iterdir() if path.name not in (MARK, _PREDICTIONS, *_COPIED))
    if strays:
        raise UsageError(
            f"{folder}: {strays[0]} is no part of the baseline, and an update would remove it; move it elsewhere."
        )
    found = open_run(folder)
    return found.record, found.metrics


def _replace(run: Run, folder: Path, conditions: tuple[str, ...]) -> None:
    fresh, old = folder.with_name(f".{folder.name}.{uuid4().hex[:8]}.tmp"), _aside(folder)
    try:
        fresh.mkdir(parents=True)
        for name in _COPIED:
            if (run.path / name).is_file():
                shutil.copyfile(run.path / name, fresh / name)
        for name in conditions:
            rows = read_predictions(predictions_path(run.path, name))
            write_predictions(predictions_path(fresh, name), replace(rows, activity=None, lips=None))
        write_json(fresh / MARK, {"schema": 1, "fingerprint": run.record.get("fingerprint"), "conditions": conditions})
        if folder.exists():
            folder.replace(old)
        fresh.replace(folder)
    except OSError as error:
        _restore(folder)
        raise ResourceError(f"{folder}: the baseline cannot be written ({error.strerror or error}).") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _restore(folder: Path) -> None:
    """Put back what an interrupted update had moved aside."""
    if _aside(folder).is_dir() and not folder.exists():
        _aside(folder).replace(folder)


def _aside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old.tmp")


def _table(run: Run, conditions: tuple[str, ...], old: Any) -> Table:
    columns = (
        Column("condition", "condition"),
        Column("figure", "figure"),
        Column("old", "old %", "percent"),
        Column("new", "new %", "percent"),
        Column("difference", "new - old", "percent"),
    )
    rows = tuple(_rows(run, conditions, old))
    caption = (
        f"The baseline is now {run.model} on {run.record['data']['name']}; everything in percent, the change in "
        f"points, rates at the threshold {run.metrics['headline']} of each one's clean rows."
    )
    return Table("baseline", caption, columns, rows)


def _rows(run: Run, conditions: tuple[str, ...], old: Any) -> Iterator[dict[str, Any]]:
    before, after = _figures(old) if old else {}, _figures(run.metrics)
    for (condition, figure), new in after.items():
        if condition not in conditions:
            continue
        was = before.get((condition, figure))
        change = None if was is None else new - was
        yield {"condition": condition, "figure": figure, "old": was, "new": new, "difference": change}


def _figures(metrics: Any) -> dict[tuple[str, str], float]:
    found = {}
    for condition in metrics["conditions"]:
        values = {**condition["metrics"], **condition["metrics"]["at"][metrics["headline"]]}
        for figure in _SHOWN:
            value = value_of(values.get(figure))
            if value is not None:
                found[condition["name"], figure] = value
    return found
