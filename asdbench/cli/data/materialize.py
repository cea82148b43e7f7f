"""``asdbench data materialize``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from asdbench.cli.output import echo_json, json_option, note


@click.command(epilog="Example: asdbench data materialize --suite unsync --data AVADataPath --out perturbed")
@click.option("--suite", metavar="NAME|FILE", default="unsync", show_default=True, help="Suite of conditions.")
@click.option("--data", type=click.Path(path_type=Path), required=True, metavar="FOLDER|NAME", help="The data set.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Folder of the set.")
@click.option("--format", metavar="NAME", default="auto", help="Format of the data set.  [default: recognised]")
@click.option("--split", metavar="NAME", default="val", show_default=True, help="Part of the data set.")
@click.option(
    "--data-option",
    multiple=True,
    metavar="NAME=VALUE",
    help="Choice that the format offers (docs/data_formats.md); may be given several times.",
)
@click.option(
    "--condition",
    "conditions",
    multiple=True,
    metavar="NAME",
    help="Write this condition, and clean, instead of all; may be given several times.",
)
@click.option(
    "--faces",
    type=click.Choice(["png", "jpg"]),
    default="png",
    show_default=True,
    help="How changed faces are encoded; jpg loses a little, and the manifest says so.",
)
@click.option("--link", is_flag=True, help="Hard links instead of copies: they share their bytes with the data set.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes.  [default: one per CPU]")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N tracks; the plan stays the same.")
@click.option("--seed", type=int, help="Another seed than the suite's; makes the set custom.")
@click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="Stop at broken media, or skip the track and count it.",
)
@click.option("--quiet", is_flag=True, help="No progress bar, no notes.")
@json_option
def command(data_option: tuple[str, ...], quiet: bool, as_json: bool, **flags: Any) -> None:
    """Write the perturbed test sets of a suite for other code bases.

    Each condition becomes a folder in the layout of the TalkNet preprocessing, with the labels of its policy. Score
    predictions for it with: asdbench score FOLDER --predictions PRED. The same command continues what was stopped.
    """
    from asdbench.config import named_values
    from asdbench.materialize import materialize

    made = materialize(
        **flags,
        data_options=named_values(data_option),
        progress=False if quiet else None,
        notify=(lambda _: None) if quiet else note,
    )
    if as_json:
        echo_json(made.to_dict())
        return
    _show(made.path, made.manifest)


def _show(path: Path, manifest: Mapping[str, Any]) -> None:
    counts, files = manifest["counts"], manifest["files"]
    click.echo(
        f"{path}: {len(manifest['conditions'])} conditions of {counts['tracks'] - counts['skipped_tracks']:,} tracks, "
        f"{counts['frames']:,} frames each; {files['files']:,} files, {files['bytes'] / 1e6:,.1f} MB "
        f"({files['copied']:,} copied, {files['written']:,} written, {files['lossy']:,} with loss)"
    )
    if counts["skipped_tracks"] or counts["incomplete_tracks"]:
        note(
            f"{counts['skipped_tracks']} tracks were skipped and {counts['incomplete_tracks']} miss a condition whose "
            "donor is broken, see skipped.csv"
        )
    if manifest["custom"]:
        note("custom seed: this set compares with no other")
