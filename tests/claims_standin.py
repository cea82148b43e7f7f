"""Stand-ins for training and measuring, quick and honest about what was done: they log every call to a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from asdbench.checkpoints.files import sha256_of
from asdbench.errors import TrainingError
from asdbench.jobs.training import Trained, TrainingFolder
from asdbench.records.folder import RunFolder
from asdbench.report.run import Run, open_run

RETENTION = {"plain": 0.9, "other": 0.4}


def asked(folder: Path, what: str, name: str) -> bool:
    """Whether a test asked for something to go wrong, once: its file is taken away."""
    try:
        (folder / f"{what} {name}").unlink()
    except FileNotFoundError:
        return False
    return True


def log(folder: Path, *words: object) -> None:
    with (folder / "calls.txt").open("a", encoding="utf-8") as file:
        file.write(" ".join(map(str, words)) + "\n")


def train(recipe: str, data: str, *, seed: int, root: Path, **_: Any) -> Trained:
    name = f"{Path(recipe).stem}-seed{seed}"
    folder = TrainingFolder(root / name)
    if folder.record_file.is_file():
        return Trained(folder.path, folder.read_record(), reused=True)
    log(root.parent, "train", name)
    if asked(root.parent, "fail", name):
        raise TrainingError("the loss is no number any more.")
    folder.path.mkdir(parents=True, exist_ok=True)
    weights = folder.path / "checkpoint.safetensors"
    weights.write_text(f"{name}", encoding="utf-8")
    record = {"state": "complete", "seconds": 10.0 * seed, "batches": 0, "threads": 1,
              "checkpoint_sha256": sha256_of(weights)}  # fmt: skip
    folder.write_record(record)
    return Trained(folder.path, folder.read_record())


def run(model: str, suite: str, data: str, *, checkpoint: Path, out: Path, **_: Any) -> Run:
    folder = RunFolder(out)
    grid = out.parent.parent
    if (out / "metrics.json").is_file():
        return open_run(out)
    log(grid, "run", out.name.rpartition("-")[0])
    out.mkdir(parents=True, exist_ok=True)
    recipe, _, seed = out.name.rpartition("-")[0].rpartition("-seed")
    at = {"tpr:0.9": {"retention": RETENTION[recipe] + 0.01 * int(seed)}}
    conditions = [{"name": "clean", "metrics": {"ava": 0.9, "at": {"tpr:0.9": {}}}},
                  {"name": "mismatch@1.00", "metrics": {"ava": 0.5, "at": at}}]  # fmt: skip
    listed = [{"name": each["name"], "perturbation": None} for each in conditions]
    record = {"state": "complete", "model": {"name": recipe, "checkpoint_sha256": sha256_of(checkpoint)},
              "suite": {"conditions": listed}, "timings": {"wall_seconds": 3.0}}  # fmt: skip
    (out / "metrics.json").write_text(json.dumps({"conditions": conditions, "thresholds": {}}), encoding="utf-8")
    folder.write_record(record)
    return open_run(out)
