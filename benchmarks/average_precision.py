"""From two AVA csv files to the official AP, and from arrays to 1,000 resampled APs, against a plain baseline.

    python benchmarks/average_precision.py --data FOLDER       # groundtruth.csv and predictions.csv, official layout

The baseline is what a careful user writes: pandas reads and merges, numpy sorts and counts, and only the two loops over
rows that the official scorer has are Python. "baseline files" joins as the official rules say, on the text of the time
and the entity; "column baseline files" joins on the columns, which is cheaper and another rule: equal times match
however they were written. Both sides run in processes of their own, by turns; the best of several
times counts, so that other work on the machine disturbs least. The ratios carry over to other machines, the seconds do
not.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

NAMES = ["video", "time", "x1", "y1", "x2", "y2", "label", "entity"]


def baseline_files(folder: Path) -> float:
    """Score two files by the official rules: text keys as there, built and joined by pandas without loops."""
    return _baseline(folder, ["key"])


def column_baseline_files(folder: Path) -> float:
    """Score two files with a cheaper join than the official rules have: on the columns, times as numbers."""
    return _baseline(folder, ["time", "entity"])


def _baseline(folder: Path, on: list[str]) -> float:
    import pandas as pd

    truth = pd.read_csv(folder / "groundtruth.csv", header=None, names=NAMES)
    found = pd.read_csv(folder / "predictions.csv", header=None, names=[*NAMES, "score"])
    if on == ["key"]:
        for table in (truth, found):
            table["key"] = table["time"].astype(str) + ":" + table["entity"]
    if len(truth) != len(found):
        raise ValueError("row counts differ")
    if found["label"].nunique() != 1 or found["score"].isna().any():
        raise ValueError("labels or scores are not as the official scorer wants them")
    rows = truth.merge(found, on=on, how="inner", validate="1:1", suffixes=("", "_found"))
    for corner in ("x1", "y1", "x2", "y2"):
        if not np.isclose(rows[corner], rows[f"{corner}_found"], rtol=0, atol=1e-9).all():
            raise ValueError("boxes differ")
    return baseline_arrays((rows["label"] == "SPEAKING_AUDIBLE").to_numpy(), rows["score"].to_numpy())


def baseline_arrays(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Apply the official rule: counts and area in numpy, its two loops over rows (check, envelope) in Python."""
    hits = np.cumsum(positive[np.argsort(-scores)])
    precision = hits / np.arange(1, len(hits) + 1)
    recall = hits / hits[-1]
    if any(recall[row] > recall[row + 1] for row in range(len(recall) - 1)):
        raise ValueError("recall falls")
    along, height = np.concatenate([[0], recall, [1]]), np.concatenate([[0], precision, [0]])
    for row in range(len(height) - 1, 0, -1):
        height[row - 1] = np.maximum(height[row - 1], height[row])
    steps = np.flatnonzero(np.diff(along))
    return float(np.sum(np.diff(along)[steps] * height[steps + 1]))


def ours_files(folder: Path) -> float:
    """Score two files with asdbench: keys checked, both rules, tie bounds."""
    from asdbench.protocols.ava_files import read_labels, read_predictions
    from asdbench.protocols.ava_rows import join_rows
    from asdbench.protocols.frame_ap import frame_ap

    rows = join_rows(read_labels(folder / "groundtruth.csv"), read_predictions(folder / "predictions.csv"))
    return frame_ap(rows.positive, rows.score).ava


