"""``asdbench report``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.options import resamples_option
from asdbench.cli.output import echo_json, json_option, show_run


@click.command(epilog="Example: asdbench report runs/light-asd.ava-unsync-AVADataPath-val-1a2b3c4d")
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="RUN...")
@click.option("--html", "kinds", flag_value="html", multiple=True, help="Write report.html.")
@click.option("--md", "kinds", flag_value="md", multiple=True, help="Write report.md and tables/*.md.")
@click.option("--latex", "kinds", flag_value="latex", multiple=True, help="Write tables/*.tex.")
@click.option("--csv", "kinds", flag_value="csv", multiple=True, help="Write tables/*.csv.")
@resamples_option("[default: as the run has]")
@json_option
def command(runs: tuple[Path, ...], kinds: tuple[str, ...], resamples: int | str | None, as_json: bool) -> None:
    """Show each RUN, and write its tables, figures, report.md and report.html again.

    report.html is one file that opens offline: to look at, to print, to send around. With --html, --md, --latex or
    --csv only those are written. With --resamples, metrics.json is computed again from the predictions first.
    """
    from asdbench.api import report
    from asdbench.report.run import open_run

    if kinds and resamples is not None:
        raise click.UsageError("with --resamples every number changes, so everything is written; leave the kinds out.")
    finished = [open_run(path) if resamples is None else report(path, resamples) for path in runs]
    if as_json:
        echo_json([run.to_dict() for run in finished])
    else:
        for run in finished:
            show_run(run)
    # Last, so that a folder that cannot be written is shown all the same.
    for path in runs if resamples is None else ():
        report(path, kinds=kinds)
