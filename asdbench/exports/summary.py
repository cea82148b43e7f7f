"""What an experiment logger is told of a finished run. No paths, and nothing of the media: loggers may be public."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asdbench.exports.figures import headline_figures
from asdbench.report.run import Run

_FILES = ("report.html", "report.md", "metrics.json")
_FOLDERS = ("tables", "plots")


@dataclass(frozen=True)
class Summary:
    """A run for a logger.

    Attributes:
        folder: The run folder.
        name: What to call it.
        identity: SHA-256 that tells it from other runs; a run that is logged twice is one run in the logger.
        parameters: What was run, as text.
        metrics: ``condition/figure`` to its value; a figure with an interval is followed by ``_low`` and ``_high``.
        tags: Hashes and versions, as text.
        note: The conclusion in words.
        artifacts: Files and folders within ``folder`` for people; ``metrics.json`` holds every number.
    """

    folder: Path
    name: str
    identity: str
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    note: str
    artifacts: tuple[Path, ...]


def summarise(run: Run) -> Summary:
    """Return what a logger is told of a run."""
    record = run.record
    suite, data = record["suite"], record["data"]
    return Summary(
        folder=run.path,
        name=f"{run.model} {suite['name']}@{suite['version']} {data['name']}",
        identity=str(record["fingerprint"]),
        parameters=_parameters(run),
        metrics=_metrics(run),
        tags=_tags(record),
        note=run.conclusion,
        artifacts=tuple(path for name in (*_FILES, *_FOLDERS) if (path := run.path / name).exists()),
    )


def _metrics(run: Run) -> dict[str, float]:
    found: dict[str, float] = {}
    for each in headline_figures(run):
        name = f"{each.condition}/{each.figure}"
        ends = {name: each.value, f"{name}_low": each.low, f"{name}_high": each.high}
        found |= {key: value for key, value in ends.items() if value is not None}
    return found


def _parameters(run: Run) -> dict[str, str]:
    record, units = run.record, run.metrics.get("units") or {}
    model, suite = record["identity"]["model"], record["suite"]
    values = {
        "model": run.model,
        "adapter": model.get("adapter"),
        "options": ", ".join(f"{key}={value}" for key, value in sorted((model.get("options") or {}).items())),
        "trained_on": record["model"].get("trained_on"),
        "parameters": record["model"].get("parameters"),
        "dtype": model.get("dtype"),
        "device": model.get("device"),
        "data": record["data"]["name"],
        "format": record["data"]["format"],
        "protocol": record["data"]["protocol"],
        "suite": f"{suite['name']}@{suite['version']}",
        "seed": suite["seed"],
        "limit": record["identity"].get("limit"),
        "tracks": run.metrics["tracks"],
        "skipped_tracks": run.metrics["skipped_tracks"],
        "headline_threshold": run.metrics["headline"],
        "resamples": units.get("resamples"),
    }
    return {key: str(value) for key, value in values.items() if value not in (None, "")}


def _tags(record: Mapping[str, Any]) -> dict[str, str]:
    identity = record["identity"]
    values = {
        "fingerprint": record["fingerprint"],
        "checkpoint_sha256": identity["model"].get("checkpoint_sha256"),
        "model_fingerprint": identity["model"].get("fingerprint"),
        "data_fingerprint": identity["data"].get("fingerprint"),
        "media_digest": record["data"].get("media_digest"),
        "suite_sha256": identity["suite"]["sha256"],
        "plan_sha256": identity["plan_sha256"],
        "custom": record["custom"],
        "asdbench_version": record["versions"]["asdbench"],
        "torch_version": record["versions"]["torch"],
        "git_commit": (record.get("git") or {}).get("commit"),
    }
    return {key: str(value) for key, value in values.items() if value not in (None, "")}
