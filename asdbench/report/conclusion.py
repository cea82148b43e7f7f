"""A few sentences that say what the tables mean, from fixed rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from asdbench.analysis.conditions import value_of
from asdbench.perturb.dubbed import DUBBED
from asdbench.report import reliance, synchrony
from asdbench.report.evidence import basis, ends_of, figure_of, has_intervals, number_of, percent, points, rate_of
from asdbench.report.families import base, curve, drops_by_severity, has_place, mean_drops
from asdbench.report.table import format_value

_NEAR = 0.1
"""Intervals that stay this close to the splice floor, and to retention 1, hold no reaction that matters."""

_UNMOVED, _KEPT = 0.05, 0.98
"""Without intervals, sync_auroc this close to the floor and retention from here on count as unchanged."""

_FAMILIES = (
    ("mismatch@1.00", "carry somebody else's voice"),
    ("misalign@1.00", "hear their own voice early or late"),
)
_WHETHER = "whether sound and lips belong together"

_Conditions = Sequence[Mapping[str, Any]]
_Reaction = Literal["none", "slight", "unclear", "some"]


def conclude(model: str, metrics: Mapping[str, Any]) -> str:
    """Return the conclusion of a run.

    Args:
        model: Name of the model.
        metrics: Content of ``metrics.json``.
    """
    conditions = {condition["name"]: condition for condition in metrics["conditions"]}
    found = [(text, conditions[name]) for name, text in _FAMILIES if name in conditions]
    sentences = (
        _synchrony(model, conditions, found) if found else _drops(model, metrics),
        _dubbed(metrics["conditions"]),
        reliance.sentence(metrics),
        synchrony.sentence(metrics),
    )
    said = " ".join(sentence for sentence in sentences if sentence)
    return f"{said} {basis(metrics)}".strip() if "[" in said or not has_intervals(metrics) else said


def _synchrony(model: str, conditions: Mapping[str, Any], found: list[tuple[str, Mapping[str, Any]]]) -> str:
    parts = [part for text, condition in found if (part := _family(text, condition))]
    if not parts:
        return f"{model}: no speaking run could be changed, so nothing is known of its synchrony."
    sentence = f"{model} still says speaking on {', and on '.join(parts)}"
    splice = conditions.get("resplice@1.00")
    floor = None if splice is None else figure_of(splice, "sync_auroc")
    reactions = [reaction for _, condition in found if (reaction := _reaction(condition, floor)) is not None]
    if not reactions or "some" in reactions:
        return f"{sentence}."
    if "unclear" in reactions:
        return f"{sentence}: no reaction to {_WHETHER} can be shown on these data."
    return f"{sentence}: it {'hardly reacts' if 'slight' in reactions else 'does not react'} to {_WHETHER}."


def _family(text: str, condition: Mapping[str, Any]) -> str | None:
    """Return what became of one perturbation's frames.

    A model that only hears pauses reacts too, so a reaction is never called an understanding of synchrony.
    """
    now, before = rate_of(condition, "fa_changed"), number_of(rate_of(condition, "tpr_same_rows"))
    if number_of(now) is None or before is None:
        return None
    of = f"{percent(now)} of the speaking frames that {text}"
    kept = rate_of(condition, "retention")
    value = number_of(kept)
    if value is None:
        return f"{of} (only {100 * before:.0f} % with the right sound: too few to tell)"
    return f"{of}, {_fewer(value, ends_of(kept))} than the {100 * before:.0f} % with the right sound"


def _fewer(kept: float, ends: tuple[float, float] | None) -> str:
    same = ends is None or ends[1] >= 1
    if same and kept >= _KEPT:
        return "no fewer"
    if same and ends is not None:
        return "not separably fewer"
    return "slightly fewer" if kept >= 0.9 else "fewer" if kept >= 0.5 else "far fewer"


def _reaction(condition: Mapping[str, Any], floor: Any) -> _Reaction | None:
    """Return whether scores and verdicts moved; ``None`` where nothing was changed, which has no say.

    With intervals: *none* where they hold no reaction and are narrow, *unclear* where they hold it and are wide,
    *slight* where they exclude it but stay close to it.
    """
    moved, kept = figure_of(condition, "sync_auroc"), rate_of(condition, "retention")
    auroc, share = number_of(moved), number_of(kept)
    if auroc is None and share is None:
        return None
    start = number_of(floor)
    start = 0.5 if start is None else start
    if ends_of(moved) is None and ends_of(kept) is None:
        still = (auroc is None or abs(auroc - start) < _UNMOVED) and (share is None or share >= _KEPT)
        return "none" if still else "some"
    low, high = ends_of(moved) or (auroc or start, auroc or start)
    least, most = ends_of(kept) or (1.0, 1.0)
    lowest, highest = ends_of(floor) or (start, start)
    near = max(abs(low - start), abs(high - start)) < _NEAR and least >= 1 - _NEAR
    if low <= highest and lowest <= high and most >= 1:
        return "none" if near else "unclear"
    return "slight" if near else "some"


def _dubbed(conditions: _Conditions) -> str:
    """Return a sentence on the dubbed tracks, empty without any."""
    for condition in conditions:
        if condition["perturbation"] == DUBBED.perturbation:
            called = rate_of(condition, "fa_changed")
            if number_of(called) is not None:
                return f"It says speaking on {percent(called)} of the frames in which dubbed lips move."
    return ""


def _drops(model: str, metrics: Mapping[str, Any]) -> str:
    """Return what the conditions cost, for suites that do not have the two tests of synchrony."""
    clean, *others = metrics["conditions"]
    ap = figure_of(clean, "ava")
    number, _, ends = format_value(ap, "percent").partition(" ")
    start = f"{model}: AP {number} % {ends}".rstrip() if number_of(ap) is not None else f"{model}: AP undefined"
    parts = [*_corruptions(metrics), *_called(others), *_curve(others), *_single(metrics, others)]
    return f"{start}; {'; '.join(parts)}." if parts else f"{start} on the clean data."


def _corruptions(metrics: Mapping[str, Any]) -> Iterator[str]:
    cells = mean_drops(metrics)
    kinds = [kind for kind in drops_by_severity(metrics["conditions"]) if number_of(cells.get(kind)) is not None]
    if kinds and number_of(cells["mean"]) is not None:
        worst = max(kinds, key=lambda kind: number_of(cells[kind]) or 0.0)
        yield (
            f"{len(kinds)} corruptions take {points(cells['mean'])} points on average, {worst} the most with "
            f"{points(cells[worst])}"
        )


def _called(conditions: _Conditions) -> Iterator[str]:
    """Yield how many changed speaking rows are still called speaking, for each test at its largest proportion."""
    largest: dict[str, Mapping[str, Any]] = {}
    for condition in conditions:
        name = base(condition)
        before = largest.get(name, condition)
        tested = condition["role"] == "test" and condition["labels"] == "negative" and name != DUBBED.perturbation
        if tested and condition["proportion"] >= before["proportion"]:
            largest[name] = condition
    rates = {c["name"]: rate_of(c, "fa_changed") for c in largest.values()}
    said = [f"{percent(rate)} under {name}" for name, rate in rates.items() if number_of(rate) is not None]
    if said:
        yield f"of the changed speaking frames it still calls speaking {', '.join(said)}"


def _curve(conditions: _Conditions) -> Iterator[str]:
    points_ = [
        (offset, kept)
        for offset, condition in curve(conditions)
        if (kept := number_of(rate_of(condition, "retention"))) is not None
    ]
    if points_:
        lowest = min(points_, key=lambda point: point[1])
        yield (
            f"with all sound shifted it keeps {100 * lowest[1]:.0f} % of its detections at the worst offset, "
            f"{abs(lowest[0]):.0f} ms {'late' if lowest[0] > 0 else 'early'}"
        )


def _single(metrics: Mapping[str, Any], conditions: _Conditions) -> Iterator[str]:
    """Yield the points of AP that single conditions with kept labels take; of several draws their mean."""
    groups: dict[str, list[float]] = {}
    for condition in conditions:
        drop = value_of(condition["metrics"].get("ap_drop"))
        told = "reliance" in metrics and base(condition).startswith("replace_")  # in a sentence of its own
        if drop is not None and not has_place(condition) and not told:
            groups.setdefault(condition["name"].partition("#")[0], []).append(drop)
    drops = [f"{name} {round(-100 * sum(found) / len(found), 1) + 0.0:+.1f}" for name, found in groups.items()]
    if drops:
        yield f"points of AP by condition: {', '.join(drops)}"
