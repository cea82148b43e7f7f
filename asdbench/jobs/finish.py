"""What follows from the predictions of a run folder: its numbers, tables, figures and report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asdbench.atomic import write_json
from asdbench.config import resample_count
from asdbench.errors import DataError
from asdbench.records.folder import RunFolder
from asdbench.report.run import Run, open_run
from asdbench.report.write import write_report


def finish(folder: RunFolder, record: Mapping[str, Any], resamples: int | str | None = None) -> Run:
    """Write everything that follows from the predictions.

    Args:
        folder: Holds predictions and facts.
        record: Content of ``run.json``.
        resamples: How many resamples the intervals rest on, or ``off``; as the run says by default.

    Raises:
        DataError: The predictions are missing or broken.
        UsageError: No such number of resamples.
    """
    run = Run(folder.path, record, {}).recomputed(resamples)
    write_json(folder.path / "metrics.json", run.metrics)
    write_report(run)
    return run


def reopened(folder: RunFolder, resamples: int | str | None = None) -> Run:
    """Open a finished run; what follows from its predictions is written again where it is gone or asked for anew.

    Args:
        folder: Of a run whose record says that it is complete.
        resamples: As for `finish`.

    Raises:
        DataError: The predictions are missing or broken.
        UsageError: No such number of resamples.
    """
    try:
        run = open_run(folder.path)
    except DataError:
        # Somebody deleted or damaged the numbers; the predictions still hold them.
        return finish(folder, folder.read_record(), resamples)
    if resamples is None or run.rows.resamples == resample_count(resamples):
        return run
    return finish(folder, run.record, resamples)
