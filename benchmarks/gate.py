"""How long a gate of 20 rules takes on rows of AVA's size, once they are read.

    python benchmarks/gate.py

Seconds do not carry over to other machines; how they grow does.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from asdbench.analysis.rows import RunRows
from asdbench.gate.judge import judge
from asdbench.records.predictions import Predictions
from benchmarks.intervals import example
from tools.gate_power import CONDITIONS, rules_with


def run_of(clean: Predictions, changed: Predictions, seed: int) -> RunRows:
    """Return the rows of a run that differs from others by noise, in five conditions."""
    noise = np.random.default_rng(seed).normal(0, 0.05, len(clean)).astype(np.float32)
    known = {}
    for name, condition in CONDITIONS.items():
        rows = clean if condition.perturbation is None else changed
        after = clean.label if condition.labels == "keep" else rows.label_after
        known[name] = replace(rows, label_after=after, score=rows.score + noise)
    return RunRows(CONDITIONS, known.__getitem__)


@click.command()
@click.option("--rows", default=768_000, show_default=True)
@click.option("--sources", default=33, show_default=True)
def main(rows: int, sources: int) -> None:
    """Print the time of a gate and its memory."""
    clean, changed = example(rows, sources)
    old, new = (run_of(clean, changed, seed) for seed in (1, 2))
    start, used = time.perf_counter(), time.process_time()
    rulings, tested = judge(old, new, rules_with(0))
    found = {
        "rules": len(rulings),
        "tested": tested,
        "wall_s": round(time.perf_counter() - start, 2),
        "cpu_s": round(time.process_time() - used, 2),
        "peak_mib": round(
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)
        ),
    }
    click.echo(json.dumps(found))


if __name__ == "__main__":
    main()
