"""Measure the contrast between plainly and contrastively trained checkpoints as docs/demo_data.md states it.

Needs asdbench itself, and the files that ``python -m tools.train_demo --seed N`` wrote for each seed:

    python -m tools.measure_contrast build/checkpoints
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np

import asdbench
from asdbench.metrics import retention
from asdbench.report.run import Run
from tools.intervals import mean_and_interval

RECIPES = ("plain", "sync")
LONG_SHIFT_MS = 400


def figures(run: Run) -> dict[str, float]:
    """Return what is compared of one run; rates at the threshold of ``tpr:0.9``."""
    table = run.table.set_index("condition")
    dubbed = {"dubbed frames called speaking": table.loc["dubbed", "fa_changed"]} if "dubbed" in table.index else {}
    return {
        "clean AP": table.loc["clean", "ava"],
        "retention, mismatch@1.00": table.loc["mismatch@1.00", "retention"],
        "retention, misalign@1.00": table.loc["misalign@1.00", "retention"],
        f"retention, shifts >= {LONG_SHIFT_MS} ms": _retention_of_long_shifts(run),
        "sync_auroc, mismatch@1.00": table.loc["mismatch@1.00", "sync_auroc"],
        "sync_auroc, misalign@1.00": table.loc["misalign@1.00", "sync_auroc"],
        **dubbed,
    }


def _retention_of_long_shifts(run: Run) -> float:
    clean, rows = run.read("clean"), run.read("misalign@1.00")
    mask = rows.paired & (np.abs(rows.shift_ms) >= LONG_SHIFT_MS)
    return retention(clean.score[mask], rows.score[mask], run.metrics["thresholds"]["tpr:0.9"])


def table(results: Mapping[str, list[dict[str, float]]]) -> str:
    """Return the figures in Markdown: mean and 95 % interval over the seeds, and of the difference of each pair."""
    plain, sync = (results[recipe] for recipe in RECIPES)
    lines = [f"| {len(plain)} training seeds | plain | sync | plain - sync |", "|---|---:|---:|---:|"]
    for name in plain[0]:
        columns = [np.array([result[name] for result in side]) for side in (plain, sync)]
        cells = (mean_and_interval(values) for values in (*columns, columns[0] - columns[1]))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


@click.command()
@click.argument("checkpoints", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--data", default="demo-val", show_default=True, help="Folder, or the shipped demo data.")
@click.option("--runs", type=click.Path(path_type=Path), help="Keep the run folders here; a finished one is read.")
def main(checkpoints: Path, data: str, runs: Path | None) -> None:
    """Run the suite unsync with each pair plain-N, sync-N in CHECKPOINTS, and print the table."""
    seeds = sorted({int(path.stem.partition("-")[2]) for path in checkpoints.glob("sync-*.safetensors")})
    with tempfile.TemporaryDirectory() as work:
        results = {
            recipe: [
                figures(asdbench.run("auto", "unsync", data, checkpoint=path, out=(runs or Path(work)) / path.stem))
                for path in (checkpoints / f"{recipe}-{seed}.safetensors" for seed in seeds)
            ]
            for recipe in RECIPES
        }
    click.echo(table(results))


if __name__ == "__main__":
    main()
