"""A run out of what other code predicted on a materialised set."""

from __future__ import annotations

from pathlib import Path

from asdbench.jobs.finish import finish, reopened
from asdbench.jobs.model import Notify
from asdbench.materialize import open_set
from asdbench.materialize.given import read_given
from asdbench.predictions.table import read_scale
from asdbench.records.folder import RunFolder, default_folder
from asdbench.records.predictions import predictions_path, write_predictions
from asdbench.report.run import Run, open_run


def score_predictions(
    path: str | Path,
    predictions: str | Path,
    *,
    scores: str,
    name: str | None = None,
    out: str | Path | None = None,
    runs: str | Path | None = None,
    resamples: int | str | None = None,
    notify: Notify = lambda _: None,
) -> Run:
    """Score what other code predicted on a materialised set, and write a run folder.

    Args:
        path: Folder of the set (`asdbench.materialize`).
        predictions: A folder with a file of predictions per condition, or the file of the clean one.
        scores: Whether they are log-odds (``logit``) or probabilities (``probability``).
        name: What to call the model; ``given`` by default.
        out: Run folder; ``<runs>/<name>-<suite>-<data>-<fingerprint>`` by default.
        runs: Where derived run folders lie; ``runs`` by default.
        resamples: How many resamples the intervals rest on, 1,000 by default, or ``off`` for none.
        notify: Told in a few words what happens.

    Raises:
        AsdbenchError: See ``asdbench.errors`` for the tree.

    Example:
        >>> asdbench.api.score_predictions("perturbed", "my_scores", scores="probability").table  # doctest: +SKIP
    """
    made = open_set(path)
    given = read_given(made, Path(predictions), read_scale(scores), name)
    if given.missing:
        notify(f"no predictions for {', '.join(given.missing)}: left out")
    record = given.record()
    identity, suite, data = record["identity"], record["suite"]["name"], record["data"]["name"]
    folder = RunFolder(Path(out) if out else default_folder(Path(runs or "runs"), given.name, suite, data, identity))
    earlier = folder.claim(identity)
    with folder.lock():
        if earlier and earlier["state"] == "complete":
            notify(
                "these predictions are scored; delete the folder of the run, or choose another --out, to do it again"
            )
            return reopened(folder, resamples)
        notify(f"writing {folder.path}")
        folder.write_record(record | {"state": "running"})
        for condition, rows in given.predictions.items():
            write_predictions(predictions_path(folder.path, condition), rows)
        given.copy_records(folder.path)
        finish(folder, record, resamples)
        folder.write_record(record | {"state": "complete"})
    return open_run(folder.path)
