"""How far do scores move with the choice and order of the faces that a model is shown beside the target?

    python tools/measure_context.py DATA --model loconet --checkpoint FILE

The official evaluation draws them at random without a seed, so this is how exactly a published number can be repeated.
Every track is scored once for each choice that the seeds make; one with fewer than two faces beside it has no choice
and counts with a spread of zero. Without a checkpoint the weights are seeded, and the numbers say what the network
can do to scores, not what a trained one does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from asdbench.adapters import MODELS, load_model
from asdbench.data import open_dataset
from asdbench.data.context import ContextFinder
from asdbench.errors import UndefinedMetricError
from asdbench.metrics.average_precision import average_precision
from asdbench.types import Track


def seeded_model(name: str) -> Any:
    """Return a model whose weights are made from their names, as those of the parity fixtures."""
    from asdbench.networks import ARCHITECTURES
    from asdbench.networks.seeded import seeded_state

    adapter = MODELS.load(name)
    network = ARCHITECTURES.load(adapter.architecture)()
    network.load_state_dict(seeded_state(network, "model.module."))
    return adapter(network)


def spreads(scorer: Any, finders: list[ContextFinder], track: Track, frames: int | None) -> NDArray[np.float32]:
    """Score the start of one track under every seed: ``[seeds, T]`` log-odds. Equal choices are scored once."""
    length = min(len(track), frames or len(track))
    faces = finders[0].faces(track)[:length]
    audio = track.media.audio()[: round(length * 16_000 / track.fps)]
    done: dict[tuple[str, ...], NDArray[np.float32]] = {}
    rows = []
    for finder in finders:
        key = tuple(other.entity_id for other in finder.neighbours(track))
        if key not in done:
            context = [list(other)[:length] for other in finder.context(track)]
            done[key] = scorer.score_track(audio, faces, track.fps, context)
        rows.append(done[key])
    return np.stack(rows)


def chosen(tracks: tuple[Track, ...], finder: ContextFinder, limit: int | None) -> Iterator[Track]:
    """Yield the tracks that count, those with a choice first where not all are wanted."""
    order = sorted(tracks, key=lambda track: len(finder.neighbours(track)) < 2) if limit else tracks
    yield from order[:limit]


def average_precisions(labels: NDArray[np.int8], scores: NDArray[np.float32]) -> str:
    """Describe the AP of each seed, where it is defined."""
    try:
        values = [100 * average_precision(labels, row) for row in scores]
    except UndefinedMetricError as error:
        return f"undefined ({error})"
    return f"{min(values):.3f} to {max(values):.3f}, mean {np.mean(values):.3f}"


@click.command(help=__doc__)
@click.argument("data")
@click.option("--model", default="loconet", show_default=True)
@click.option("--checkpoint", type=click.Path(path_type=Path))
@click.option("--seeds", default=8, show_default=True, help="How many seeds.")
@click.option("--tracks", type=int, help="Only so many tracks, those with a choice first.")
@click.option("--frames", type=int, help="Only so many frames of each track.")
@click.option("--device", default="cpu", show_default=True)
def main(
    data: str, model: str, checkpoint: Path | None, seeds: int, tracks: int | None, frames: int | None, device: str
) -> None:
    """Measure, and print what was found."""
    scorer = load_model(model, checkpoint, device).scorer if checkpoint else seeded_model(model)
    dataset = open_dataset(data)
    finders = [ContextFinder(dataset.tracks, scorer.needs.context_speakers, seed) for seed in range(seeds)]
    scores, labels, free = [], [], 0
    for track in chosen(dataset.tracks, finders[0], tracks):
        scores.append(spreads(scorer, finders, track, frames))
        labels.append(track.labels[: scores[-1].shape[1]])
        free += len(finders[0].neighbours(track)) > 1
    together = np.concatenate(scores, axis=1)
    probability = 1 / (1 + np.exp(-together.astype(np.float64)))
    print(f"{len(scores)} tracks, {together.shape[1]} frames, {seeds} seeds; {free} tracks leave a choice")
    for name, values in (("log-odds", together), ("probability", probability)):
        spread = values.max(axis=0) - values.min(axis=0)
        print(f"{name}: range over seeds, mean {spread.mean():.4f}, largest {spread.max():.4f}")
    print(f"AP over seeds: {average_precisions(np.concatenate(labels), together)}")


if __name__ == "__main__":
    main()
