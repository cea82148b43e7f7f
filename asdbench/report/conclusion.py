"""One sentence that says what the tables mean, from fixed rules; a second one where there are dubbed tracks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from asdbench.analysis.conditions import HEADLINE, value_of
from asdbench.perturb.dubbed import DUBBED
from asdbench.report.families import base, curve, drops_by_severity, has_place, mean_drop

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
    """Return what the conditions cost, for suites that do not have the two tests of synchrony."""
    clean, *others = metrics["conditions"]
    ap = value_of(clean["metrics"]["ava"])
    start = f"{model}: AP {100 * ap:.2f} %" if ap is not None else f"{model}: AP undefined"
    parts = [*_corruptions(others), *_called(others), *_curve(others), *_single(others)]
    return f"{start}; {'; '.join(parts)}." if parts else f"{start} on the clean data."


def _corruptions(conditions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    found = {kind: mean_drop(drops) for kind, drops in drops_by_severity(conditions).items()}
    known = {kind: drop for kind, drop in found.items() if drop is not None}
    if known:
        worst = max(known, key=lambda kind: known[kind])
        mean, most = _points(sum(known.values()) / len(known)), _points(known[worst])
        yield f"{len(known)} corruptions take {mean} points on average, {worst} the most with {most}"


def _points(drop: float) -> str:
    return f"{round(100 * drop, 1) + 0.0:.1f}"


def _called(conditions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield how many changed speaking rows are still called speaking, for each test at its largest proportion."""
    largest: dict[str, Mapping[str, Any]] = {}
    for condition in conditions:
        name = base(condition)
        before = largest.get(name, condition)
        tested = condition["role"] == "test" and condition["labels"] == "negative" and name != DUBBED.perturbation
        if tested and condition["proportion"] >= before["proportion"]:
            largest[name] = condition
    rates = {c["name"]: value_of(c["metrics"]["at"][HEADLINE].get("fa_changed")) for c in largest.values()}
    said = [f"{100 * rate:.0f} % under {name}" for name, rate in rates.items() if rate is not None]
    if said:
        yield f"of the changed speaking frames it still calls speaking {', '.join(said)}"


def _curve(conditions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    points = [
        (offset, kept)
        for offset, condition in curve(conditions)
        if (kept := value_of(condition["metrics"]["at"][HEADLINE].get("retention"))) is not None
    ]
    if points:
        lowest = min(points, key=lambda point: point[1])
        yield (
            f"with all sound shifted it keeps {100 * lowest[1]:.0f} % of its detections at the worst offset, "
            f"{abs(lowest[0]):.0f} ms {'late' if lowest[0] > 0 else 'early'}"
        )


def _single(conditions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the points of AP that single conditions with kept labels take; of several draws their mean."""
    groups: dict[str, list[float]] = {}
    for condition in conditions:
        drop = value_of(condition["metrics"].get("ap_drop"))
        if drop is not None and not has_place(condition):
            groups.setdefault(condition["name"].partition("#")[0], []).append(drop)
    drops = [f"{name} {round(-100 * sum(found) / len(found), 1) + 0.0:+.1f}" for name, found in groups.items()]
    if drops:
        yield f"points of AP by condition: {', '.join(drops)}"
