"""What the perturbed conditions of a suite cost beside the clean pass, with and without reuse of embeddings.

Beside the scores, voice activity, the activity floor, lips and sharpness are measured, as in a run; that counts apart.

    python benchmarks/suite_cost.py                                       # generated data, random weights
    python benchmarks/suite_cost.py --checkpoint a.model --data AVA       # your own

Both ways run in one process on the same tracks, so the ratios do not depend on the machine; the seconds do.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
import torch

from asdbench.adapters import load_model
from asdbench.adapters.base import Adapter
from asdbench.adapters.torch_adapter import TorchAdapter
from asdbench.data import open_dataset
from asdbench.engine.activity import Meter
from asdbench.engine.timings import Timings
from asdbench.engine.tracks import TrackEvaluator
from asdbench.networks import ARCHITECTURES
from asdbench.perturb import plan
from asdbench.suites import load_suite
from asdbench.types import Dataset, Float32Array, Int16Array, Scorer, UInt8Array

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.make_fixture import write_fixture


class FromScratch:
    """Hides that a model can be split, so that every condition pays the full price."""

    name, version = "from-scratch", 1

    def __init__(self, model: Adapter) -> None:
        self._model = model

    def score_track(self, audio: Int16Array, faces: Sequence[UInt8Array], fps: float) -> Float32Array:
        """Score a track in one call."""
        return self._model.score_track(audio, faces, fps)


def measure(scorer: Scorer, dataset: Dataset, suite: str, limit: int) -> tuple[Timings, list[Float32Array]]:
    """Score tracks under a suite; return the seconds by stage and all scores."""
    chosen = load_suite(suite)
    meter = Meter(scorer, chosen.conditions) if isinstance(scorer, Adapter) else None
    evaluator = TrackEvaluator(scorer, plan(dataset.tracks, chosen), dataset.tracks, "benchmark", meter=meter)
    results = [evaluator.evaluate(track) for track in dataset.tracks[:limit]]
    return evaluator.timings, [scores for result in results for scores in result.scores.values()]


@click.command()
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Weights; random Light-ASD without.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder in the AVA layout; generated without.")
@click.option("--suite", default="unsync", show_default=True)
@click.option("--limit", default=10, show_default=True, help="Tracks to score.")
@click.option("--json", "as_json", is_flag=True)
def main(checkpoint: Path | None, data: Path | None, suite: str, limit: int, as_json: bool) -> None:
    """Print the cost of a suite beside its clean pass."""
    with tempfile.TemporaryDirectory() as folder:
        if checkpoint is None:
            torch.manual_seed(0)
            checkpoint = Path(folder) / "random.model"
            torch.save(ARCHITECTURES.load("light-asd")().state_dict(), checkpoint)
        dataset = open_dataset(data or write_fixture(Path(folder) / "data"))
        model = load_model(checkpoint=checkpoint).scorer
        measure(model, dataset, "clean", 1)  # warm up
        reused, scores = measure(model, dataset, suite, limit)
        scratch, wanted = measure(FromScratch(model), dataset, suite, limit)
        if isinstance(model, TorchAdapter):
            model.network.train().eval()  # which takes the faster way away
        plain, _ = measure(model, dataset, "clean", limit)
    difference = max(float(np.abs(a - b).max()) for a, b in zip(scores, wanted, strict=True))
    result = {
        "perturbed over clean, inference": reused.perturbed / reused.clean,
        "the same, clean with the plain encoder": reused.perturbed / plain.clean,
        "perturbed over clean, from scratch": scratch.perturbed / scratch.clean,
        "inference from scratch over reuse": (scratch.clean + scratch.perturbed) / (reused.clean + reused.perturbed),
        "activity over all stages": reused.activity / sum(asdict(reused).values()),
        "largest difference of a score": difference,
        "seconds with reuse": asdict(reused),
        "seconds from scratch": asdict(scratch),
        "seconds of the plain clean pass": plain.clean,
    }
    if as_json:
        click.echo(json.dumps(result, indent=2))
        return
    for name, value in result.items():
        text = value if isinstance(value, dict) else f"{value:.3g}"
        click.echo(f"{name:<40} {text}")


if __name__ == "__main__":
    main()
