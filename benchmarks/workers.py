"""One process with several threads beside as many Ray workers of one thread each, on the same tracks.

    python benchmarks/workers.py                          # demo-val and the shipped checkpoint, unsync
    python benchmarks/workers.py --checkpoint a.model --data AVA --workers 1 --workers 4 --workers 16

Wall time from the first track to the last, the start of the workers included and that of the cluster not; run it where
nothing else runs. Scores of both must agree within 1e-5 * max(1, |score|).
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import ray
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import asdbench
from asdbench.records.predictions import read_predictions

Result = dict[str, float]


def timed(out: Path, **how: Any) -> float:
    """Return the seconds of a whole run but for its audit and intervals, which no engine has a part in."""
    started = time.perf_counter()
    asdbench.run(out=out, audit="off", resamples="off", progress=False, **how)
    return time.perf_counter() - started


def largest_difference(one: Path, other: Path) -> float:
    """Return by how much scores of two runs differ at most, beside what they are."""
    worst = 0.0
    for file in sorted((one / "predictions").glob("*.parquet")):
        a, b = (read_predictions(folder / "predictions" / file.name).score for folder in (one, other))
        both = np.isfinite(a) & np.isfinite(b)
        worst = max(worst, float(np.max(np.abs(a - b)[both] / np.maximum(1, np.abs(a[both])), initial=0)))
    return worst


@click.command()
@click.option("--checkpoint", default="light-asd.demo", show_default=True)
@click.option("--data", default="demo-val", show_default=True)
@click.option("--suite", default="unsync", show_default=True)
@click.option("--limit", type=int, help="Only the first tracks.")
@click.option("--workers", "counts", multiple=True, type=int, default=(1, 2), show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(checkpoint: str, data: str, suite: str, limit: int | None, counts: Sequence[int], as_json: bool) -> None:
    """Print the table."""
    what: dict[str, Any] = {"checkpoint": checkpoint, "data": data, "suite": suite, "limit": limit}
    result: Result = {}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for count in counts:
            torch.set_num_threads(count)
            alone, spread = work / f"threads{count}", work / f"workers{count}"
            result[f"one process, threads: {count}, s"] = one = timed(alone, **what)
            ray.init(num_cpus=count, include_dashboard=False, log_to_driver=False, configure_logging=False)
            result[f"Ray workers of one thread: {count}, s"] = many = timed(spread, engine="ray", workers=count, **what)
            ray.shutdown()
            result[f"workers over threads: {count}"] = many / one
            result[f"largest difference of a score: {count}"] = largest_difference(alone, spread)
    click.echo(json.dumps(result, indent=2) if as_json else "\n".join(f"{k:<44} {v:.3g}" for k, v in result.items()))


if __name__ == "__main__":
    main()
