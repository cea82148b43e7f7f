"""``asdbench export``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asdbench.cli.output import echo_json, note

if TYPE_CHECKING:
    from asdbench.report.run import Run

_STDOUT = "-"


@click.command(epilog="Example: asdbench export runs/light-asd.demo-unsync-... --model-index README.md")
@click.argument("runs", type=click.Path(path_type=Path), nargs=-1, metavar="[RUN]...")
@click.option(
    "--model-index",
    is_flag=False,
    flag_value=_STDOUT,
    metavar="[FILE]",
    help="Figures for a model card of the Hugging Face Hub: put into FILE, such as README.md, else printed.",
)
@click.option("--name", metavar="NAME", help="What the card calls the model.  [default: as the card or the runs do]")
@click.option(
    "--log",
    multiple=True,
    metavar="NAME",
    help="Log each RUN to mlflow or wandb; may be given for both.",
)
@click.option(
    "--parquet",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the headline figures of all RUNs as one table, one row per run, condition and figure.",
)
@click.option("--schema", metavar="NAME", help="Print the schema of what asdbench writes; list prints their names.")
def command(runs: tuple[Path, ...], **given: Any) -> None:
    """Give RUNs to other tools: model cards, experiment loggers, data frames.

    The run folders stay as they are. What they hold is Parquet and JSON already, with the schemas that --schema prints.
    """
    from asdbench.errors import UsageError

    if given["schema"] is not None:
        if runs:
            raise UsageError("--schema prints what all runs share; leave RUN out.")
        _print_schema(given["schema"])
        return
    if not any(given[key] for key in ("model_index", "log", "parquet")):
        raise UsageError("nothing to export to; add --model-index, --log mlflow, --log wandb, --parquet or --schema.")
    if not runs:
        raise UsageError("give the folder of at least one RUN.")
    _export(runs, given)


def _export(paths: Sequence[Path], given: dict[str, Any]) -> None:
    from asdbench.exports import require_loggers, write_figures_parquet
    from asdbench.report.run import open_run

    require_loggers(given["log"])
    runs = [open_run(path) for path in paths]
    if given["model_index"]:
        _model_index(runs, given["model_index"], given["name"])
    if given["parquet"]:
        count = write_figures_parquet(runs, given["parquet"])
        note(f"{given['parquet']}: {count:,} figures of {len(runs)} run(s)")
    _log(runs, given["log"])


def _model_index(runs: Sequence[Run], target: str, name: str | None) -> None:
    from asdbench.exports import card_yaml, model_index, update_card

    ours = model_index(runs, name)
    if target == _STDOUT:
        click.echo(card_yaml([ours]), nl=False)
        return
    done = update_card(Path(target), ours, keep_name=name is None)
    note(f"{target}: {done}, {len(runs)} result(s) in its model-index")


def _log(runs: Sequence[Run], names: Sequence[str]) -> None:
    from asdbench.errors import ResourceError
    from asdbench.exports import log_run

    failed: ResourceError | None = None
    for run in runs:
        for name in dict.fromkeys(names):
            try:
                note(f"{run.path}: logged to {name}, {log_run(run, name)}")
            except ResourceError as error:
                if failed is not None:
                    note(f"error: {failed}")
                failed = error
    if failed is not None:
        raise failed


def _print_schema(name: str) -> None:
    from asdbench.exports import read_schema, schema_names

    if name == "list":
        click.echo("\n".join(schema_names()))
    else:
        echo_json(read_schema(name))
