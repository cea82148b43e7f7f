"""``asdbench compare``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.output import echo_json, json_option, show_comparison


@click.command(epilog="Example: asdbench compare runs/light-asd.demo-... runs/light-asd.demo-sync-... --out compared")
@click.argument("old", type=click.Path(path_type=Path), metavar="A")
@click.argument("new", type=click.Path(path_type=Path), metavar="B")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write comparison.{html,md,csv,tex,json,png,svg,pdf} there.",
)
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    is_flag=False,
    flag_value=Path("comparison.html"),
    metavar="[FILE]",
    help="Write one page that opens offline; comparison.html without FILE (after A and B, then).",
)
@json_option
def command(old: Path, new: Path, out: Path | None, html: Path | None, as_json: bool) -> None:
    """Compare run B with run A on the same rows: better, worse or not separable, figure by figure.

    Both must be of one plan on the same data (exit code 3 where they are not). Every difference has an interval, for
    which the same recordings are resampled in both runs.
    """
    from asdbench.atomic import write_text
    from asdbench.report.comparison import compare
    from asdbench.report.comparison_page import comparison_page

    found = compare(old, new, out=out)
    if html is not None:
        write_text(html, comparison_page(found))
    if as_json:
        echo_json(found.to_dict())
    else:
        show_comparison(found, out, html)
