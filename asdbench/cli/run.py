"""``asdbench run``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asdbench.cli.options import number_or_off, resamples_option
from asdbench.cli.output import echo_json, json_option, note, show_run

if TYPE_CHECKING:
    from asdbench.report.run import Run


@click.command(
    epilog="Example: asdbench run --suite unsync --checkpoint pretrain_AVA_CVPR.model --data AVADataPath --device cuda"
)
@click.option("--suite", metavar="NAME|FILE", help="Suite of conditions (asdbench ls suites).  [default: unsync]")
@click.option(
    "--model",
    metavar="NAME",
    help="Model (asdbench ls models), package.module:Class or file.py:Class; auto recognises the checkpoint.  "
    "[default: auto]",
)
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    metavar="FILE|NAME",
    help="Weights of the model, or a shipped checkpoint (asdbench ls models).",
)
@click.option(
    "--option",
    multiple=True,
    callback=lambda _context, _parameter, given: given or None,
    metavar="NAME=VALUE",
    help="Choice that the model offers (docs/models.md); may be given several times.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="FOLDER|NAME",
    help="Folder of the data set, or demo-val for the shipped one.",
)
@click.option("--format", metavar="NAME", help="Format of the data set (asdbench ls data).  [default: auto]")
@click.option(
    "--data-option",
    multiple=True,
    callback=lambda _context, _parameter, given: given or None,
    metavar="NAME=VALUE",
    help="Choice that the format offers (docs/data_formats.md); may be given several times.",
)
@click.option("--split", metavar="NAME", help="Part of the data set.  [default: val]")
@click.option("--device", metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps.  [default: auto]")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Run folder.  [default: runs/<model>-<suite>-<data>-<fingerprint>]",
)
@click.option("--limit", type=int, metavar="N", help="Score only the first N tracks; the plan stays the same.")
@click.option("--seed", type=int, help="Another seed than the suite's; makes the run custom.")
@click.option(
    "--plan-seeds",
    type=int,
    metavar="N",
    help="Score tests and controls under N plans, to see what a figure owes to one of them.  [default: 1]",
)
@click.option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    help="Stop at broken media, or skip the track and count it.  [default: stop]",
)
@click.option(
    "--audit",
    metavar="N|off",
    callback=number_or_off,
    help="Tracks per condition on which is measured before scoring what was changed.  [default: 4]",
)
@resamples_option("[default: 1000]")
@click.option(
    "--engine",
    type=click.Choice(["local", "ray"]),
    help="Score in this process, or on the workers of a Ray cluster (docs/cluster.md).  [default: local]",
)
@click.option(
    "--ray-address",
    metavar="ADDRESS",
    help="Cluster to join: auto, or ray://HOST:PORT.  [default: one on this machine, for this run]",
)
@click.option(
    "--workers", type=int, metavar="N", help="Workers to ask the cluster for.  [default: as many as it has room for]"
)
@click.option(
    "--gpus-per-worker",
    type=float,
    metavar="G",
    help="GPUs of each worker, which may be a part of one.  [default: 1 with --device cuda, else 0]",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Keep embeddings of faces here, for other suites on the same model and data.  [default: none]",
)
@click.option("--cache-limit", metavar="SIZE", help="What the cache may hold, such as 500MB.  [default: 20GB]")
@click.option(
    "--no-reuse",
    "reuse",
    flag_value=False,
    default=None,
    help="Score every condition of every track from nothing: slow, to check and to measure the usual way against.",
)
@click.option(
    "--dtype",
    type=click.Choice(["fp32", "bf16", "fp16"]),
    help="Precision of the encoders; another one gives other scores.  [default: fp32]",
)
@click.option(
    "--batch-frames",
    metavar="N|auto",
    callback=number_or_off,
    help="Frames of several tracks that the visual encoder may take together; with 1 each track alone.  "
    "[default: auto, 2048 on CUDA, else 1]",
)
@click.option(
    "--compile",
    is_flag=True,
    flag_value=True,
    default=None,
    help="Let torch compile the visual encoder; part of what identifies a run.",
)
@click.option(
    "--loaders",
    type=int,
    metavar="N",
    help="Threads that read the next tracks while one is scored.  [default: up to 4 with a GPU; 1, or 0 on 2 cores]",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="TOML file with a table [run] of these options.  [default: asdbench.toml if present]",
)
@click.option(
    "--log",
    multiple=True,
    metavar="NAME",
    help="Log the finished run to mlflow or wandb (docs/exports.md); may be given for both.",
)
@click.option("--quiet", is_flag=True, help="No progress bar, no notes.")
@json_option
def command(config: Path | None, quiet: bool, as_json: bool, log: tuple[str, ...], **flags: Any) -> None:
    """Score a model under a suite of conditions.

    Settings come from the flags, else ASDBENCH_* variables, else the TOML file, else defaults; run.json records each
    with its source. The same command continues a run that was stopped or killed. Without model, checkpoint and data it
    scores the shipped light-asd.demo on the shipped demo-val.
    """
    from asdbench.api import run_config
    from asdbench.config import resolve

    if log:
        _require_loggers(log)
    finished = run_config(
        resolve(flags, config),
        progress=False if quiet else None,
        notify=(lambda _: None) if quiet else note,
    )
    if as_json:
        echo_json(finished.to_dict())
    else:
        show_run(finished)
    _log(finished, log)


def _require_loggers(names: Sequence[str]) -> None:
    """Refuse before hours of scoring what would fail after them."""
    from asdbench.exports import require_loggers

    require_loggers(names)


def _log(run: Run, names: Sequence[str]) -> None:
    """Log a finished run; it is whole whatever becomes of that, so that a logger's failure is a warning."""
    if not names:
        return
    from asdbench.errors import ResourceError
    from asdbench.exports import log_run

    for name in dict.fromkeys(names):
        try:
            note(f"logged to {name}, {log_run(run, name)}")
        except ResourceError as error:
            note(f"warning: {error}")
