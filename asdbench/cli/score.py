"""``asdbench score``."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from asdbench.cli.options import resamples_option
from asdbench.cli.output import echo_json, json_option, note, show_run

if TYPE_CHECKING:
    from asdbench.report.run import Run

_SHOWN = 5
_ROUNDING = 1e-9
_OF_A_SET = ("predictions", "scores", "name", "out")


@click.command(epilog="Example: asdbench score val_res.csv --labels csv/val_orig.csv --protocol ava")
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN|SET|PRED")
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    metavar="GT",
    help="Labels for the scores in PRED: AVA csv, Parquet, run folder, Ego4D json, ... (docs/protocols.md).",
)
@click.option(
    "--protocol", metavar="NAME|all", help="Rule to score PRED by, see asdbench ls protocols.  [default: all]"
)
@click.option("--condition", metavar="NAME", help="Condition of PRED, a run folder.  [default: the clean one]")
@click.option("--clean", type=click.Path(path_type=Path), metavar="PRED", help="Scores on unchanged media, for tnr.")
@click.option(
    "--division",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="WASD's dataset_division.txt, or the folder of UniTalk's lists.  [default: beside GT]",
)
@click.option(
    "--predictions",
    type=click.Path(path_type=Path),
    metavar="FOLDER|FILE",
    help="What other code predicted on a materialised SET: one file per condition (docs/materialize.md).",
)
@click.option(
    "--scores",
    type=click.Choice(["logit", "probability"]),
    help="What scores are, since nobody can tell; must be said with --predictions and where 0.5 is a threshold.",
)
@click.option("--name", metavar="NAME", help="What to call the model of --predictions.  [default: given]")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Run folder of --predictions, or json file for the numbers of PRED.",
)
@resamples_option("[default: as RUN has, else 1000]")
@json_option
def command(run: Path, **given: Any) -> None:
    """Recompute every figure of RUN, or score what other code predicted: on SET, or PRED by a named protocol.

    Needs neither model nor media. Exits with 1 if a figure of RUN differs from its metrics.json, unless the intervals
    are to rest on another number of resamples; asdbench report RUN --resamples N writes those.

    For a SET that asdbench data materialize wrote, give --predictions and --scores; the result is a run like any other.
    For a file of scores, give --labels: rows are joined by video, entity and time, and none may be missing.
    """
    as_json, resamples = given.pop("as_json"), given.pop("resamples")
    if given["labels"] is not None:
        _refuse(given, ("predictions", "name"), "belong to a materialised SET, not to --labels")
        _score_files(run, given, resamples, as_json)
        return
    _refuse(given, ("protocol", "condition", "clean", "division"), "belong to --labels; give that too")
    if given["predictions"] is None:
        _refuse(given, ("scores", "name", "out"), "belong to --predictions or --labels; give one of them")
        _refuse_without_predictions(run)
        _recompute(run, resamples, as_json)
    else:
        _score_given(run, **{key: given[key] for key in _OF_A_SET}, resamples=resamples, as_json=as_json)


def _refuse(given: Mapping[str, Any], names: tuple[str, ...], reason: str) -> None:
    from asdbench.errors import UsageError

    there = [f"--{name}" for name in names if given[name] is not None]
    if there:
        raise UsageError(f"{', '.join(there)} {reason}, or leave {'it' if len(there) == 1 else 'them'} out.")


def _score_files(run: Path, given: Mapping[str, Any], resamples: int | str | None, as_json: bool) -> None:
    from asdbench.analysis.file_inputs import Request
    from asdbench.analysis.file_scores import EVERY
    from asdbench.cli.score_files import score_given_files
    from asdbench.config import resample_count

    names = ("labels", "condition", "clean", "division")
    request = Request(run, **{name: given[name] for name in names}, scale=given["scores"])
    if resamples is not None:
        request = replace(request, resamples=resample_count(resamples))
    score_given_files(request, given["protocol"] or EVERY, given["out"], as_json)


def _recompute(run: Path, resamples: int | str | None, as_json: bool) -> None:
    import msgspec

    from asdbench.api import score
    from asdbench.records.older import known_to
    from asdbench.report.run import open_run

    recorded, recomputed = open_run(run), score(run, resamples)
    if recomputed.rows.resamples != recorded.rows.resamples:
        _show_unequal(recorded, recomputed, as_json)
        return
    numbers = msgspec.to_builtins(recomputed.metrics)
    # Figures that came later are no difference: what an earlier release wrote is whole.
    later = [key for key in numbers if key not in recorded.metrics]
    numbers = known_to(recorded.metrics, numbers)
    differing = list(_differing(recorded.metrics, numbers))
    same = not differing
    if as_json:
        echo_json(recomputed.to_dict() | {"equals_record": same})
    else:
        show_run(recomputed)
        more = f" and {len(differing) - _SHOWN} more" if len(differing) > _SHOWN else ""
        differs = f"DIFFERS from metrics.json in {', '.join(differing[:_SHOWN])}{more}"
        note("recomputed from the predictions: " + ("equal to metrics.json" if same else differs))
        if later:
            note(f"not in metrics.json, which an earlier release wrote: {', '.join(later)}")
    sys.exit(0 if same else 1)


def _show_unequal(recorded: Run, recomputed: Run, as_json: bool) -> None:
    """Show figures whose intervals cannot be those of the record."""
    if as_json:
        echo_json(recomputed.to_dict() | {"equals_record": None})
        return
    show_run(recomputed)
    asked, there = recomputed.rows.resamples, recorded.rows.resamples
    note(f"recomputed from the predictions with {asked:,} resamples; metrics.json has {there:,}, so not compared")


def _refuse_without_predictions(run: Path) -> None:
    from asdbench.errors import UsageError

    if (run / "run.json").is_file() or not run.exists():
        return
    if (run / "manifest.json").is_file():
        raise UsageError(f"{run}: a materialised set; add --predictions FOLDER and --scores logit or probability.")
    if run.is_file():
        raise UsageError(f"{run}: a file of scores; add --labels GT.")


def _score_given(
    made: Path,
    predictions: Path,
    scores: str | None,
    name: str | None,
    out: Path | None,
    resamples: int | str | None,
    as_json: bool,
) -> None:
    from asdbench.api import score_predictions
    from asdbench.errors import UsageError

    if scores is None:
        raise UsageError(
            "--scores is missing: say logit (log-odds, logit1 - logit0) or probability (softmax of the speaking class, "
            "as the val_res.csv of the TalkNet family holds)."
        )
    finished = score_predictions(
        made,
        predictions,
        scores=scores,
        name=name,
        out=out,
        resamples=resamples,
        notify=(lambda _: None) if as_json else note,
    )
    if as_json:
        echo_json(finished.to_dict())
    else:
        show_run(finished)


def _differing(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Yield the places at which two JSON values differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            yield from _differing(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for before, after in zip(old, new, strict=True):
            name = after.get("name", "") if isinstance(after, dict) else ""
            yield from _differing(before, after, f"{path}[{name}]")
    elif old != new and not _nearly(old, new):
        yield path


def _nearly(old: Any, new: Any) -> bool:
    """Whether two numbers differ by no more than another release of numpy, or another processor, makes them."""
    both = isinstance(old, float) and isinstance(new, float)
    return both and math.isclose(old, new, rel_tol=_ROUNDING, abs_tol=_ROUNDING)
