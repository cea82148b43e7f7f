"""``asdbench score``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from asdbench.cli.output import echo_json, json_option, note, show_run

_SHOWN = 5


@click.command(epilog="Example: asdbench score perturbed --predictions my_scores --scores probability --name my-model")
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN|SET")
@click.option(
    "--predictions",
    type=click.Path(path_type=Path),
    metavar="FOLDER|FILE",
    help="What other code predicted on a materialised SET: one file per condition (docs/materialize.md).",
)
@click.option(
    "--scores",
    type=click.Choice(["logit", "probability"]),
    help="What those scores are; must be said, since nobody can tell.",
)
@click.option("--name", metavar="NAME", help="What to call the model.  [default: given]")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Run folder.  [default: runs/<name>-<suite>-<data>-<fingerprint>]",
)
@json_option
def command(
    run: Path, predictions: Path | None, scores: str | None, name: str | None, out: Path | None, as_json: bool
) -> None:
    """Recompute every figure of RUN from its predictions, or score what other code predicted on SET.

    Needs neither model nor data. Exits with 1 if a figure of RUN differs from its metrics.json. For a SET that
    asdbench data materialize wrote, give --predictions and --scores; the result is a run like any other.
    """
    if predictions is None:
        _refuse_without_predictions(run, (scores, name, out))
        _recompute(run, as_json)
    else:
        _score_given(run, predictions, scores, name, out, as_json)


def _recompute(run: Path, as_json: bool) -> None:
    import msgspec

    from asdbench.api import score
    from asdbench.records.folder import SCHEMA_VERSION
    from asdbench.records.older import known_to
    from asdbench.report.run import open_run

    recorded, recomputed = open_run(run), score(run)
    numbers = msgspec.to_builtins(recomputed.metrics)
    if recorded.record["schema"] < SCHEMA_VERSION:
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
    sys.exit(0 if same else 1)


def _refuse_without_predictions(run: Path, others: tuple[object, ...]) -> None:
    from asdbench.errors import UsageError

    if any(each is not None for each in others):
        raise UsageError("--scores, --name and --out belong to --predictions; give that too, or leave them out.")
    if (run / "manifest.json").is_file() and not (run / "run.json").is_file():
        raise UsageError(f"{run}: a materialised set; add --predictions FOLDER and --scores logit or probability.")


def _score_given(
    made: Path, predictions: Path, scores: str | None, name: str | None, out: Path | None, as_json: bool
) -> None:
    from asdbench.api import score_predictions
    from asdbench.errors import UsageError

    if scores is None:
        raise UsageError(
            "--scores is missing: say logit (log-odds, logit1 - logit0) or probability (softmax of the speaking class, "
            "as the val_res.csv of the TalkNet family holds)."
        )
    finished = score_predictions(
        made, predictions, scores=scores, name=name, out=out, notify=(lambda _: None) if as_json else note
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
    elif old != new:
        yield path
