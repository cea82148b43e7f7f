"""A run against a baseline: opens both, refuses what cannot be compared, judges the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from asdbench.analysis.comparison import better_direction
from asdbench.analysis.conditions import HEADLINE
from asdbench.analysis.intervals import units_record
from asdbench.analysis.rows import RunRows
from asdbench.errors import UsageError
from asdbench.gate.baseline import MARK
from asdbench.gate.comparable import reasons, row_reasons
from asdbench.gate.defaults import default_rules
from asdbench.gate.figures import place_of
from asdbench.gate.judge import LEVEL, judge
from asdbench.gate.rules import Rules, rules_of
from asdbench.gate.verdict import Judgement, Rule
from asdbench.metrics.units import MIN_UNITS
from asdbench.registry import unknown_name
from asdbench.report.run import Run, open_run

_LEAST_FOUND, _MOST_FOUND = 0.8, 0.98
"""Share of speech that a run finds at the baseline's threshold, outside of which its scores may have another scale."""


def gate(
    run: str | Path | Run,
    baseline: str | Path | Run,
    rules: Rules | str | Path | Iterable[str | Rule] | None = None,
    *,
    strict: bool = False,
    recalibrate: bool = False,
    allow: Collection[str] = (),
) -> Judgement:
    """Say whether a run got worse than a baseline by more than rules allow.

    Args:
        run: Run folder, or run, that is judged.
        baseline: What it is held against: a run folder, or what `update_baseline` wrote.
        rules: Rules, each text or read, or the path of a gate.toml; `default_rules` of the baseline without any.
        strict: Whether an inconclusive rule fails the gate (exit code 4); gate.toml may ask for it too.
        recalibrate: Whether rates of the run are taken at its own thresholds; gate.toml may ask for it too.
        allow: What keeps two runs from being compared, but shall not here: ``custom``, ``dtype``, ``options``.

    Returns:
        What was found. Runs that cannot be compared raise nothing: it says why, and has exit code 3.

    Raises:
        DataError: Not a finished run, or its predictions are missing or broken.
        UsageError: A rule that cannot be held: no such condition or metric, one without a better direction.

    Example:
        >>> asdbench.gate.gate("runs/new", "runs/old", ["clean.ap:-0.5pt"]).state  # doctest: +SKIP
        'pass'
    """
    new, old = (each if isinstance(each, Run) else open_run(each) for each in (run, baseline))
    held = default_rules(old) if rules is None else rules_of(rules)
    held = replace(held, recalibrate=held.recalibrate or recalibrate)
    ends: dict[str, Any] = {
        "run": _identified(new), "baseline": _identified(old), "strict": strict or held.strict,
    }  # fmt: skip
    differing = reasons(old, new, allow)
    if differing:
        return Judgement(**ends, differing=tuple(differing))
    _check(held.rules, old, new)
    named = {rule.condition for rule in held} | {next(iter(old.conditions))}
    differing = row_reasons(old, new, [name for name in old.conditions if name in named and name in new.conditions])
    if differing:
        return Judgement(**ends, differing=tuple(differing))
    rows = old.rows
    rulings, tested = judge(rows, new.rows, held.rules, recalibrate=held.recalibrate)
    units = {key: units_record(rows)[key] for key in ("kind", "count", "effective")}
    evidence = {
        **units, "level": LEVEL, "tests": tested, "threshold": "own" if held.recalibrate else "baseline",
    }  # fmt: skip
    warnings = [
        *_swapped(new),
        *_few(units["count"]),
        *(warning for warning in new.warnings if warning not in old.warnings),
    ]
    if not held.recalibrate and any(len(place_of(rule)) > 1 for rule in held):
        warnings += _other_scale(rows, new.rows)
    return Judgement(**ends, rulings=tuple(rulings), warnings=tuple(warnings), evidence=evidence)


def _check(rules: Sequence[Rule], old: Run, new: Run) -> None:
    """Refuse rules that no run of this suite could be held to."""
    known = {**new.conditions, **old.conditions}
    for rule in rules:
        if rule.condition not in known:
            raise UsageError(f"rule {rule.text!r}: {unknown_name('condition', rule.condition, known)}")
        condition = known[rule.condition]
        if better_direction(condition, rule.metric):
            continue
        if condition.role in ("diagnostic", "control"):
            why = f"{rule.condition} is a {condition.role} condition, under which neither more nor less is better"
        else:
            why = f"{rule.metric} has no better direction under {rule.condition}, where labels are kept"
        raise UsageError(f"rule {rule.text!r}: {why}; a gate can only hold what can get worse.")


def _swapped(run: Run) -> list[str]:
    there = (run.path / MARK).is_file()
    return ["what is judged is itself a baseline, as --update writes them: are the two swapped?"] if there else []


def _few(units: int) -> list[str]:
    return [f"only {units} independent recordings: verdicts need at least {MIN_UNITS}"] if units < MIN_UNITS else []


def _other_scale(old: RunRows, new: RunRows) -> list[str]:
    """Say so where nearly no rate of a run means anything at the baseline's threshold."""
    speech = new.clean.score[new.counted & (new.clean.label == 1)]
    found = float(np.mean(speech >= old.thresholds[HEADLINE]))
    if _LEAST_FOUND <= found <= _MOST_FOUND:
        return []
    return [
        f"at the baseline's threshold, which finds 90 % of speech there, the run finds {100 * found:.1f} %: if its "
        "scores merely lie on another scale, --recalibrate (or recalibrate = true in gate.toml) takes each run at its "
        "own threshold"
    ]


def _identified(run: Run) -> dict[str, Any]:
    return {"run": str(run.path), "model": run.record["model"], "fingerprint": run.record.get("fingerprint")}
