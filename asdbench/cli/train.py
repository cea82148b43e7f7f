"""``asdbench train``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from asdbench.cli.output import echo_json, json_option, note


def _files(_context: click.Context, _parameter: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if strays := [prefix for prefix, sign, path in pairs if not (sign and path)]:
        raise click.BadParameter(f"expected PREFIX=FILE, got {strays[0]!r}.")
    return {prefix: path for prefix, _, path in pairs}


def _options(_context: click.Context, _parameter: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if strays := [name for name, sign, _ in pairs if not sign]:
        raise click.BadParameter(f"expected NAME=VALUE, got {strays[0]!r}.")
    return {name: value for name, _, value in pairs}


@click.command(epilog="Example: asdbench train sync-talknet.demo --data demo-train --val demo-val --seed 2")
@click.argument("recipe", metavar="RECIPE")
@click.option(
    "--data",
    default="demo-train",
    show_default=True,
    metavar="FOLDER|NAME",
    help="Data set, or the shipped demo-train.",
)
@click.option("--format", default="auto", show_default=True, metavar="NAME", help="Its format (asdbench ls data).")
@click.option(
    "--data-option", "data_options", multiple=True, callback=_options, metavar="NAME=VALUE",
    help="Choice that the format offers (docs/data_formats.md); may be given several times.",
)  # fmt: skip
@click.option("--split", default="train", show_default=True, metavar="NAME", help="Part of it.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Of weights, batches, changes.")
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE",
    help="Another value than the recipe's, such as optimizer.rate=1e-4; may be given several times.",
)  # fmt: skip
@click.option(
    "--init", multiple=True, callback=_files, metavar="PREFIX=FILE",
    help="Weights to begin with, for keys with this prefix: audio_encoder.=whisper.safetensors; several times.",
)  # fmt: skip
@click.option("--val", metavar="FOLDER|NAME", help="Measure the weights of each epoch on this data set.")
@click.option("--val-split", default="val", show_default=True, metavar="NAME", help="Part of that.")
@click.option("--suite", default="clean", show_default=True, metavar="NAME|FILE", help="What they are measured with.")
@click.option("--device", default="auto", show_default=True, metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps.")
@click.option("--devices", type=click.IntRange(min=1), default=1, show_default=True, help="How many, in parallel.")
@click.option("--workers", type=click.IntRange(min=0), default=0, show_default=True, help="Processes that load clips.")
@click.option("--threads", type=click.IntRange(min=1), help="CPU threads.  [default: torch's own number]")
@click.option("--out", type=click.Path(path_type=Path), metavar="FOLDER", help="Training folder.  [default: derived]")
@click.option(
    "--root", type=click.Path(path_type=Path), default=Path("trained"), show_default=True, metavar="FOLDER",
    help="Where derived training folders lie.",
)  # fmt: skip
@click.option("--quiet", is_flag=True, help="No progress bar, no notes.")
@json_option
def command(recipe: str, quiet: bool, as_json: bool, **flags: Any) -> None:
    """Train RECIPE (asdbench ls recipes, or a TOML file) and write its weights.

    Recipes that it starts from are trained first, with the same seed. The same command continues a training that was
    killed, to the same weights, and does nothing where it is finished.
    """
    from asdbench.api import train

    trained = train(recipe, progress=False if quiet else None, notify=(lambda _: None) if quiet else note, **flags)
    if as_json:
        echo_json({"folder": str(trained.folder), "checkpoint": str(trained.checkpoint), **trained.record})
        return
    losses = [row["loss"] for row in trained.log[-100:]]
    ended = f", mean loss of the last {len(losses)} batches {sum(losses) / len(losses):.4f}" if losses else ""
    state = "finished before" if trained.reused else f"trained in {trained.seconds:.0f} s"
    click.echo(f"{trained.record['recipe']['name']}, seed {flags['seed']}: {state}{ended}")
    click.echo(f"checkpoint: {trained.checkpoint}")
    click.echo(f"measure it: asdbench run --suite unsync --checkpoint {trained.checkpoint} --data demo-val")
