"""Train the demo checkpoints from random weights on the demo-train split; see ``--help``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import click


@click.command()
@click.option(
    "--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="demo-train."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Weights, clips and pairs.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for two files.")
@click.option(
    "--val", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Tracks to look at afterwards."
)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="CPU threads.")
def main(data: Path, seed: int, out: Path, val: Path | None, threads: int) -> None:
    """Train Light-ASD on the folder DATA from random weights, once plainly and once with pairs that do not match.

    Writes OUT/plain-SEED.safetensors and OUT/sync-SEED.safetensors. For the second, speaking clips with the voice of
    another clip or with their own sound at another time count as not speaking (cross-modal contrastive training). Both
    share their first phases, in which there are no pairs; network, data, optimiser and steps are the same. The
    same seed and thread count give the same bytes on one machine.

    With --val the last line per network is JSON: what it does there. Run one process with one thread per core.
    """
    import torch

    from asdbench.data import open_dataset
    from tools.train_demo.clips import load_examples
    from tools.train_demo.evaluation import evaluate
    from tools.train_demo.training import RECIPES, Settings, keep_freed_memory, save, train

    keep_freed_memory()
    torch.set_num_threads(threads)
    settings, dataset = Settings(), open_dataset(data)
    examples = load_examples(dataset.tracks)
    click.echo(f"{len(examples)} tracks, {sum(map(len, examples))} frames; {settings}; {RECIPES}")
    looked_at = None if val is None else load_examples(open_dataset(val).tracks)
    for recipe, network in train(examples, RECIPES, settings, seed, click.echo).items():
        path = out / f"{recipe}-{seed}.safetensors"
        about = {"recipe": recipe, "seed": seed, "data": dataset.name, "torch": torch.__version__}
        save(network, path, {f"asdbench.{key}": str(value) for key, value in about.items()})
        click.echo(f"{path}: sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")
        if looked_at is not None:
            click.echo(json.dumps({**about, **evaluate(network, looked_at)}))


if __name__ == "__main__":
    main()
