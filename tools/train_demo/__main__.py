"""Train a demo checkpoint from random weights on the demo-train split; see ``--help``."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import click


@click.command()
@click.option(
    "--data", required=True, type=click.Path(exists=True, file_okay=False, path_type=Path), help="demo-train."
)
@click.option(
    "--recipe", required=True, type=click.Choice(["plain", "sync"]), help="light-asd.demo or light-asd.demo-sync."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Weights, clips and pairs.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="A .safetensors file.")
@click.option(
    "--val", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Tracks to look at afterwards."
)
@click.option("--steps", type=click.IntRange(min=1), help="Batches.  [default: 750]")
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="CPU threads.")
def main(data: Path, recipe: str, seed: int, out: Path, val: Path | None, steps: int | None, threads: int) -> None:
    """Train Light-ASD from random weights on the folder DATA and write its weights to OUT.

    plain: Light-ASD's own loss. sync: the same, and speaking clips with the voice of another clip or with their own
    sound at another time count as not speaking (cross-modal contrastive training). Network, clips, augmentation,
    optimiser and number of steps are the same. The same seed and thread count give the same bytes on one machine.

    With --val the last line is JSON: what the network does on these tracks. Run one process with one thread per core.
    """
    import torch

    from asdbench.data import open_dataset
    from tools.train_demo.clips import load_examples
    from tools.train_demo.evaluation import evaluate
    from tools.train_demo.training import RECIPES, Settings, Trainer, keep_freed_memory, save

    keep_freed_memory()
    torch.set_num_threads(threads)
    settings = Settings() if steps is None else replace(Settings(), steps=steps)
    dataset = open_dataset(data)
    examples = load_examples(dataset.tracks)
    click.echo(f"{len(examples)} tracks, {sum(map(len, examples))} frames; {settings}; {RECIPES[recipe]}")
    network = Trainer(examples, RECIPES[recipe], settings, seed).run(click.echo)
    about = {"recipe": recipe, "seed": seed, "steps": settings.steps, "data": dataset.name, "torch": torch.__version__}
    save(network, out, {f"asdbench.{key}": str(value) for key, value in about.items()})
    click.echo(f"{out}: sha256 {hashlib.sha256(out.read_bytes()).hexdigest()}")
    if val is not None:
        click.echo(json.dumps({**about, **evaluate(network, load_examples(open_dataset(val).tracks))}))


if __name__ == "__main__":
    main()
