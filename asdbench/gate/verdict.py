"""What a gate finds: one object; terminal, JSON, JUnit and job summary are views of it (docs/method.md, section 12)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from asdbench.analysis.conditions import HEADLINE

Outcome = Literal["pass", "regression", "inconclusive"]
State = Literal["pass", "regression", "inconclusive", "not comparable"]

EXIT_CODES: dict[State, int] = {"pass": 0, "regression": 1, "not comparable": 3, "inconclusive": 0}
"""As ``asdbench.errors`` has them; an inconclusive gate ends with 4 under ``--strict``."""
STRICT = 4


@dataclass(frozen=True)
class Rule:
    """A figure that must not get worse by more than a margin.

    Attributes:
        condition: Name of a condition, such as ``mismatch@1.00``.
        metric: Key of a figure, such as ``ap`` or ``fa_changed``.
        margin: By how much the figure may get worse, at least 0, as a share (``0.005`` for half a point).
        text: The rule as it was written: ``clean.ap:-0.5pt``.
        threshold: At which a rate is taken: ``tpr:0.9``, ``eer`` or ``fixed:0.5``, of the baseline.
    """

    condition: str
    metric: str
    margin: float
    text: str
    threshold: str = HEADLINE

    @property
    def name(self) -> str:
        """``condition.metric``, with ``@threshold`` where it is not the headline's."""
        return f"{self.condition}.{self.metric}" + (f"@{self.threshold}" if self.threshold != HEADLINE else "")


@dataclass(frozen=True)
class Ruling:
    """What one rule found. Figures as they are; ``low`` and ``high`` are oriented so that more is better.

    Attributes:
        rule: The rule.
        outcome: What it found.
        old: The figure of the baseline, ``None`` where it has none.
        new: That of the run.
        better: ``higher`` or ``lower``.
        change: New minus old, oriented so that more is better; ``None`` where one of the two is missing.
        low: Lower end of the interval of ``change``, 5 % beyond it: from ``-margin`` on, the rule passes. Since a
            gate passes only where all rules do, it needs no correction for their number. ``None`` without an interval.
        high: Its upper end, by Holm corrected for the number of rules, so that 5 % lie beyond those of all together:
            below ``-margin``, it is a regression.
        p_value: Of "not worse than the margin", after Holm; ``None`` without an interval.
        detectable: Smallest drop that would have been found in 80 of 100 such comparisons; ``None`` if unknown.
        reason: Why it is what it is, one sentence for people.
        units: How many sources (or blocks) have rows of the kind that the figure counts; ``None`` if unknown.
    """

    rule: Rule
    outcome: Outcome
    old: float | None
    new: float | None
    better: Literal["higher", "lower"]
    change: float | None
    low: float | None
    high: float | None
    p_value: float | None
    detectable: float | None
    reason: str
    units: int | None = None


@dataclass(frozen=True)
class Judgement:
    """What a gate found.

    Attributes:
        run: Folder, model and fingerprint of the run.
        baseline: The same of what it was compared with.
        rulings: One per rule, in the order of the rules.
        differing: Why the two cannot be compared, each a few words; empty where they can.
        warnings: What a reader must not overlook.
        strict: Whether an inconclusive rule fails the gate.
        evidence: ``kind`` (source or block), ``count`` and ``effective`` number of units, ``level`` of the intervals,
            ``tests`` (rules that Holm corrects for), ``threshold`` (whose the thresholds are: ``baseline``, or ``own``
            where the gate recalibrates).
    """

    run: dict[str, Any]
    baseline: dict[str, Any]
    rulings: tuple[Ruling, ...] = ()
    differing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    strict: bool = False
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """The worst of all rulings."""
        if self.differing:
            return "not comparable"
        found = {ruling.outcome for ruling in self.rulings}
        if "regression" in found:
            return "regression"
        return "inconclusive" if "inconclusive" in found else "pass"

    @property
    def exit_code(self) -> int:
        """With which ``asdbench gate`` ends."""
        return STRICT if self.strict and self.state == "inconclusive" else EXIT_CODES[self.state]
