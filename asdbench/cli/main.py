"""``asdbench``: the verbs, loaded when they are used, and the exit codes."""

from __future__ import annotations

import io
import sys

import click

import asdbench
from asdbench.cli.lazy import LazyGroup
from asdbench.errors import AsdbenchError

_VERBS = {
    "demo": "score and compare the two shipped checkpoints on the shipped data",
    "run": "score a model under a suite of conditions",
    "score": "recompute every figure of a run, or score what other code predicted",
    "compare": "compare two runs on the same rows, with a verdict",
    "gate": "fail where a run is worse than a baseline, for CI",
    "report": "show a run, and write its tables and figures again",
    "leaderboard": "show measured and published results, which never share a column",
    "submit": "write the leaderboard entry of a run, or check entries",
    "export": "give runs to model cards, experiment loggers and data frames; print schemas",
    "train": "train a recipe from the literature",
    "claims": "train and measure what papers claim, with verdicts",
    "data": "look at, check and write data sets",
    "suites": "show what a suite does",
    "perturb": "see, hear and check what a perturbation does",
    "ls": "list models, suites, perturbations, data formats or protocols",
    "inspect": "say what a checkpoint file is",
    "fetch": "download a published checkpoint",
    "verify": "replay what the official code of a system computed",
    "convert": "turn a checkpoint that torch refuses into safetensors",
}
_INTERRUPTED = 130


@click.command(
    cls=LazyGroup,
    package="asdbench.cli",
    verbs=_VERBS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: asdbench run --suite unsync --checkpoint pretrain_AVA_CVPR.model --data AVADataPath",
)
@click.version_option(asdbench.__version__, prog_name="asdbench")
def cli() -> None:
    """Measure whether an active speaker detector listens, or just adds up sound and lips.

    Without a checkpoint and data of your own, start with: asdbench demo
    """


def main() -> None:
    """Run the command line; errors become one sentence on stderr and the exit code of the error tree."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows fewer signs shows "?" in place of a dash, instead of losing the numbers to an error.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        cli(standalone_mode=False)
    except AsdbenchError as error:
        _fail(str(error), error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted; run the same command again to continue.", _INTERRUPTED)


def _fail(message: str, exit_code: int) -> None:
    from asdbench.cli.output import note

    click.secho("error: ", fg="red", bold=True, err=True, nl=False)
    note(message)
    sys.exit(exit_code)
