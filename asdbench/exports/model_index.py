"""Figures for the card of a model on the Hugging Face Hub: the ``model-index`` of its YAML front matter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import asdbench
from asdbench.errors import NotComparableError
from asdbench.exports.figures import Figure, headline_figures
from asdbench.report.run import Run

TASK = {"type": "video-classification", "name": "Active speaker detection"}
"""The Hub has no task of this name; it lists the nearest one, and shows ours."""

SOURCE = {"name": "asdbench", "url": "https://github.com/asdbench/asdbench"}

_METRICS = {
    "ava": ("average_precision", "AP"),
    "ap": ("average_precision", "AP"),
    "ap_drop": ("average_precision_drop", "AP drop"),
    "fa_changed": ("fa_changed", "fa_changed"),
    "retention": ("retention", "retention"),
    "sync_auroc": ("roc_auc", "sync AUROC"),
}
"""Figure to its type and name on the card. TPR is left out: the threshold is what makes it what it is."""

_CLEAN = ("ava", "ap")
_UNSYNCHRONOUS = ("fa_changed", "retention", "sync_auroc")
_CORRUPTED = ("ava", "ap_drop")
_DIGITS = 6


def model_index(runs: Sequence[Run], name: str | None = None) -> dict[str, Any]:
    """Return the entry of a model: one result per run, each with its headline figures.

    Args:
        runs: Runs of one model, under any suites and on any data.
        name: What the model is called on the Hub; as the runs call it by default.

    Raises:
        NotComparableError: The runs are of several models, or one is given twice.
    """
    first = runs[0]
    for run in runs[1:]:
        if _model(run) != _model(first):
            raise NotComparableError(
                f"{first.path} and {run.path} are of two models ({first.model} and {run.model}), and a card is of one; "
                "export them one by one."
            )
    results = [_result(run) for run in runs]
    places = [result_key(result) for result in results]
    twice = [run for run, place in zip(runs, places, strict=True) if places.count(place) > 1]
    if twice:
        raise NotComparableError(
            f"{twice[0].path} and {twice[1].path} have the same suite and data, so a card cannot tell them apart; "
            "give one of them."
        )
    return {"name": name or first.model, "results": results}


def result_key(result: Any) -> tuple[str, ...]:
    """Return what tells a result of a card from others: task, and data set with configuration, split and revision."""
    task, data = ((result.get(part) or {}) if isinstance(result, dict) else {} for part in ("task", "dataset"))
    return (str(task.get("type")), *(str(data.get(key)) for key in ("type", "config", "split", "revision")))


def merged(entries: Any, ours: dict[str, Any], *, keep_name: bool) -> list[Any]:
    """Return the ``model-index`` of a card with our results in it; what it holds beside them stays.

    Args:
        entries: What the card has; ``None`` where it has none.
        ours: From `model_index`.
        keep_name: Whether the only entry of the card is ours whatever it is called.
    """
    known = list(entries) if isinstance(entries, list) else []
    names = [entry.get("name") if isinstance(entry, dict) else None for entry in known]
    at = names.index(ours["name"]) if ours["name"] in names else 0 if keep_name and len(known) == 1 else None
    if at is None or not isinstance(known[at], dict):
        return [*known, ours]
    fresh = {result_key(result) for result in ours["results"]}
    kept = [result for result in known[at].get("results") or [] if result_key(result) not in fresh]
    return [*known[:at], {**known[at], "results": [*kept, *ours["results"]]}, *known[at + 1 :]]


def _model(run: Run) -> tuple[Any, ...]:
    """Return what tells trained models apart; how they were run may differ."""
    model = run.record["identity"]["model"]
    return tuple(model.get(key) for key in ("adapter", "checkpoint_sha256", "fingerprint", "options"))


def _result(run: Run) -> dict[str, Any]:
    record = run.record
    data, suite, identity = record["data"], record["suite"], record["identity"]
    label = f"{suite['name']}@{suite['version']}"
    split = (record["config"].get("split") or {}).get("value")
    args = {
        "suite": label,
        "suite_sha256": suite["sha256"],
        "plan_sha256": identity["plan_sha256"],
        "tracks": run.metrics["tracks"],
        "limit": identity.get("limit"),
        "custom": True if record["custom"] else None,
    }
    dataset = {
        "type": _slug(data["name"]),
        "name": data["name"],
        "config": label,
        "split": split,
        "revision": data["fingerprint"],
        "args": {key: value for key, value in args.items() if value is not None},
    }
    metrics = [_metric(run, each) for each in headline_figures(run) if each.value is not None and _shown(run, each)]
    return {
        "task": dict(TASK),
        "dataset": {key: value for key, value in dataset.items() if value is not None},
        "metrics": metrics,
        "source": {**SOURCE, "name": f"asdbench {record['versions'].get('asdbench', asdbench.__version__)}"},
    }


def _shown(run: Run, figure: Figure) -> bool:
    """Whether a figure belongs on a card: what a suite tests, no diagnostics, no controls."""
    if figure.role == "reference":
        return figure.figure in _CLEAN
    kept = run.conditions[figure.condition].labels == "keep"
    return figure.role == "test" and figure.figure in (_CORRUPTED if kept else _UNSYNCHRONOUS)


def _metric(run: Run, figure: Figure) -> dict[str, Any]:
    units = run.metrics.get("units") or {}
    at = f", threshold {figure.threshold}" if figure.threshold else ""
    args: dict[str, Any] = {
        "condition": figure.condition,
        "protocol": figure.protocol,
        "threshold": figure.threshold or None,
        "dtype": run.record["identity"]["model"].get("dtype"),
    }
    if figure.low is not None and figure.high is not None:
        args |= {
            "interval": [round(figure.low, _DIGITS), round(figure.high, _DIGITS)],
            "level": units.get("level"),
            "units": units.get("count"),
            "unit": units.get("kind"),
        }
    kind, words = _METRICS[figure.figure]
    return {
        "type": kind,
        "value": round(figure.value or 0.0, _DIGITS),
        "name": f"{words}, {figure.condition} (protocol {figure.protocol}{at})",
        "args": {key: value for key, value in args.items() if value is not None},
        "verified": False,
    }


def _slug(name: str) -> str:
    """Return a name as the Hub writes identifiers."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-.") or "data"
