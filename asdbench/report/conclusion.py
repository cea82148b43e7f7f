"""One sentence that says what the tables mean, from fixed rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asdbench.protocols.robustness import HEADLINE, value_of

_UNMOVED = 0.02
"""sync_auroc this close to the splice floor counts as no reaction to the change."""

_FAMILIES = (
    ("mismatch@1.00", "that carry somebody else's voice"),
    ("misalign@1.00", "whose own voice is early or late"),
)


def conclude(model: str, metrics: Mapping[str, Any]) -> str:
    """Return the conclusion of a run.

    Args:
        model: Name of the model.
        metrics: Content of ``metrics.json``.
    """
    conditions = {condition["name"]: condition for condition in metrics["conditions"]}
    found = [(text, conditions[name]) for name, text in _FAMILIES if name in conditions]
    if found:
        return _synchrony(model, conditions, found)
    return _drops(model, metrics)


def _synchrony(model: str, conditions: Mapping[str, Any], found: list[tuple[str, Mapping[str, Any]]]) -> str:
    parts = []
    for text, condition in found:
        rates = condition["metrics"]["at"][HEADLINE]
        now, before = value_of(rates["fa_changed"]), value_of(rates["tpr_same_rows"])
        if now is not None and before is not None:
            parts.append(f"{100 * now:.0f} % of the speaking frames {text} ({100 * before:.0f} % with the right sound)")
    if not parts:
        return f"{model}: no speaking run could be changed, so nothing is known of its synchrony."
    sentence = f"{model} still says speaking on {' and on '.join(parts)}"
    floor = value_of(conditions.get("resplice@1.00", {}).get("metrics", {}).get("sync_auroc"))
    aurocs = [value_of(condition["metrics"]["sync_auroc"]) for _, condition in found]
    return f"{sentence}: {_verdict(found, aurocs, 0.5 if floor is None else floor)}."


def _verdict(found: list[tuple[str, Mapping[str, Any]]], aurocs: list[float | None], floor: float) -> str:
    retentions = [value_of(condition["metrics"]["at"][HEADLINE]["retention"]) for _, condition in found]
    known = [retention for retention in retentions if retention is not None]
    if not known:
        return "it detects too little of the clean speech to tell"
    if all(auroc - floor < _UNMOVED for auroc in aurocs if auroc is not None):
        return "it does not react to whether sound and lips belong together"
    worst = max(known)
    # A model that only hears pauses reacts too, so a reaction is never called an understanding of synchrony.
    if worst >= 0.9:
        return "its scores react to the change, its verdict hardly does"
    if worst >= 0.5:
        return "its verdict follows the sound in part"
    return "its verdict follows the sound"


def _drops(model: str, metrics: Mapping[str, Any]) -> str:
    clean = metrics["conditions"][0]
    ap = value_of(clean["metrics"]["ap_tie_safe"])
    drops = [
        f"{c['name']} {round(-100 * drop, 1) + 0.0:+.1f}"
        for c in metrics["conditions"][1:]
        if (drop := value_of(c["metrics"].get("ap_drop"))) is not None
    ]
    start = f"{model}: AP {100 * ap:.2f} %" if ap is not None else f"{model}: AP undefined"
    return f"{start}; points of AP by condition: {', '.join(drops)}." if drops else f"{start} on the clean data."
