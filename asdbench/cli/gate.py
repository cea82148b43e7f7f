"""``asdbench gate``."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asdbench.cli.output import console, echo_json, json_option, note

if TYPE_CHECKING:
    from asdbench.gate import Rules, Update

_OF_A_VERDICT = ("strict", "recalibrate", "out", "junit", "summary")


@click.command(
    epilog='Example: asdbench gate runs/new --baseline baselines/main --rule "clean.ap:-0.5pt" '
    '--rule "mismatch@1.00.fa_changed:+1pt"'
)
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    required=True,
    help="What the run must not be worse than: a baseline that --update wrote, or a run.",
)
@click.option(
    "--rules",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="gate.toml with rules.  [default: rules for what the baseline has]",
)
@click.option(
    "--rule",
    "texts",
    multiple=True,
    metavar="CONDITION.METRIC:MARGIN",
    help="A rule in place of the default ones, or beside those of the file; may be given several times.",
)
@click.option("--strict", is_flag=True, help="Fail with 4 where the data cannot tell; else that is a warning.")
@click.option("--recalibrate", is_flag=True, help="Take rates of RUN at its own thresholds, not at the baseline's.")
@click.option(
    "--allow",
    multiple=True,
    metavar="NAME",
    help="Compare although this is unusual: custom (another seed), dtype, options (of the model); several times.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write gate.{json,xml,md} there; xml is JUnit.",
)
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write JUnit XML there.")
@click.option(
    "--summary",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a summary in Markdown there.  [default: the job summary, in a job on GitHub]",
)
@click.option("--update", is_flag=True, help="Make RUN the new baseline and show what changes, without a verdict.")
@json_option
def command(run: Path, baseline: Path, file: Path | None, texts: tuple[str, ...], **flags: Any) -> None:
    """Fail where a run is worse than a baseline by more than rules allow, and by more than chance.

    Exit codes: 0 passed, or inconclusive (with a warning); 1 worse; 3 not comparable; 4 inconclusive with --strict; 2 a
    wrong flag or rule; 5 broken or missing data; 8 the verdict cannot be written.
    """
    if flags["update"]:
        _refuse_verdict_flags(file, texts, flags)
        _update(run, baseline, flags["allow"], flags["as_json"])
        return
    from asdbench.gate import gate
    from asdbench.gate.outputs import Outputs
    from asdbench.gate.record import to_dict
    from asdbench.gate.summary import annotation
    from asdbench.gate.terminal import print_judgement

    outputs = Outputs.of(flags["out"], flags["junit"], flags["summary"])
    outputs.clear()
    chosen = {name: flags[name] for name in ("strict", "recalibrate", "allow")}
    found = gate(run, baseline, _rules(file, texts), **chosen)
    if flags["as_json"]:
        echo_json(to_dict(found))
    else:
        print_judgement(console(), found)
    outputs.write(found)  # last, so that a place that cannot be written does not cost the verdict
    if os.environ.get("GITHUB_ACTIONS") == "true" and annotation(found):
        click.echo(annotation(found), err=True)
    sys.exit(found.exit_code)


def _refuse_verdict_flags(file: Path | None, texts: tuple[str, ...], flags: Mapping[str, Any]) -> None:
    from asdbench.errors import UsageError

    given = {"rules": file, "rule": texts} | {name: flags[name] for name in _OF_A_VERDICT}
    named = [f"--{name}" for name, value in given.items() if value]
    if named:
        raise UsageError(f"--update gives no verdict, so {', '.join(named)} would do nothing; leave it out.")


def _rules(file: Path | None, texts: tuple[str, ...]) -> Rules | tuple[str, ...] | None:
    from asdbench.gate import read_rules

    if file is None:
        return texts or None
    return read_rules(file).with_rules(texts)


def _update(run: Path, baseline: Path, allow: tuple[str, ...], as_json: bool) -> None:
    from asdbench.gate import update_baseline

    found = update_baseline(run, baseline, allow=allow)
    if as_json:
        echo_json(_written(found))
        return
    from asdbench.report.terminal import print_table

    print_table(console(), found.table)
    if found.differing:
        note(f"the one before differed in {', '.join(found.differing)}, so its figures are not shown beside these.")
    note(f"baseline: {found.baseline} ({len(found.conditions)} conditions, {found.size / 1e6:.1f} MB)")


def _written(found: Update) -> dict[str, Any]:
    return {
        "baseline": str(found.baseline),
        "run": str(found.run.path),
        "model": found.run.model,
        "conditions": list(found.conditions),
        "size": found.size,
        "differing": list(found.differing),
        "figures": list(found.table.records()),
    }
