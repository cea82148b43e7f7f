"""``asdbench data verify``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from asdbench.cli.data.source import open_source, source_options
from asdbench.cli.output import echo_json, json_option, note
from asdbench.errors import DataError

if TYPE_CHECKING:
    from asdbench.data.check import Checked


@click.command(epilog="Example: asdbench data verify AVADataPath --report problems.csv")
@source_options
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes.  [default: one per CPU]")
@click.option(
    "--limit", type=click.IntRange(1), metavar="N", help="Read only the first N tracks; tables are read whole."
)
@click.option(
    "--examples", type=click.IntRange(0), default=3, show_default=True, metavar="N", help="Examples per kind."
)
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write all problems as csv."
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
@json_option
def command(
    data: Path,
    data_format: str,
    split: str,
    data_options: tuple[str, ...],
    workers: int | None,
    limit: int | None,
    examples: int,
    report: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Read everything once, and list what is missing, broken or odd.

    Exit code 5 if there is an error: something that a run would refuse, or that would silently give wrong numbers.
    Warnings alone are 0. docs/data_tools.md lists every kind of problem.
    """
    from asdbench.data import dataset_folder
    from asdbench.data.check import check

    found = check(
        dataset_folder(data),
        split,
        lambda: open_source(data, data_format, split, data_options),
        workers=workers,
        limit=limit,
        progress=False if quiet else None,
    )
    if report is not None:
        found.write(report)
    if as_json:
        echo_json(found.to_dict(examples))
    else:
        _show(found, examples)
        if report is not None:
            note(f"all problems: {report}")
    sys.exit(DataError.exit_code if found.errors else 0)


def _show(found: Checked, examples: int) -> None:
    from asdbench.report.text import printable

    content = found.to_dict(examples)
    for kind in content["problems"]:
        click.echo(printable(f"{kind['severity']:<8} {kind['kind']:<20} {kind['count']:>8,}  {kind['meaning']}"))
        for example in kind["examples"]:
            where = "/".join(filter(None, (example["video_id"], example["entity_id"])))
            click.echo(printable(f"{'':>9}{f'[{where}] ' if where else ''}{example['message']}"))
        more = kind["places"] - len(kind["examples"])
        if more and kind["examples"]:
            click.echo(f"{'':>9}... and {more:,} more")
    for text in content["notes"]:
        click.echo(printable(f"note: {text}"))
    read = f"{content['tracks']:,} tracks, {content['frames']:,} face crops read"
    click.echo(f"{read}: {content['errors']:,} error(s), {content['warnings']:,} warning(s)")
