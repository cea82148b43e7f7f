"""``asdbench report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from asdbench.cli.options import resamples_option
from asdbench.cli.output import echo_json, json_option, note, show_run

if TYPE_CHECKING:
    from asdbench.report.run import Run

_WORST = 3


@click.command(epilog="Example: asdbench report runs/light-asd.ava-unsync-AVADataPath-val-1a2b3c4d")
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="RUN...")
@click.option("--html", "kinds", flag_value="html", multiple=True, help="Write report.html.")
@click.option("--md", "kinds", flag_value="md", multiple=True, help="Write report.md and tables/*.md.")
@click.option("--latex", "kinds", flag_value="latex", multiple=True, help="Write tables/*.tex.")
@click.option("--csv", "kinds", flag_value="csv", multiple=True, help="Write tables/*.csv and curves/*.csv.")
@click.option(
    "--gallery",
    "gallery_out",
    is_flag=False,
    flag_value="",
    metavar="[FOLDER]",
    help="Write the worst errors with faces, sound and clips; not for publishing.  [default: beside RUN]",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FOLDER|NAME",
    help="Data set for --gallery.  [default: where RUN was scored]",
)
@click.option("--worst", type=int, metavar="N", help=f"Errors of a kind for --gallery.  [default: {_WORST}]")
@click.option(
    "--condition",
    "conditions",
    multiple=True,
    metavar="NAME",
    help="Condition for --gallery; may be repeated.  [default: of each kind the one that changes most]",
)
@resamples_option("[default: as the run has]")
@json_option
def command(
    runs: tuple[Path, ...],
    kinds: tuple[str, ...],
    gallery_out: str | None,
    data: Path | None,
    worst: int | None,
    conditions: tuple[str, ...],
    resamples: int | str | None,
    as_json: bool,
) -> None:
    """Show each RUN, and write its tables, figures, report.md and report.html again.

    report.html is one file that opens offline: to look at, to print, to send around. With --html, --md, --latex or
    --csv only those are written. With --resamples, metrics.json is computed again from the predictions first.

    --gallery writes, and alone writes nothing but, a folder beside RUN that shows its worst errors with the faces and
    voices of the data set. Do not publish it.
    """
    from asdbench.api import report
    from asdbench.report.run import open_run

    if kinds and resamples is not None:
        raise click.UsageError("with --resamples every number changes, so everything is written; leave the kinds out.")
    if gallery_out is None and (data is not None or worst is not None or conditions):
        raise click.UsageError("--data, --worst and --condition are for a gallery; add --gallery, or leave them out.")
    if gallery_out and len(runs) > 1:
        raise click.UsageError("--gallery FOLDER takes one RUN; leave FOLDER out for a folder beside each.")
    finished = [open_run(path) if resamples is None else report(path, resamples) for path in runs]
    if as_json:
        echo_json([run.to_dict() for run in finished])
    else:
        for run in finished:
            show_run(run)
    # Last, so that a folder that cannot be written is shown all the same.
    for path in runs if resamples is None and (kinds or gallery_out is None) else ():
        report(path, kinds=kinds)
    for run in finished if gallery_out is not None else ():
        _write_gallery(run, gallery_out, data, _WORST if worst is None else worst, conditions)


def _write_gallery(run: Run, out: str | None, data: Path | None, worst: int, conditions: tuple[str, ...]) -> None:
    from asdbench.gallery import gallery
    from asdbench.gallery.folder import WARNING

    written = gallery(run, out or None, data=data, count=worst, conditions=conditions, notify=note)
    note(f"gallery: {written.page} (errors: {written.errors}, clips: {written.clips}). {WARNING}")
