"""What a gate found, in words: the sentence that all views share, and figures as people read them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from asdbench.gate.verdict import Judgement, Ruling, State
from asdbench.report.table import UNDEFINED

TITLES: dict[State, str] = {
    "pass": "PASS",
    "regression": "REGRESSION",
    "inconclusive": "INCONCLUSIVE",
    "not comparable": "NOT COMPARABLE",
}
"""With what the sentence begins: no name that comes from a file starts a line, where a log might obey it."""

_STRICTLY = "a strict gate fails on that"
_NAMED = 5  # rules that the sentence tells of; the table has all


def sentence(judgement: Judgement) -> str:
    """Return the verdict in one sentence, which names the conditions that got worse."""
    return f"{TITLES[judgement.state]}: {_found(judgement)}."


def _found(judgement: Judgement) -> str:
    model, total = model_of(judgement), len(judgement.rulings)
    if judgement.differing:
        return f"{model} and the baseline cannot be compared: {'; '.join(judgement.differing)}"
    worse = [ruling for ruling in judgement.rulings if ruling.outcome == "regression"]
    undecided = [ruling for ruling in judgement.rulings if ruling.outcome == "inconclusive"]
    if worse:
        more = f"; undecided: {len(undecided)} of {total} rules" if undecided else ""
        moved = [ruling for ruling in worse if finite(ruling.change) is not None]
        lost = [ruling.rule.name for ruling in worse if finite(ruling.change) is None]
        parts = [f"{model} got worse under {_by_condition(moved)}"] if moved else []
        parts += [f"{model} and the baseline do not both have a value of {listed(lost)}"] if lost else []
        return "; ".join(parts) + more
    if undecided:
        names = listed(ruling.rule.name for ruling in undecided)
        strict = f"; {_STRICTLY}" if judgement.strict else ""
        return f"the data cannot tell for {len(undecided)} of {total} rules whether {model} got worse ({names}){strict}"
    return f"{model} is not worse than the baseline by more than the margin under {_rules(total)}"


def _rules(total: int) -> str:
    return f"any of {total} rules" if total > 1 else "the one rule"


def _by_condition(worse: list[Ruling]) -> str:
    found: dict[str, list[str]] = {}
    for ruling in worse:
        found.setdefault(ruling.rule.condition, []).append(_loss(ruling))
    return listed((f"{condition} ({', '.join(losses)})" for condition, losses in found.items()), last=" and ")


def _loss(ruling: Ruling) -> str:
    return f"{figure_of(ruling)} {percent(ruling.old)} to {percent(ruling.new)} %"


def figure_of(ruling: Ruling) -> str:
    """Return the name of a figure without that of its condition."""
    return ruling.rule.name.removeprefix(f"{ruling.rule.condition}.")


def listed(names: Iterable[str], last: str = ", ") -> str:
    """Return names as a list, cut off after the first few."""
    found = list(names)
    if len(found) > _NAMED:
        return f"{', '.join(found[:_NAMED])} and {len(found) - _NAMED} more"
    return last.join([", ".join(found[:-1]), found[-1]]) if len(found) > 1 else "".join(found)


def model_of(judgement: Judgement) -> str:
    """Return what to call the run: its model, or its folder."""
    found = identified(judgement.run)
    return found.get("model") or found.get("run") or "the run"


def identified(side: Mapping[str, Any]) -> dict[str, str]:
    """Return what a reader needs of a run or a baseline: folder, model, checkpoint and fingerprint."""
    model = side.get("model")
    parts = model if isinstance(model, Mapping) else {"name": model}
    found = {
        "run": side.get("run"),
        "model": parts.get("name"),
        "checkpoint_sha256": parts.get("checkpoint_sha256"),
        "fingerprint": side.get("fingerprint"),
    }
    return {key: str(value) for key, value in found.items() if value}


def legend(judgement: Judgement) -> str:
    """Return what the columns of the table mean, and what the intervals rest on."""
    return (
        "Gain: run minus baseline in points, signed so that more is better. Margin: the loss that the rule allows. "
        f"Finds: the smallest loss that 80 of 100 such comparisons find. {_basis(judgement)}"
    )


def _basis(judgement: Judgement) -> str:
    found = judgement.evidence
    if all(finite(ruling.low) is None and finite(ruling.high) is None for ruling in judgement.rulings):
        return "There are no intervals."
    level = f"{100 * found['level']:g} % " if "level" in found else ""
    kind = "blocks of 60 s" if found.get("kind") == "block" else "sources"
    units = f" over the same {found['count']:,} {kind} of both" if "count" in found else ""
    tests = found.get("tests", len(judgement.rulings))
    corrected = f"; its upper end is corrected for {tests} rules" if tests > 1 else ""
    thresholds = " Thresholds: each run's own." if found.get("threshold") == "own" else ""
    return f"Brackets: {level}interval of the gain{units}{corrected}.{thresholds}"


def finite(value: float | None) -> float | None:
    """Return a number, ``None`` for what is none."""
    return value if value is not None and math.isfinite(value) else None


def percent(value: float | None) -> str:
    """Return a share in percent with two decimals."""
    return UNDEFINED if finite(value) is None else f"{round(100 * float(value or 0), 2) + 0.0:.2f}"


def points(value: float | None) -> str:
    """Return a margin in points, with as many digits as it has."""
    return UNDEFINED if finite(value) is None else f"{100 * float(value or 0):.6g}"


def gain(ruling: Ruling) -> str:
    """Return the change with its interval, in points."""
    if finite(ruling.change) is None:
        return UNDEFINED
    if finite(ruling.low) is None and finite(ruling.high) is None:
        return _signed(ruling.change)
    return f"{_signed(ruling.change)} [{_end(ruling.low)}, {_end(ruling.high)}]"


def _signed(value: float | None) -> str:
    return f"{round(100 * float(value or 0), 2) + 0.0:+.2f}"


def _end(value: float | None) -> str:
    if value is None or math.isnan(value):
        return UNDEFINED
    return _signed(value) if math.isfinite(value) else ("∞" if value > 0 else "-∞")
