"""Run folders and entries made by hand: whole runs of a shipped suite, as far as an entry looks at them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from asdbench.analysis.rows import RunRows
from asdbench.leaderboard.entry import Entry
from asdbench.leaderboard.submit import entry_of
from asdbench.records.folder import RunFolder, fingerprint
from asdbench.records.predictions import Predictions, predictions_path, write_predictions
from asdbench.report.run import Run, open_run
from asdbench.suites import load_suite
from tests.analysis.test_comparison import CLEAN, MISMATCH, scored

MISALIGN = replace(MISMATCH, name="misalign@1.00", perturbation="misalign")
KEPT = {each.name: each for each in (CLEAN, MISMATCH, MISALIGN)}
SUITE = load_suite("unsync@1")


def record_of(model: str, **changes: Any) -> dict[str, Any]:
    """What ``run.json`` says; ``changes`` replace parts by dotted names (``identity__limit=3``)."""
    sha = fingerprint({"weights": model})
    record: dict[str, Any] = {
        "state": "complete",
        "identity": {"model": {"dtype": "float32"}, "data": {}, "plan_sha256": "5" * 64, "limit": None},
        "config": {
            "suite": {"value": "unsync", "source": "flag"},
            "checkpoint": {"value": f"/home/anna/{model}.pt", "source": "flag"},
            "data": {"value": "/data/anna/films", "source": "flag"},
            "split": {"value": "val", "source": "default"},
            "device": {"value": "cpu", "source": "flag"},
            "option": {"value": [], "source": "default"},
            "resamples": {"value": 1000, "source": "default"},
        },
        "custom": False,
        "model": {
            "name": f"light-asd.{model}", "adapter": "light-asd", "adapter_version": 1, "checkpoint_sha256": sha,
            "fingerprint": None, "dtype": "float32", "checkpoint": f"/home/anna/{model}.pt", "parameters": 1_021_636,
            "trained_on": None,
        },
        "data": {
            "name": "films", "format": "ava", "notes": ["made up"], "fingerprint": "d" * 64, "protocol": "ava",
            "media_digest": "e" * 32,
        },
        "suite": {
            "name": "unsync", "version": 1, "sha256": SUITE.sha256, "seed": SUITE.seed,
            "conditions": [
                {key: getattr(each, key) for key in ("name", "perturbation", "proportion", "labels", "role")}
                for each in KEPT.values()
            ],
        },
        "plan": {"sha256": "5" * 64, "conditions": {}},
        "counts": {"tracks": 25, "skipped_tracks": 0, "incomplete_tracks": 0},
        "device": {"kind": "cpu"},
        "versions": {"asdbench": "0.1.0", "torch": "2"},
        "git": {"commit": "c" * 40, "modified": False},
        "audit": {"cue_flagged": []},
    }  # fmt: skip
    for name, value in changes.items():
        part = record
        *path, last = name.split("__")
        for key in path:
            part = part[key]
        part[last] = value
    record["fingerprint"] = fingerprint({key: record[key] for key in ("model", "data", "suite", "plan")})
    return record


def made_run(path: Path, model: str, rows: RunRows | None = None, resamples: int = 1000, **changes: Any) -> Run:
    """A run folder of given rows."""
    record = record_of(model, **changes)
    held = scored(0.9) if rows is None else rows

    def read(name: str) -> Predictions:
        return held.read(MISMATCH.name if name == MISALIGN.name else name)

    rows = replace(held, conditions=KEPT, read=read)
    path.mkdir(parents=True)
    for name in KEPT:
        write_predictions(predictions_path(path, name), rows.read(name))
    RunFolder(path).write_record(record)
    metrics = Run(path, record, {}).recomputed(resamples).metrics
    (path / "metrics.json").write_text(json.dumps(metrics))
    return open_run(path)


def made_entry(path: Path, model: str, rows: RunRows | None = None, **changes: Any) -> Entry:
    return entry_of(made_run(path, model, rows, **changes))


def models(folder: Path, more: Mapping[str, RunRows] | None = None) -> dict[str, Entry]:
    """A model that notices little, one that notices much but is worse on clean data, and a copy of the first."""
    rows = {"plain": scored(0.9, 2.5), "sync": scored(0.1, 1.0, seed=2), "twin": scored(0.9, 2.5), **(more or {})}
    return {name: made_entry(folder / name, name, each) for name, each in rows.items()}
