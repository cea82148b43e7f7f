"""What the perturbed conditions of a suite cost beside the clean pass, with and without reuse of embeddings.

Beside the scores, voice activity, the activity floor, lips and sharpness are measured, as in a run; that counts apart.

    python benchmarks/suite_cost.py                                       # demo-val, random weights
    python benchmarks/suite_cost.py --architecture talknet
    python benchmarks/suite_cost.py --checkpoint a.model --data AVA       # your own

Both ways run in one process on the same tracks, so the ratios do not depend on the machine; the seconds do.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from asdbench.adapters import load_model
from asdbench.adapters.torch_adapter import TorchAdapter
from asdbench.data import dataset_folder, open_dataset
from asdbench.engine.activity import Meter
from asdbench.engine.how import How
from asdbench.engine.timings import Timings
from asdbench.engine.tracks import TrackEvaluator
from asdbench.networks import ARCHITECTURES
from asdbench.perturb import plan
from asdbench.suites import load_suite
from asdbench.types import Dataset, Float32Array, Scorer

Result = dict[str, float]


def measure(
    scorer: Scorer, dataset: Dataset, suite: str, limit: int, reuse: bool = True
) -> tuple[Timings, list[Float32Array]]:
    """Score tracks under a suite; return the seconds by stage and all scores."""
    chosen, how = load_suite(suite), How(reuse=reuse)
    meter = Meter(scorer, chosen.conditions)
    evaluator = TrackEvaluator(scorer, plan(dataset.tracks, chosen), dataset.tracks, "benchmark", meter=meter, how=how)
    results = [evaluator.evaluate(track) for track in dataset.tracks[:limit]]
    return evaluator.timings, [scores for result in results for scores in result.scores.values()]


def suite_cost(model: TorchAdapter, dataset: Dataset, suite: str, limit: int) -> Result:
    """Return what perturbed conditions cost beside the clean one, with embeddings shared and without.

    Tracks are taken where somebody speaks: most conditions change nothing else, and would look cheap.
    """
    dataset = replace(dataset, tracks=sorted(dataset.tracks, key=lambda track: not (track.labels == 1).any()))
    measure(model, dataset, "clean", 1)  # warm up
    reused, scores = measure(model, dataset, suite, limit)
    scratch, wanted = measure(model, dataset, suite, limit, reuse=False)
    model.network.train().eval()  # which takes the faster way away
    plain, _ = measure(model, dataset, "clean", limit)
    worst = max(
        float(np.max(np.abs(a - b) / np.maximum(1, np.abs(b)), initial=0)) for a, b in zip(scores, wanted, strict=True)
    )
    return {
        f"{suite}, perturbed over clean, inference": reused.perturbed / reused.clean,
        f"{suite}, the same, clean with the plain encoder": reused.perturbed / plain.clean,
        f"{suite}, --no-reuse over reuse, inference": (scratch.clean + scratch.perturbed)
        / (reused.clean + reused.perturbed),
        f"{suite}, activity over all stages": reused.activity / sum(asdict(reused).values()),
        f"{suite}, largest difference of a score": worst,
    }


@click.command()
@click.option("--checkpoint", type=click.Path(path_type=Path), help="Weights; random ones without.")
@click.option("--architecture", default="light-asd", show_default=True, help="Of random weights.")
@click.option("--data", default="demo-val", show_default=True, help="Folder in the AVA layout.")
@click.option("--suite", default="unsync", show_default=True)
@click.option("--limit", default=10, show_default=True, help="Tracks to score.")
@click.option("--json", "as_json", is_flag=True)
def main(checkpoint: Path | None, architecture: str, data: str, suite: str, limit: int, as_json: bool) -> None:
    """Print the cost of a suite beside its clean pass."""
    with tempfile.TemporaryDirectory() as folder:
        model: Any = load_model(checkpoint=checkpoint or random_weights(Path(folder), architecture)).scorer
        result = suite_cost(model, open_dataset(dataset_folder(data)), suite, limit)
    click.echo(json.dumps(result, indent=2) if as_json else "\n".join(f"{k:<52} {v:.3g}" for k, v in result.items()))


def random_weights(folder: Path, architecture: str) -> Path:
    """Write the weights of a network that nobody trained; return their file."""
    torch.manual_seed(0)
    file = folder / "random.model"
    torch.save(ARCHITECTURES.load(architecture)().state_dict(), file)
    return file


if __name__ == "__main__":
    main()
