"""A run in Weights & Biases: where its own variables say (WANDB_PROJECT, WANDB_ENTITY, WANDB_MODE, WANDB_DIR, ...)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from asdbench.exports.summary import Summary

PROJECT = "asdbench"
"""Where runs go, unless WANDB_PROJECT says otherwise."""

_ID = 32
_LONGEST_TAG = 64


def log(summary: Summary) -> str:
    """Log a run; return where to, in words."""
    import wandb

    run: Any = wandb.init(
        project=os.environ.get("WANDB_PROJECT") or PROJECT,
        name=summary.name,
        # The same run again continues its entry.
        id=summary.identity[:_ID],
        resume="allow",
        config={**summary.parameters, **summary.tags},
        tags=[summary.parameters[key][:_LONGEST_TAG] for key in ("suite", "data")],
        notes=summary.note,
        # Numbers only: nothing of what this process prints, and no code of the folder that it was started in.
        settings=wandb.Settings(silent=True, console="off", disable_code=True),
    )
    try:
        for key, value in summary.metrics.items():
            run.summary[key] = value
        report = wandb.Artifact(f"report-{summary.identity[:16]}", type="report")
        for path in _files(summary):
            report.add_file(str(path), name=path.relative_to(summary.folder).as_posix())
        run.log_artifact(report)
    except BaseException:
        run.finish(exit_code=1)
        raise
    where = str(Path(run.dir).parent) if run.offline else str(run.url)
    run.finish()
    return where


def _files(summary: Summary) -> Iterator[Path]:
    # One by one: of whole folders the library would tell on the terminal.
    for path in summary.artifacts:
        yield from sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
