"""``asdbench inspect``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.output import echo_json, json_option
from asdbench.report.text import printable


@click.command(epilog="Example: asdbench inspect pretrain_AVA_CVPR.model")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def command(file: Path, as_json: bool) -> None:
    """Say what the checkpoint FILE is: architecture, parameters, known weights, training data, published results.

    Runs no code from it. FILE may be the name of a shipped checkpoint, or of one that was fetched.
    """
    from asdbench.checkpoints.cards import caution
    from asdbench.checkpoints.identify import identify
    from asdbench.checkpoints.shipped import checkpoint_path

    info = identify(checkpoint_path(file))
    facts = {
        "file": str(info.path),
        "sha256": info.sha256,
        "architecture": info.architecture,
        "parameters": info.parameters,
        "entries": info.entries,
        "weights": info.name,
        "says_from": info.says_from,
        "trained_on": info.trained_on,
        "published": list(info.published),
        "note": info.note,
        "caution": caution(info.trained_on, "ava"),
        "face_size": info.face_size,
        "metadata": dict(info.metadata),
    }
    if as_json:
        echo_json(facts)
        return
    shown = facts | {
        "architecture": info.architecture or "unknown",
        "parameters": f"{info.parameters:,}",
        "weights": info.name or "unknown weights",
        "says_from": f"says it was converted from {info.says_from}; that is not checked" if info.says_from else None,
        "trained_on": info.trained_on or "unknown",
        "published": [*info.published] or "nothing",
        "face_size": f"{info.face_size} x {info.face_size} pixels" if info.face_size else None,
        "metadata": [f"{key} = {value}" for key, value in info.metadata.items()] or None,
    }
    for key, value in shown.items():
        if value is None:
            continue
        lines = value if isinstance(value, list) else [value]
        click.echo(f"{key.replace('_', ' '):<13} " + ("\n" + " " * 14).join(printable(str(line)) for line in lines))
    if info.architecture:
        click.echo(f"\nasdbench run --suite unsync --checkpoint {printable(str(file))} --data FOLDER")
