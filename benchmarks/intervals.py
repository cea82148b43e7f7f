"""How long all intervals of a run take: conditions of a suite on synthetic rows, 1,000 resamples of whole recordings.

    python benchmarks/intervals.py                     # the demo's size, a large suite, and one condition of AVA's size

Each size runs in a process of its own. Seconds do not carry over to other machines; how they grow does.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SIZES = {
    "demo-val, 10 conditions": (5_091, 33, 10),
    "demo-val, 210 conditions": (5_091, 33, 210),
    "AVA": (768_000, 33, 1),
}
"""Rows, sources, conditions."""


def measure(rows: int, sources: int, conditions: int) -> dict[str, Any]:
    """Compute all intervals of the clean rows, then those of so many conditions in which half of the speech changes."""
    from asdbench.analysis.intervals import condition_intervals
    from asdbench.analysis.rows import RunRows
    from asdbench.types import Condition

    clean, changed = example(rows, sources)
    reference = Condition("clean", role="reference")
    others = [Condition(f"mismatch~{i}", "mismatch", 0.5, "negative") for i in range(conditions)]
    run = RunRows({c.name: c for c in [reference, *others]}, lambda name: clean if name == "clean" else changed)
    start, used = time.perf_counter(), time.process_time()
    condition_intervals(run, reference, clean)
    first = time.perf_counter()
    figures = [condition_intervals(run, condition, changed) for condition in others]
    return {
        "clean_s": round(first - start, 2),
        "conditions_s": round(time.perf_counter() - first, 2),
        "cpu_s": round(time.process_time() - used, 2),
        "intervals": sum(len(at) for at in figures[-1]["at"].values()) + len(figures[-1]) - 1,
        "peak_mib": round(
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)
        ),
    }


def example(rows: int, sources: int) -> tuple[Any, Any]:
    """Return clean rows, a third of them positive, and the same rows with the speech of every second run replaced."""
    from asdbench.records.predictions import Predictions

    generator = np.random.default_rng(1)
    source = np.sort(generator.integers(0, sources, rows))
    run = np.arange(rows) // 25
    label = (generator.random(rows // 25 + 1) < 1 / 3).astype(np.int8)[run]
    ids = np.array([f"film {i:03}" for i in range(sources)], dtype=object)[source]
    score = (generator.normal(size=rows) + 2 * label).astype(np.float32)
    clean = Predictions(
        ids, ids, ids, 40 * np.arange(rows), np.where(label, run, -1).astype(np.int32), label, label,
        np.zeros(rows, np.bool_), np.ones(rows, np.bool_), np.full(rows, np.nan, np.float32), score,
        voiced=np.ones(rows, np.int8),
    )  # fmt: skip
    changed = (label == 1) & (run % 2 == 0)
    after = np.where(changed, score - generator.random(rows), score).astype(np.float32)
    return clean, replace(clean, changed=changed, label_after=np.where(changed, 0, label).astype(np.int8), score=after)


@click.command()
@click.option("--one", hidden=True, help="Measure one size here.")
def main(one: str | None) -> None:
    """Print a line per size."""
    if one:
        click.echo(json.dumps(measure(*SIZES[one])))
        return
    for name in SIZES:
        command = [sys.executable, __file__, "--one", name]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        click.echo(f"{name:<26} " + "  ".join(f"{key} {value}" for key, value in found.items()))


if __name__ == "__main__":
    main()
