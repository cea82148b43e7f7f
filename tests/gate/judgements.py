"""One judgement of each kind, for the tests of everything that shows one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from asdbench.gate.verdict import Judgement, Outcome, Rule, Ruling

HOSTILE = "\x1b[31m<script>alert('1')</script>]]>\n::error::`|$a$~~\u202e\x00\ud800=HYPERLINK()&amp;[x](http://e.org)"
"""Escapes, markup, formulas and workflow commands in one name, and signs that XML cannot hold."""

UNITS = {"kind": "source", "count": 33, "effective": 29, "level": 0.95, "tests": 2, "threshold": "baseline"}


def ruling(
    outcome: Outcome,
    condition: str = "clean",
    metric: str = "ap",
    change: float | None = -0.002,
    **more: Any,
) -> Ruling:
    """Return what a rule found, with an interval of two points around the change."""
    lower = metric == "fa_changed"
    old, new = 0.9, None if change is None else 0.9 - change if lower else 0.9 + change
    values: dict[str, Any] = {
        "rule": Rule(condition, metric, 0.005, f"{condition}.{metric}:{'+' if lower else '-'}0.5pt"),
        "outcome": outcome,
        "old": old,
        "new": new,
        "better": "lower" if lower else "higher",
        "change": change,
        "low": None if change is None else change - 0.01,
        "high": None if change is None else change + 0.01,
        "p_value": None if change is None else 0.2,
        "detectable": 0.012,
        "reason": f"the figure is {outcome}",
    }
    return Ruling(**(values | more))


def judgement(*rulings: Ruling, **more: Any) -> Judgement:
    """Return what a gate found on 33 sources."""
    run = {"run": "runs/new", "model": {"name": "new-model", "checkpoint_sha256": "c" * 64}, "fingerprint": "a" * 64}
    baseline = {"run": "runs/old", "model": {"name": "old-model", "fingerprint": None}, "fingerprint": "b" * 64}
    return Judgement(run, baseline, rulings, **({"evidence": UNITS} | more))


PASS, WORSE, OPEN = ruling("pass"), ruling("regression", change=-0.2), ruling("inconclusive", "mismatch@1.00")
LOWER = ruling("regression", "mismatch@1.00", "fa_changed", -0.1)
GONE = ruling("regression", "misalign@1.00", "retention", None, reason="the run has no such figure")
STATED = {"old": float("nan"), "new": float("inf"), "change": float("nan"), "low": float("-inf"), "high": float("inf")}

JUDGEMENTS: dict[str, tuple[Judgement, int, str]] = {
    "better": (judgement(ruling("pass", change=0.05)), 0, "pass"),
    "equal": (judgement(ruling("pass", change=0.0, low=0.0, high=0.0, detectable=0.0)), 0, "pass"),
    "worse within noise": (judgement(PASS), 0, "pass"),
    "several pass": (judgement(PASS, ruling("pass", "mismatch@1.00", "fa_changed")), 0, "pass"),
    "strict pass": (judgement(PASS, strict=True), 0, "pass"),
    "worse beyond noise": (judgement(WORSE), 1, "regression"),
    "one of two worse": (judgement(PASS, LOWER), 1, "regression"),
    "worse and open": (judgement(OPEN, WORSE), 1, "regression"),
    "worse and open, strict": (judgement(OPEN, WORSE, strict=True), 1, "regression"),
    "all worse": (judgement(WORSE, LOWER, GONE), 1, "regression"),
    "missing figure": (judgement(GONE), 1, "regression"),
    "not a number": (judgement(replace(WORSE, **STATED)), 1, "regression"),
    "underpowered": (judgement(OPEN), 0, "inconclusive"),
    "underpowered, strict": (judgement(OPEN, strict=True), 4, "inconclusive"),
    "open and pass": (judgement(PASS, OPEN), 0, "inconclusive"),
    "open and pass, strict": (judgement(PASS, OPEN, strict=True), 4, "inconclusive"),
    "too few units": (
        judgement(replace(OPEN, low=None, high=None, p_value=None, detectable=None), evidence={}),
        0,
        "inconclusive",
    ),
    "own thresholds": (judgement(PASS, evidence=UNITS | {"threshold": "own", "kind": "block"}), 0, "pass"),
    "another threshold": (
        judgement(replace(WORSE, rule=Rule("clean", "fpr", 0.0, "clean.fpr@eer:0pt", "eer"))),
        1,
        "regression",
    ),
    "not comparable": (
        judgement(differing=("plan (abc and def)", "dtype (float32 and bfloat16)")),
        3,
        "not comparable",
    ),
    "not comparable, with rulings": (judgement(PASS, WORSE, differing=("rows",)), 3, "not comparable"),
    "not comparable, strict": (judgement(OPEN, differing=("data",), strict=True), 3, "not comparable"),
    "warned": (judgement(PASS, warnings=("2 tracks were skipped",)), 0, "pass"),
    "many worse": (
        judgement(*(ruling("regression", f"noise@{n}", change=-0.1) for n in range(12))),
        1,
        "regression",
    ),
    "hostile names": (
        Judgement(
            {"run": HOSTILE, "model": {"name": HOSTILE, "checkpoint_sha256": None}, "fingerprint": None},
            {"run": HOSTILE, "model": HOSTILE},
            tuple(
                ruling(outcome, HOSTILE, HOSTILE, -0.1, reason=HOSTILE) for outcome in ("regression", "inconclusive")
            ),
            warnings=(HOSTILE,),
            evidence=UNITS,
        ),
        1,
        "regression",
    ),
    "hostile and not comparable": (judgement(differing=(HOSTILE,), warnings=(HOSTILE,)), 3, "not comparable"),
}
"""Name to a judgement, its exit code and its state."""
