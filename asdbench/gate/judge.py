"""From figures to rulings: pass, regression or inconclusive (docs/method.md, section 12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from asdbench.analysis.comparison import usual_direction
from asdbench.analysis.rows import RunRows
from asdbench.gate.figures import Side, place_of, rows_per_unit
from asdbench.gate.verdict import Outcome, Rule, Ruling
from asdbench.metrics.holm import holm
from asdbench.metrics.jackknife import Change, LeftOut, change_between
from asdbench.records.predictions import Predictions
from asdbench.types import IGNORE, Condition

TAIL = 0.05
"""Probability of any false alarm among all rules; and that a rule passes whose figure fell just beyond its margin."""

_ROUNDING = 1e-9
"""What floats leave of a loss that is exactly the margin: 0.89 - 0.9 is less than -0.01."""

_NO_SHARES = ("retention", "retention_voiced", "_rescaled", "_drop")
"""How the names of figures end that may leave 0 to 1."""

LEVEL = 1 - 2 * TAIL
"""Of the interval of a rule that stands alone."""


@dataclass(frozen=True)
class _Found:
    """What is known of a rule before all others are: a change to be tested, or why there is none."""

    rule: Rule
    old: float | None
    new: float | None
    change: Change | None = None
    reason: str = ""
    units: int | None = None

    @property
    def better(self) -> Literal["higher", "lower"]:
        return "higher" if usual_direction(self.rule.metric) > 0 else "lower"


def judge(
    baseline: RunRows, run: RunRows, rules: Sequence[Rule], *, recalibrate: bool = False
) -> tuple[list[Ruling], int]:
    """Judge a run by rules.

    Args:
        baseline: The rows of what it is held against.
        run: Its rows: those of the baseline but for their scores.
        rules: The rules, of conditions that one of the two has.
        recalibrate: Whether the rates of the run are taken at its own thresholds.

    Returns:
        A ruling per rule, in their order, and how many of them Holm corrects for.
    """
    sides = Side(baseline, baseline), Side(run, run if recalibrate else baseline)
    found: dict[str, _Found] = {}
    for name in dict.fromkeys(rule.condition for rule in rules):
        found |= {each.rule.name: each for each in _condition(sides, [r for r in rules if r.condition == name])}
    ordered = [found[rule.name] for rule in rules]
    tested = [each for each in ordered if each.change is not None and each.change.error is not None]
    p_values = [each.change.p_value(each.rule.margin + _ROUNDING) for each in tested if each.change is not None]
    corrected = {each.rule.name: pair for each, *pair in zip(tested, *holm(p_values, TAIL), strict=True)}
    return [_ruling(each, corrected) for each in ordered], len(tested)


def _condition(sides: tuple[Side, Side], rules: Sequence[Rule]) -> list[_Found]:
    """Return what is known of all rules of one condition."""
    name = rules[0].condition
    missing = [
        who for who, side in zip(("the baseline", "the run"), sides, strict=True) if name not in side.rows.conditions
    ]
    if missing:
        return [_Found(rule, None, None, reason=f"{' and '.join(missing)} has no condition {name}.") for rule in rules]
    condition = sides[0].rows.conditions[name]
    read = [side.rows.clean if condition.perturbation is None else side.rows.read(name) for side in sides]
    broken = _not_finite(sides[1].rows.clean, "clean") or _not_finite(read[1], name)
    if broken:
        return [_Found(rule, None, None, reason=broken) for rule in rules]
    thresholds = {rule.threshold for rule in rules if len(place_of(rule)) > 1}
    values = [side.left_out(condition, rows, thresholds) for side, rows in zip(sides, read, strict=True)]
    same = all(
        np.array_equal(one.score, other.score, equal_nan=True)
        for one, other in ((sides[0].rows.clean, sides[1].rows.clean), (read[0], read[1]))
    )
    return [_found(sides, condition, read, rule, [each.get(place_of(rule)) for each in values], same) for rule in rules]


def _found(
    sides: tuple[Side, Side],
    condition: Condition,
    read: Sequence[Predictions],
    rule: Rule,
    values: Sequence[LeftOut | None],
    same: bool,
) -> _Found:
    old, new = (None if each is None or np.isnan(each.estimate) else each.estimate for each in values)
    for who, side, predictions, value in zip(("the baseline", "the run"), sides, read, (old, new), strict=True):
        if value is None:
            reason = side.reason(condition, predictions, place_of(rule))
            return _Found(rule, old, new, reason=f"{who} has no value for {rule.name}: {reason}")
    counted = rows_per_unit(sides[0].rows, condition, read[0], rule.metric)
    change = change_between(values[0], values[1], counted, usual_direction(rule.metric))  # type: ignore[arg-type]
    if same and not change.value:
        change = replace(change, error=0.0, reason="")
    return _Found(rule, old, new, change, units=int(np.count_nonzero(counted)))


def _not_finite(rows: Predictions, name: str) -> str:
    bad = int(np.count_nonzero(~np.isfinite(rows.score) & (rows.label_after != IGNORE)))
    return f"{bad:,} scores of the run under {name} are not finite numbers." if bad else ""


def _ruling(found: _Found, corrected: Mapping[str, Sequence[float]]) -> Ruling:
    rule, change = found.rule, found.change
    if change is None:
        return Ruling(
            rule, "regression", found.old, found.new, found.better, None, None, None, None, None, found.reason
        )
    p_value, tail = corrected.get(rule.name, (None, TAIL))
    low, high = _possible(found, change.end(TAIL, -1), change.end(tail, 1))
    outcome = _outcome(low, high, rule.margin)
    detectable = change.detectable(tail, rule.margin)
    return Ruling(
        rule, outcome, found.old, found.new, found.better, change.value, low, high, p_value, detectable,
        _reason(outcome, rule, change, low, high, detectable), found.units,
    )  # fmt: skip


def _possible(found: _Found, low: float | None, high: float | None) -> tuple[float | None, float | None]:
    """Cut an interval off where the figure of the run would leave 0 to 1."""
    if low is None or high is None or found.old is None or found.rule.metric.endswith(_NO_SHARES):
        return low, high
    room = 1 - found.old if found.better == "higher" else found.old
    return max(low, room - 1), min(high, room)


def _outcome(low: float | None, high: float | None, margin: float) -> Outcome:
    if low is None or high is None:
        return "inconclusive"
    allowed = -margin - _ROUNDING
    if low >= allowed:
        return "pass"
    return "regression" if high < allowed else "inconclusive"


def _reason(
    outcome: Outcome, rule: Rule, change: Change, low: float | None, high: float | None, detectable: float | None
) -> str:
    moved = _moved(change.value, rule)
    if low is None or high is None:
        return f"{moved}, but whether by chance nobody can say: {change.reason}"
    if not change.error:
        equal = "nothing differs on these rows" if not change.value else "every source alike"
        return f"{moved} ({equal})."
    allowed = f"{100 * rule.margin:g} points"
    if outcome == "pass":
        return f"{moved}; a loss of more than {allowed} is ruled out (worst likely {100 * low:+.2f})."
    if outcome == "regression":
        return f"{moved}; the loss exceeds {allowed} beyond chance (best likely {100 * high:+.2f})."
    least = _least(detectable)
    return f"{moved}; the data can neither rule out a loss of more than {allowed} nor show one{least}."


def _least(detectable: float | None) -> str:
    if not detectable:
        return ""
    if detectable > 1:
        return "; no drop that is possible could be told from chance"
    return f"; a drop could be told from chance from {100 * detectable:.2f} points on"


def _moved(value: float, rule: Rule) -> str:
    if not value:
        return f"{rule.metric} did not move"
    return f"{rule.metric} got {'better' if value > 0 else 'worse'} by {100 * abs(value):.2f} points"
