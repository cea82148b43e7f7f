"""``asdbench leaderboard``."""

from __future__ import annotations

from pathlib import Path

import click

from asdbench.cli.output import console, echo_json, json_option, note


@click.command(epilog="Example: asdbench leaderboard --results shipped --results my_results --out board")
@click.option(
    "--results",
    multiple=True,
    metavar="FOLDER",
    help="Folder of entries (asdbench submit); may be given several times; shipped stands for those that come with "
    "asdbench.  [default: shipped]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where to write.  [default: reports/leaderboard in a checkout, else runs/leaderboard]",
)
@json_option
def command(results: tuple[str, ...], out: Path | None, as_json: bool) -> None:
    """Write measured and published results as a page that sorts and filters, Markdown, CSV and JSON.

    Measured and published numbers never share a column, nor do two protocols; there is no overall score.
    """
    from asdbench.leaderboard.tables import models_table
    from asdbench.leaderboard.words import cautions
    from asdbench.leaderboard.write import SHIPPED, default_folder, leaderboard, write_leaderboard
    from asdbench.report.terminal import print_table

    found = leaderboard(results or (SHIPPED,))
    files = write_leaderboard(found, out or default_folder())
    if as_json:
        echo_json(found.to_dict())
        return
    shown = console()
    for board in found.boards:
        if board.models:
            print_table(shown, models_table(board))
        for text in cautions(board):
            note(f"note: {text}")
    note(f"leaderboard: {files[0]} (leaderboard.md, published.md, *.csv, leaderboard.json)")
