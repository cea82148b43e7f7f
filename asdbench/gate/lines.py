"""The table of a gate: one line per rule, for a terminal and for a page."""

from __future__ import annotations

from typing import NamedTuple

from asdbench.gate.verdict import Judgement, Outcome, Ruling
from asdbench.gate.words import gain, percent, points

OUTCOMES: dict[Outcome, str] = {"pass": "pass", "regression": "REGRESSION", "inconclusive": "inconclusive"}


class Line(NamedTuple):
    """What one rule found, as text."""

    outcome: str
    rule: str
    old: str
    new: str
    gain: str
    margin: str
    finds: str
    reason: str


HEADERS = Line("outcome", "rule", "old %", "new %", "gain", "margin", "finds", "reason")


def lines(judgement: Judgement) -> list[Line]:
    """Return one line per rule, in the order of the rules."""
    return [_line(ruling) for ruling in judgement.rulings]


def _line(ruling: Ruling) -> Line:
    return Line(
        OUTCOMES[ruling.outcome],
        ruling.rule.name,
        percent(ruling.old),
        percent(ruling.new),
        gain(ruling),
        points(ruling.rule.margin),
        percent(ruling.detectable),
        ruling.reason,
    )
