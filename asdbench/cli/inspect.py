"""``asdbench inspect``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.output import echo_json, json_option


@click.command(epilog="Example: asdbench inspect pretrain_AVA_CVPR.model")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def command(file: Path, as_json: bool) -> None:
    """Say what the checkpoint FILE is: architecture, parameters, known weights, training data. Runs no code from it."""
    from asdbench.checkpoints.identify import identify

    info = identify(file)
    facts = {
        "file": str(info.path),
        "sha256": info.sha256,
        "architecture": info.architecture,
        "parameters": info.parameters,
        "entries": info.entries,
        "weights": info.name,
        "trained_on": info.trained_on,
        "published": list(info.published),
    }
    if as_json:
        echo_json(facts)
        return
    shown = facts | {
        "architecture": info.architecture or "unknown",
        "parameters": f"{info.parameters:,}",
        "weights": info.name or "unknown weights",
        "trained_on": info.trained_on or "unknown",
        "published": "\n".join(info.published) or "nothing",
    }
    for key, value in shown.items():
        click.echo(f"{key.replace('_', ' '):<13} " + str(value).replace("\n", "\n" + " " * 14))
    if info.architecture:
        click.echo(f"\nasdbench run --suite unsync --checkpoint {file} --data FOLDER")
