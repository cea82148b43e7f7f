"""A gate's verdict as JSON."""

from __future__ import annotations

from typing import Any

from asdbench.gate.verdict import Judgement, Ruling
from asdbench.gate.words import finite, sentence

SCHEMA = 1


def to_dict(judgement: Judgement) -> dict[str, Any]:
    """Return what ``--json`` prints and ``gate.json`` holds (docs/gates.md); what is no finite number is null."""
    return {
        "schema": SCHEMA,
        "state": judgement.state,
        "exit_code": judgement.exit_code,
        "strict": judgement.strict,
        "sentence": sentence(judgement),
        "run": _plain(judgement.run),
        "baseline": _plain(judgement.baseline),
        "differing": list(judgement.differing),
        "warnings": list(judgement.warnings),
        "evidence": _plain(judgement.evidence),
        "rules": [_ruling(ruling) for ruling in judgement.rulings],
    }


def _ruling(ruling: Ruling) -> dict[str, Any]:
    rule = ruling.rule
    return {
        "rule": rule.text,
        "condition": rule.condition,
        "metric": rule.metric,
        "threshold": rule.threshold,
        "margin": rule.margin,
        "outcome": ruling.outcome,
        "old": finite(ruling.old),
        "new": finite(ruling.new),
        "better": ruling.better,
        "change": finite(ruling.change),
        "low": finite(ruling.low),
        "high": finite(ruling.high),
        "p_value": finite(ruling.p_value),
        "detectable": finite(ruling.detectable),
        "units": ruling.units,
        "reason": ruling.reason,
    }


def _plain(value: Any) -> Any:
    """Return a value that JSON has."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return finite(value)
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
