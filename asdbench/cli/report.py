"""``asdbench report``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.options import resamples_option
from asdbench.cli.output import echo_json, json_option, show_run


@click.command(epilog="Example: asdbench report runs/light-asd.ava-unsync-AVADataPath-val-1a2b3c4d")
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="RUN...")
@resamples_option("[default: as the run has]")
@json_option
def command(runs: tuple[Path, ...], resamples: int | str | None, as_json: bool) -> None:
    """Show each RUN, and write its tables, figures and report.md again.

    With --resamples, metrics.json is computed again from the predictions first.
    """
    from asdbench.api import report
    from asdbench.report.run import open_run

    finished = [open_run(path) if resamples is None else report(path, resamples) for path in runs]
    if as_json:
        echo_json([run.to_dict() for run in finished])
    else:
        for run in finished:
            show_run(run)
    # Last, so that a folder that cannot be written is shown all the same.
    for path in runs if resamples is None else ():
        report(path)
