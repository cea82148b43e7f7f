"""One sentence that says what the tables mean, from fixed rules; a second one where there are dubbed tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from asdbench.perturb.dubbed import DUBBED
from asdbench.protocols.robustness import HEADLINE, value_of

_UNMOVED_AUROC = 0.05
_KEPT = 0.98
"""sync_auroc this close to the splice floor, with at least this retention, counts as no reaction to the change."""

_FAMILIES = (
    ("mismatch@1.00", "carry somebody else's voice"),
    ("misalign@1.00", "hear their own voice early or late"),
)


def conclude(model: str, metrics: Mapping[str, Any]) -> str:
    """Return the conclusion of a run.

    Args:
        model: Name of the model.
        metrics: Content of ``metrics.json``.
    """
    conditions = {condition["name"]: condition for condition in metrics["conditions"]}
    found = [(text, conditions[name]) for name, text in _FAMILIES if name in conditions]
    sentence = _synchrony(model, conditions, found) if found else _drops(model, metrics)
    return sentence + _dubbed(metrics["conditions"])


def _synchrony(model: str, conditions: Mapping[str, Any], found: list[tuple[str, Mapping[str, Any]]]) -> str:
    parts = [part for text, condition in found if (part := _family(text, condition["metrics"]["at"][HEADLINE]))]
    if not parts:
        return f"{model}: no speaking run could be changed, so nothing is known of its synchrony."
    sentence = f"{model} still says speaking on {', and on '.join(parts)}"
    floor = value_of(conditions.get("resplice@1.00", {}).get("metrics", {}).get("sync_auroc"))
    measured = [condition["metrics"] for _, condition in found]
    if all(_unmoved(metrics, 0.5 if floor is None else floor) for metrics in measured):
        return f"{sentence}: it does not react to whether sound and lips belong together."
    return f"{sentence}."


def _family(text: str, rates: Mapping[str, Any]) -> str | None:
    """Return what became of one perturbation's frames.

    A model that only hears pauses reacts too, so a reaction is never called an understanding of synchrony.
    """
    now, before, kept = (value_of(rates[name]) for name in ("fa_changed", "tpr_same_rows", "retention"))
    if now is None or before is None:
        return None
    of = f"{100 * now:.0f} % of the speaking frames that {text}"
    if kept is None:
        return f"{of} (only {100 * before:.0f} % with the right sound: too few to tell)"
    fewer = "no fewer" if kept >= _KEPT else "hardly fewer" if kept >= 0.9 else "fewer" if kept >= 0.5 else "far fewer"
    return f"{of}, {fewer} than the {100 * before:.0f} % with the right sound"


def _unmoved(metrics: Mapping[str, Any], floor: float) -> bool:
    """Whether scores and verdicts stayed as they were; a perturbation that changed nothing has no say."""
    auroc, kept = value_of(metrics["sync_auroc"]), value_of(metrics["at"][HEADLINE]["retention"])
    return (auroc is None or abs(auroc - floor) < _UNMOVED_AUROC) and (kept is None or kept >= _KEPT)


def _dubbed(conditions: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence on the dubbed tracks, empty without any."""
    for condition in conditions:
        if condition["perturbation"] == DUBBED.perturbation:
            called = value_of(condition["metrics"]["at"][HEADLINE]["fa_changed"])
            if called is not None:
                return f" It says speaking on {100 * called:.0f} % of the frames in which dubbed lips move."
    return ""


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
