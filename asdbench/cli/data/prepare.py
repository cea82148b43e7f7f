"""``asdbench data prepare``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from asdbench.cli.data.source import open_source, source_options
from asdbench.cli.output import echo_json, json_option, note


@click.command(epilog="Example: asdbench data prepare my_videos --out my_videos_prepared --workers 8")
@source_options
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Where to.")
@click.option(
    "--faces",
    type=click.Choice(["png", "jpg"]),
    default="png",
    show_default=True,
    help="png keeps every pixel, so that scores are those on the videos, bit for bit; jpg (quality 95) is smaller and "
    "what other code bases look for, but lossy: scores move a little.",
)
@click.option(
    "--store",
    is_flag=True,
    help="Write a store instead: one file of pixels and one of sound per video, mapped into memory by later runs, with "
    "checksums. Larger, and for asdbench alone.",
)
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes.  [default: one per CPU]")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N tracks.")
@click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="Stop at broken media, or leave the track out and count it.",
)
@click.option("--quiet", is_flag=True, help="No progress bar, no notes.")
@json_option
def command(
    data: Path,
    data_format: str,
    split: str,
    data_options: tuple[str, ...],
    out: Path,
    store: bool,
    quiet: bool,
    as_json: bool,
    **choices: Any,
) -> None:
    """Cut faces and sound out of videos, into the community layout.

    Works for every data format. What comes out is read with --format ava, and by code written for AVA as the
    TalkNet preprocessing leaves it. Each video is decoded once. The same command continues what was stopped or killed,
    and does again what has changed since; the result is the same to the byte.
    """
    from asdbench.config import named_values
    from asdbench.data.prepare import PrepareOptions, prepare
    from asdbench.data.store_build import build_store

    dataset = open_source(data, data_format, split, data_options)
    options = PrepareOptions(**choices, data_options=named_values(data_options), progress=False if quiet else None)
    tell = (lambda _: None) if quiet else note
    done = (build_store if store else prepare)(dataset, out, split, options, tell)
    if done.skipped:
        tell(
            f"left out: {done.counts['skipped_tracks']} track(s) and the sound of {done.counts['skipped_films']} whole "
            f"film(s); reasons in {done.listing}"
        )
    if as_json:
        echo_json(done.to_dict())
        return
    counts = done.counts
    click.echo(
        f"{done.path}: {counts['tracks']:,} tracks, {counts['frames']:,} face crops of {counts['clips']:,} clips, "
        f"{counts['bytes'] / 1e6:,.1f} MB"
    )
    read_as = "store" if store else "ava"
    tell(f"next: asdbench run --data {done.path} --format {read_as} --split {split} --suite unsync --checkpoint FILE")
