"""What a reader of the numbers must not overlook: printed, in ``report.md``, and in ``Run.warnings``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from asdbench.analysis.conditions import HEADLINE, value_of
from asdbench.checkpoints.cards import caution
from asdbench.perturb.dubbed import DUBBED

_CONTROL_LIMIT = 0.01
_TIE_LIMIT = 0.0005


def find_warnings(record: Mapping[str, Any], metrics: Mapping[str, Any]) -> Iterator[str]:
    """Yield the warnings of a run.

    Args:
        record: Content of ``run.json``.
        metrics: Content of ``metrics.json``.
    """
    counts = record["counts"]
    yield from record["data"]["notes"]
    unfit = caution(record["model"].get("trained_on"), record["data"]["protocol"])
    if unfit:
        yield unfit
    if counts["skipped_tracks"]:
        yield f"{counts['skipped_tracks']} of {counts['tracks']} tracks were skipped, see skipped.csv"
    if counts["incomplete_tracks"]:
        yield f"{counts['incomplete_tracks']} tracks miss a condition whose donor is broken, see skipped.csv"
    if record["identity"]["limit"] is not None:
        yield f"only the first {counts['tracks']} tracks were scored (limit)"
    if record["custom"]:
        yield "custom seed: these numbers compare with no other run"
    yield from _dubbed(metrics["conditions"])
    missing = (record.get("activity") or {}).get("missing")
    if missing:
        yield missing
    constant = [c["name"] for c in metrics["conditions"] if c["metrics"].get("constant") is True]
    if constant:
        yield f"constant score: every row has the same one, so AP says nothing of the model: {', '.join(constant)}"
    yield from _audit(record, metrics)
    for name, drop in _moved_controls(metrics):
        yield f"the control {name} itself moves AP or TPR by {100 * drop:+.1f} points: part of the effect is the splice"
    known = [c for c in metrics["conditions"] if c["name"] not in constant]
    tied = [c["name"] for c in known if _tie_spread(c["metrics"]) >= _TIE_LIMIT]
    if tied:
        yield f"tied scores: their order moves AP by 0.05 points or more, see the table precision: {', '.join(tied)}"


def _dubbed(conditions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield that rows of dubbed tracks count apart; what becomes of them is in the conclusion."""
    for condition in conditions:
        if condition["perturbation"] == DUBBED.perturbation:
            rows = conditions[0]["rows"]["ignored"]
            if not rows:
                yield "no dubbed track is among those scored"
                return
            yield f"{rows:,} rows belong to dubbed tracks and count in the condition {DUBBED.name} alone"


def _audit(record: Mapping[str, Any], metrics: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the audit leaves open: that there was none, or that sound alone gives a test away."""
    found = record.get("audit", {})  # runs of older releases have none
    if found is None and len(metrics["conditions"]) > 1:
        yield "not audited: nobody measured that the perturbations did what the suite says"
    flagged = (found or {}).get("cue_flagged", ())
    # Where labels stay, hearing the change is no way to a better score.
    graded = [c["name"] for c in metrics["conditions"] if c["labels"] == "negative" and c["name"] in flagged]
    kinds = list(dict.fromkeys(name.partition("@")[0] for name in graded))
    if kinds:
        yield f"sound alone tells changed tracks from unchanged ones (AUROC above 0.60, table cues): {', '.join(kinds)}"


def _moved_controls(metrics: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the controls that move AP or TPR by a point or more, which they must not (docs/method.md, section 3)."""
    for condition in metrics["conditions"]:
        if condition["role"] == "control":
            numbers = condition["metrics"]
            drops = (value_of(numbers["ap_drop"]), value_of(numbers["at"][HEADLINE]["tpr_drop"]))
            largest = max((drop for drop in drops if drop is not None), key=abs, default=0.0)
            if abs(largest) >= _CONTROL_LIMIT:
                yield condition["name"], -largest


def _tie_spread(metrics: Mapping[str, Any]) -> float:
    return (value_of(metrics["ava_best"]) or 0.0) - (value_of(metrics["ava"]) or 0.0)
