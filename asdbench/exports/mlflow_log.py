"""A run in MLflow: in the store that MLFLOW_TRACKING_URI names, else where MLflow puts runs by default."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from asdbench.exports.summary import Summary

EXPERIMENT = "asdbench"
"""Where runs go, unless MLFLOW_EXPERIMENT_NAME says otherwise."""

_PREFIX = "asdbench."
_IDENTITY = f"{_PREFIX}fingerprint"
_BATCH = {"metrics": 500, "params": 100, "tags": 100}
_LONGEST = 500  # signs of a parameter that every release and store takes
_LONGEST_TAG = 5000

_Item = TypeVar("_Item")


def log(summary: Summary) -> str:
    """Log a run; return where to, in words."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunStatus, RunTag

    client = MlflowClient()
    experiment = _experiment(client, os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT)
    tags = {f"{_PREFIX}{key}": value for key, value in summary.tags.items()} | {"mlflow.note.content": summary.note}
    run = _earlier(client, experiment, summary.identity)
    if run is None:
        run = client.create_run(experiment, run_name=summary.name, tags={_IDENTITY: summary.identity})
    # What is a parameter once stays so; a second logging may add, but not change.
    params = {key: value for key, value in summary.parameters.items() if key not in run.data.params}
    now, run_id = int(1000 * time.time()), run.info.run_id
    entries: dict[str, list[Any]] = {
        "metrics": [Metric(key, value, now, 0) for key, value in metric_names(summary.metrics).items()],
        "params": [Param(key, value[:_LONGEST]) for key, value in params.items()],
        "tags": [RunTag(key, value[:_LONGEST_TAG]) for key, value in tags.items()],
    }
    for kind, items in entries.items():
        for part in _parts(items, _BATCH[kind]):
            client.log_batch(run_id, **{kind: part})
    for path in summary.artifacts:
        # The destination of a folder names the folder itself, since only what is in it is taken.
        if path.is_dir():
            client.log_artifacts(run_id, str(path), artifact_path=path.name)
        else:
            client.log_artifact(run_id, str(path))
    client.set_terminated(run_id, RunStatus.to_string(RunStatus.FINISHED))
    return f"experiment {client.get_experiment(experiment).name!r}, run {run_id}"


def metric_names(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return figures under names that MLflow takes: letters, digits and ``_-. /``; no two become one.

    Example:
        >>> metric_names({"mismatch@1.00/retention": 0.5})
        {'mismatch_1.00/retention': 0.5}
    """
    found: dict[str, float] = {}
    for key, value in metrics.items():
        base = name = re.sub(r"[^\w\-./ ]", "_", key, flags=re.ASCII)
        number = 1
        while name in found:
            number += 1
            name = f"{base}_{number}"
        found[name] = value
    return found


def _experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(client.create_experiment(name) if found is None else found.experiment_id)


def _earlier(client: Any, experiment: str, identity: str) -> Any:
    """Return the run of an earlier logging."""
    found = client.search_runs([experiment], filter_string=f"tags.`{_IDENTITY}` = '{identity}'", max_results=1)
    return found[0] if found else None


def _parts(items: Sequence[_Item], size: int) -> Iterator[list[_Item]]:
    rest = iter(items)
    while part := list(islice(rest, size)):
        yield part