def ours_arrays(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Score arrays with asdbench: both rules, tie bounds, tied share."""
    from asdbench.protocols.frame_ap import frame_ap

    return frame_ap(positive, scores).ava


def ours_bootstrap(folder: Path) -> dict[str, Any]:
    """Resample the videos 1,000 times, both APs at once."""
    from asdbench.metrics.bootstrap import resampling_of
    from asdbench.metrics.intervals import interval
    from asdbench.metrics.passes import PrecisionPass
    from asdbench.metrics.resampled import evaluate
    from asdbench.metrics.units import Units
    from asdbench.metrics.weighted import RankedRows
    from asdbench.protocols.ava_files import read_labels, read_predictions
    from asdbench.protocols.ava_rows import join_rows

    rows = join_rows(read_labels(folder / "groundtruth.csv"), read_predictions(folder / "predictions.csv"))
    start, used = time.perf_counter(), time.process_time()
    units = Units("source", rows.truth.videos, rows.truth.video)
    ranked = RankedRows(rows.positive, rows.score, units.of_row, units.count)
    precision = PrecisionPass(ranked)
    found = interval(evaluate(lambda weights, _: precision.values(weights), resampling_of(units))["ava"])
    seconds, busy = time.perf_counter() - start, time.process_time() - used
    return {"seconds": seconds, "cpu_seconds": busy, "value": found.estimate, "low": found.low, "high": found.high}


def arrays_of(folder: Path) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return labels and scores of the files."""
    from asdbench.protocols.ava_files import read_labels, read_predictions
    from asdbench.protocols.ava_rows import join_rows

    rows = join_rows(read_labels(folder / "groundtruth.csv"), read_predictions(folder / "predictions.csv"))
    return rows.positive, rows.score


def task(name: str, folder: Path, repeats: int) -> dict[str, Any]:
    """Run one task in this process; return best seconds, value and peak memory."""
    import pandas as pd  # noqa: F401  imports are nobody's merit
    import pyarrow.csv  # noqa: F401

    if name == "bootstrap":
        result = ours_bootstrap(folder)
    else:
        functions: dict[str, Callable[..., float]] = {
            "baseline files": baseline_files,
            "column baseline files": column_baseline_files,
            "asdbench files": ours_files,
            "baseline arrays": baseline_arrays,
            "asdbench arrays": ours_arrays,
        }
        given: tuple[Any, ...] = (folder,) if name.endswith("files") else arrays_of(folder)
        times, busy, value = [], [], 0.0
        for _ in range(repeats):
            start, used = time.perf_counter(), time.process_time()
            value = functions[name](*given)
            times.append(time.perf_counter() - start)
            busy.append(time.process_time() - used)
        result = {"seconds": min(times), "cpu_seconds": min(busy), "value": value}
    scale = 1 if sys.platform == "darwin" else 1024
    return result | {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 2**20}


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True, help="Folder with the two files.")
@click.option("--rounds", default=3, show_default=True, help="Processes per task, by turns.")
@click.option("--repeats", default=2, show_default=True, help="Times in each process.")
@click.option("--one", hidden=True, help="Run one task here.")
def main(data: Path, rounds: int, repeats: int, one: str | None) -> None:
    """Print the ratios."""
    if one:
        click.echo(json.dumps(task(one, data, repeats)))
        return
    names = ["baseline files", "column baseline files", "asdbench files", "baseline arrays", "asdbench arrays"]
    best: dict[str, dict[str, float]] = {}
    for name in [*names * rounds, "bootstrap"]:
        command = [sys.executable, __file__, "--data", str(data), "--repeats", str(repeats), "--one", name]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        if name not in best or found["seconds"] < best[name]["seconds"]:
            best[name] = found
    for name, found in best.items():
        click.echo(f"{name:<22} " + "  ".join(f"{key} {value:.13g}" for key, value in found.items()))
    for slower in ("baseline files", "column baseline files", "baseline arrays"):
        slow, fast = best[slower], best[f"asdbench {slower.split()[-1]}"]
        click.echo(
            f"against {slower}: {slow['seconds'] / fast['seconds']:.1f} times as fast, "
            f"peak memory {fast['peak_mib'] / slow['peak_mib']:.2f}, AP off by {abs(slow['value'] - fast['value']):.0e}"
        )


if __name__ == "__main__":
    main()
